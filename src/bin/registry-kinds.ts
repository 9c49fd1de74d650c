import type { RegistryKinds } from '../commands/index.ts';
import { parseRegistryHost } from '../domain/reference.ts';
import { defaultRegistryUrl, recogniseKind } from '../registries/index.ts';

/** What the commands need to know of the kinds there are. */
export const registryKinds: RegistryKinds = {
  defaultUrl: (host, insecure) => defaultRegistryUrl(parseRegistryHost(host), insecure ?? undefined),
  recogniseKind: (url) => recogniseKind(url) ?? 'OCI',
};
