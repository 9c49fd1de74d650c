import { CatalogError } from '../../domain/errors.ts';
import type { RuntimeSettings } from '../runtime.ts';

/** Where an engine is spoken to. */
export type Endpoint = UnixEndpoint | TcpEndpoint | SshEndpoint;

export interface UnixEndpoint {
  readonly kind: 'unix';
  readonly path: string;
}

export interface TcpEndpoint {
  readonly kind: 'tcp';
  /** IPv6 addresses in brackets. */
  readonly host: string;
  readonly port: number;
  readonly isPlain: boolean;
}

export interface SshEndpoint {
  readonly kind: 'ssh';
  readonly host: string;
  readonly user: string | null;
  readonly port: number | null;
  /** Of the socket there; null is the one that the host's own docker command uses. */
  readonly socket: string | null;
}

/** Throws INVALID_ARGUMENT for what names no engine, and for settings that don't go with it. */
export function parseEndpoint({ endpoint, tls, insecure, namespaces }: RuntimeSettings): Endpoint {
  if (namespaces.length > 0) throw invalid(`${shown(endpoint)} has no namespaces: only a cluster has.`);
  const [scheme = '', rest = ''] = endpoint.split('://', 2);
  if (scheme !== 'tcp' && (tls !== null || insecure)) {
    throw invalid(`${shown(endpoint)} takes neither certificates nor insecure: they belong to tcp://host:port.`);
  }
  if (tls !== null && insecure) {
    throw invalid(`${shown(endpoint)} has certificates and is insecure: leave out one of the two.`);
  }
  if (scheme === 'unix') return unixEndpoint(endpoint, rest);
  if (scheme === 'tcp') return tcpEndpoint(endpoint, insecure);
  if (scheme === 'ssh') return sshEndpoint(endpoint);
  if (scheme === 'npipe') {
    throw invalid(`${shown(endpoint)} is a named pipe of Windows, which can't be used: write tcp:// or ssh://.`);
  }
  throw invalid(
    `"${shown(endpoint)}" is no endpoint of an engine: write unix:///var/run/docker.sock, tcp://host:2376 or ssh://user@host.`,
  );
}

/** What a kernel takes as the address of a socket, less the NUL at its end. */
const MAX_SOCKET_PATH = 107;
const USER = /^[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,127}$/;
const HOST = /^([A-Za-z0-9_][A-Za-z0-9_.-]{0,252}|\[[0-9a-f:.]+\])$/;
/** Nothing that the shell on the other side would take for more than a path. */
const REMOTE_PATH = /^(\/[A-Za-z0-9_.@+=-]+)+$/;

function unixEndpoint(endpoint: string, path: string): UnixEndpoint {
  if (!path.startsWith('/') || path.includes('\0')) {
    throw invalid(`"${shown(endpoint)}" names no socket: write unix:// and an absolute path.`);
  }
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH) {
    throw invalid(`"${shown(endpoint)}" is longer than the ${MAX_SOCKET_PATH} bytes that a socket's path may have.`);
  }
  return { kind: 'unix', path };
}

function tcpEndpoint(endpoint: string, isPlain: boolean): TcpEndpoint {
  const url = parsed(endpoint);
  if (!url || url.username || url.password || !/^\/?$/.test(url.pathname) || !HOST.test(url.hostname)) {
    throw invalid(`"${shown(endpoint)}" is no address of an engine: write tcp://host:port and nothing else.`);
  }
  return { kind: 'tcp', host: url.hostname, port: Number(url.port || (isPlain ? 2375 : 2376)), isPlain };
}

function sshEndpoint(endpoint: string): SshEndpoint {
  const url = parsed(endpoint);
  const user = url?.username || null;
  const socket = url && !/^\/?$/.test(url.pathname) ? url.pathname : null;
  const isRight =
    url !== null &&
    url.password === '' &&
    HOST.test(url.hostname) &&
    (user === null || USER.test(user)) &&
    (socket === null || REMOTE_PATH.test(socket));
  if (!isRight) {
    throw invalid(
      `"${shown(endpoint)}" is no host that ssh can be asked for: write ssh://user@host[:port][/path of the socket], with keys rather than a password.`,
    );
  }
  return { kind: 'ssh', host: url.hostname, user, port: url.port === '' ? null : Number(url.port), socket };
}

function parsed(endpoint: string): URL | null {
  const url = URL.parse(endpoint);
  return url && url.search === '' && url.hash === '' ? url : null;
}

/** Without what may be a password. */
function shown(endpoint: string): string {
  return endpoint.replace(/:\/\/[^/]*@/, (before) => before.replace(/:[^:]*@$/, ':…@')).slice(0, 200);
}

function invalid(message: string): CatalogError {
  return new CatalogError('INVALID_ARGUMENT', message);
}
