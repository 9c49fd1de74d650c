import { hostname } from 'node:os';
import type { Logger } from 'pino';
import { runAgent } from '../agent/index.ts';
import type { Config } from '../config/index.ts';
import { RUNTIME_KINDS, type RuntimeKindName } from '../domain/container.ts';
import { CatalogError } from '../domain/errors.ts';
import { parseRuntimeName } from '../domain/runtime-name.ts';
import { labelsBut } from '../domain/sound-container.ts';
import { shownAddress } from '../domain/web-address.ts';
import { openRuntimeOf } from './open-runtime.ts';
import { runUntilSignal } from './process.ts';

export interface AgentOptions {
  readonly name?: string;
  readonly kind: string;
  readonly endpoint?: string;
  readonly namespace: readonly string[];
  readonly denyLabel: readonly string[];
  readonly insecure: boolean;
}

/** Reports what runs here to a Stowage elsewhere, until a signal ends it. */
export async function agent(address: string, options: AgentOptions, config: Config, log: Logger): Promise<void> {
  const server = parseServer(address);
  const kind = parseKind(options.kind);
  const { agentToken: token } = config;
  if (token === null) {
    const message = 'STOWAGE_AGENT_TOKEN is not set: set it to the one that the server was started with.';
    throw new CatalogError('INVALID_CONFIGURATION', message);
  }
  const name = parseRuntimeName(options.name ?? hostname());
  const keepsLabel = labelsBut([...(config.declarations?.deniedLabels ?? []), ...options.denyLabel]);
  const runtime = await openRuntimeOf(config)(kind, {
    endpoint: options.endpoint ?? defaultEndpoint(kind),
    tls: null,
    insecure: options.insecure,
    namespaces: options.namespace,
  });
  await runUntilSignal(config, log, (onClose) => {
    const ending = new AbortController();
    const { signal } = ending;
    const ended = runAgent({ server, token, name, kind, runtime, keepsLabel, log, signal });
    onClose(() => runtime.close());
    onClose(async () => {
      ending.abort(new Error('the agent stops'));
      await ended;
    });
    log.info(`Reporting the containers of ${name} to ${server.origin}.`);
    return Promise.resolve();
  });
}

function parseServer(text: string): URL {
  const url = URL.parse(text);
  if (url !== null && /^https?:$/.test(url.protocol) && !url.username && !url.password) return url;
  const message = `"${shownAddress(text)}" is not the address of a Stowage: write https://host, without a user.`;
  throw new CatalogError('INVALID_ARGUMENT', message);
}

function parseKind(text: string): RuntimeKindName {
  const kind = RUNTIME_KINDS.find((known) => known.toLowerCase() === text);
  if (kind !== undefined) return kind;
  const kinds = RUNTIME_KINDS.map((known) => known.toLowerCase()).join(', ');
  throw new CatalogError('INVALID_ARGUMENT', `"${text.slice(0, 200)}" is no kind of runtime: write one of ${kinds}.`);
}

/** Where it usually is on the machine, or in the cluster, that the agent runs on. */
function defaultEndpoint(kind: RuntimeKindName): string {
  if (kind === 'KUBERNETES') return 'in-cluster';
  return process.env['DOCKER_HOST'] ?? DEFAULT_SOCKETS[kind];
}

const DEFAULT_SOCKETS = { DOCKER: 'unix:///var/run/docker.sock', PODMAN: 'unix:///run/podman/podman.sock' };
