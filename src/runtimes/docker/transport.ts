import { readFile } from 'node:fs/promises';
import { Agent, type ClientRequest, type IncomingMessage } from 'node:http';
import { Agent as TlsAgent } from 'node:https';
import { inspect } from 'node:util';
import type Modem from 'docker-modem';
import { messageOf } from '../../domain/errors.ts';
import { RuntimeFault, type RuntimeSettings, type TlsFiles } from '../runtime.ts';
import type { Endpoint, TcpEndpoint } from './endpoint.ts';
import { openSshAgent } from './ssh.ts';

/** A way to an engine: what asks it, and what has the connections. */
export interface Transport {
  readonly modem: Modem;
  readonly agent: Agent;
}

/** Rejects with UNREACHABLE where there are no certificates, and nobody said that there need be none. */
export async function openTransport(endpoint: Endpoint, settings: RuntimeSettings): Promise<Transport> {
  const { default: Docker } = await import('dockerode');
  const { agent, ...address } = await addressOf(endpoint, settings);
  const options = { ...NOTHING, ...address, agent: tamed(agent) };
  return { modem: new Docker(options).modem, agent };
}

/** The files that an engine's tools look for in the folder that DOCKER_CERT_PATH names. */
export function tlsFilesIn(folder: string): TlsFiles {
  return { ca: `${folder}/ca.pem`, cert: `${folder}/cert.pem`, key: `${folder}/key.pem` };
}

interface Address {
  readonly agent: Agent;
  readonly protocol: 'http' | 'https';
  readonly socketPath?: string;
  readonly host?: string;
  readonly port?: number;
}

/** What is left out dockerode takes from the environment. */
const NOTHING = {
  socketPath: undefined,
  host: undefined,
  port: undefined,
  ca: undefined,
  cert: undefined,
  key: undefined,
};

/** A peer that is gone is noticed within a minute: the kernel asks it after this much silence. */
const KEPT_ALIVE = { keepAlive: true, keepAliveMsecs: 30_000 };

async function addressOf(endpoint: Endpoint, settings: RuntimeSettings): Promise<Address> {
  if (endpoint.kind === 'unix') {
    return { agent: new Agent(KEPT_ALIVE), protocol: 'http', socketPath: endpoint.path };
  }
  if (endpoint.kind === 'ssh') return { agent: openSshAgent(endpoint), protocol: 'http', host: 'http://docker' };
  const { host, port, isPlain } = endpoint;
  if (isPlain) return { agent: new Agent(KEPT_ALIVE), protocol: 'http', host: `http://${host}`, port };
  const agent = new TlsAgent({ ...KEPT_ALIVE, ...(await certificates(endpoint, settings)) });
  return { agent, protocol: 'https', host: `https://${host}`, port };
}

async function certificates(
  { host, port }: TcpEndpoint,
  { tls }: RuntimeSettings,
): Promise<{ ca: Buffer; cert: Buffer; key: Buffer }> {
  const endpoint = `tcp://${host}:${port}`;
  if (tls === null) {
    throw new RuntimeFault(
      'UNREACHABLE',
      `${endpoint} is only spoken to with TLS: name the files ca, cert and key, set DOCKER_CERT_PATH, or say that it is insecure.`,
    );
  }
  const read = async (path: string) => {
    try {
      return await readFile(path);
    } catch (error) {
      throw new RuntimeFault('UNREACHABLE', `The certificates of ${endpoint} can't be read: ${messageOf(error)}`, {
        cause: error,
      });
    }
  };
  const [ca, cert, key] = await Promise.all([read(tls.ca), read(tls.cert), read(tls.key)]);
  return { ca, cert, key };
}

/**
 * An engine redirects nobody. dockerode would follow it wherever it points, and fall over an address that is none, so it
 * never gets to see where. It also writes out each request for its log, read or not: the agent with all its connections
 * would be the most of that, and take longer than the request.
 */
function tamed<T extends Agent>(agent: T): T {
  const dispatcher = agent as unknown as { addRequest(request: ClientRequest, ...rest: unknown[]): void };
  const addRequest = dispatcher.addRequest.bind(agent);
  dispatcher.addRequest = (request, ...rest) => {
    request.prependOnceListener('response', ({ headers }: IncomingMessage) => delete headers.location);
    addRequest(request, ...rest);
  };
  return Object.assign(agent, { [inspect.custom]: () => 'Agent' });
}
