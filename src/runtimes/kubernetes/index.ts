import { CatalogError } from '../../domain/errors.ts';
import type { RuntimeKind, RuntimeSettings } from '../runtime.ts';
import { KubernetesApi } from './api.ts';
import { Cluster } from './cluster.ts';
import { openCredentials } from './credentials.ts';
import { DEFAULT_LIMITS, type KubernetesLimits } from './limits.ts';

/** The pods of a cluster, or of some of its namespaces. https://kubernetes.io/docs/reference/kubernetes-api/ */
export const kubernetes: RuntimeKind = {
  kind: 'KUBERNETES',
  check: checkSettings,
  open: async (settings) => openKubernetes(settings),
};

/** Looks for the context, or the pod around this process, when something is asked: until then it may come. */
export function openKubernetes(
  { endpoint, namespaces }: RuntimeSettings,
  limits: Partial<KubernetesLimits> = {},
): Cluster {
  const all = { ...DEFAULT_LIMITS, ...limits };
  const chosen = [...new Set(namespaces)];
  const credentials = () => openCredentials(endpoint, all.connections + chosen.length);
  return new Cluster(new KubernetesApi(endpoint, credentials, all), chosen);
}

const MAX_CONTEXT_NAME = 500;
const MAX_NAMESPACES = 50;
/** https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-label-names */
const NAMESPACE = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

function checkSettings({ endpoint, tls, insecure, namespaces }: RuntimeSettings): void {
  const isOdd = endpoint.trim() !== endpoint || /\p{Cc}|:\/\//u.test(endpoint) || endpoint.length > MAX_CONTEXT_NAME;
  if (endpoint === '' || isOdd) {
    throw refusal(
      `"${endpoint.slice(0, 200)}" is no endpoint of a cluster: write in-cluster, or the name of a context as kubectl config get-contexts shows it.`,
    );
  }
  if (tls !== null || insecure) {
    throw refusal(
      `The context "${endpoint}" says itself how its cluster is reached: leave tls and insecure out, they are for tcp://.`,
    );
  }
  if (namespaces.length > MAX_NAMESPACES) {
    throw refusal(
      `${namespaces.length} namespaces are more than ${MAX_NAMESPACES}: leave them out to read the whole cluster.`,
    );
  }
  const wrong = namespaces.find((namespace) => !NAMESPACE.test(namespace));
  if (wrong !== undefined) {
    throw refusal(
      `"${wrong.slice(0, 200)}" is no namespace: write up to 63 lower-case letters, digits and dashes, such as kube-system.`,
    );
  }
}

function refusal(message: string): CatalogError {
  return new CatalogError('INVALID_ARGUMENT', message);
}
