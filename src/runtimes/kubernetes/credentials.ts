import type { KubeConfig } from '@kubernetes/client-node';
import type { RequestOptions } from 'node:https';
import { isDeepStrictEqual } from 'node:util';
import { messageOf } from '../../domain/errors.ts';
import { RuntimeFault } from '../runtime.ts';

/** Where a cluster is, and who asks it. */
export interface Credentials {
  /** Without a slash at its end. */
  readonly server: string;
  /**
   * What a request is sent with: certificates, headers, a proxy. A command of the kubeconfig may be run for it. Rejects
   * with UNAUTHORIZED where they can't be had.
   */
  requestOptions(): Promise<RequestOptions>;
  /** Reads everything anew after these were refused; false where nothing is new. */
  renew(refused: RequestOptions): Promise<boolean>;
}

/** Of the pod that this process runs in, or of a context of the kubeconfig: $KUBECONFIG, else ~/.kube/config. */
export async function openCredentials(endpoint: string, connections: number): Promise<Credentials> {
  let config = await loadConfig(endpoint);
  const cluster = config.getCurrentCluster();
  if (cluster === null) {
    throw new RuntimeFault('UNREACHABLE', `${endpoint}: the kubeconfig has no cluster of the name of its context.`);
  }
  return {
    server: cluster.server.replace(/\/+$/, ''),
    requestOptions: () => optionsOf(config, endpoint, connections),
    async renew(refused) {
      const other = await loadConfig(endpoint);
      if (isDeepStrictEqual(identityIn(await optionsOf(other, endpoint, connections)), identityIn(refused))) {
        return false;
      }
      config = other;
      return true;
    },
  };
}

const IN_CLUSTER = 'in-cluster';
/** What the library calls that which it makes up where there is no kubeconfig. */
const MADE_UP = new Set(['loaded-context', 'inClusterContext']);
const MAX_SHOWN = 20;
const LONGEST_COMMAND = 30_000;

async function loadConfig(endpoint: string): Promise<KubeConfig> {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  if (endpoint === IN_CLUSTER) {
    config.loadFromCluster();
    // So it writes where the environment lacks KUBERNETES_SERVICE_HOST.
    if (config.getCurrentCluster()?.server.includes('undefined') !== false) {
      throw new RuntimeFault(
        'UNREACHABLE',
        `${endpoint}: this process runs in no pod, KUBERNETES_SERVICE_HOST is not set. Write the name of a context of the kubeconfig.`,
      );
    }
    return config;
  }
  try {
    config.loadFromDefault();
  } catch (error) {
    throw new RuntimeFault('UNREACHABLE', `${endpoint}: the kubeconfig can't be read: ${firstLineOf(error)}`);
  }
  const names = config
    .getContexts()
    .map(({ name }) => name)
    .filter((name) => !MADE_UP.has(name));
  if (!names.includes(endpoint)) throw new RuntimeFault('UNREACHABLE', noContext(endpoint, names));
  config.setCurrentContext(endpoint);
  return config;
}

function noContext(endpoint: string, names: readonly string[]): string {
  if (names.length === 0) {
    return `${endpoint}: there is no kubeconfig with contexts; set KUBECONFIG, or write in-cluster.`;
  }
  const shown = names.slice(0, MAX_SHOWN).map((name) => name.slice(0, 100));
  const more = names.length > MAX_SHOWN ? ` and ${names.length - MAX_SHOWN} more` : '';
  return `${endpoint}: the kubeconfig has no context of this name; it has ${shown.join(', ')}${more}.`;
}

async function optionsOf(config: KubeConfig, endpoint: string, connections: number): Promise<RequestOptions> {
  const options: RequestOptions = {};
  try {
    await withinTime(config.applyToHTTPSOptions(options));
  } catch (error) {
    throw new RuntimeFault('UNAUTHORIZED', `${endpoint}: the credentials can't be had: ${firstLineOf(error)}`);
  }
  const { authorization, ...headers } = Object.fromEntries(
    Object.entries(options.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
  );
  // A file with a token may end with a line break.
  options.headers = { ...headers, ...(authorization !== undefined && { authorization: String(authorization).trim() }) };
  // It is the same one for all requests; those beyond its number wait, and take over its connections.
  if (typeof options.agent === 'object') options.agent.maxSockets = connections;
  return options;
}

function identityIn({ headers, auth, cert, key }: RequestOptions): unknown {
  return { headers, auth, cert, key };
}

/** A command that is asked for credentials may hang. */
async function withinTime(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`they took longer than ${LONGEST_COMMAND} ms`)), LONGEST_COMMAND);
  });
  try {
    await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/** The lines behind it show what the file says, secrets among it. */
function firstLineOf(error: unknown): string {
  return (messageOf(error).split('\n')[0] ?? '').slice(0, 300);
}
