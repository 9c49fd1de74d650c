import type { RegistryKinds } from '../commands/index.ts';
import { parseRegistryHost } from '../domain/reference.ts';
import { defaultRegistryUrl, openRegistry, recogniseKind } from '../registries/index.ts';

/** What the commands need of the kinds there are. */
export const registryKinds: RegistryKinds = {
  defaultUrl: (host, insecure) => defaultRegistryUrl(parseRegistryHost(host), insecure ?? undefined),
  recogniseKind: (url) => recogniseKind(url) ?? 'OCI',
  open: openRegistry,
};
