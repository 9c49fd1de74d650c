import type { RegistryKinds } from '../commands/index.ts';
import type { Config } from '../config/index.ts';
import { parseRegistryHost } from '../domain/reference.ts';
import { checkCredential, defaultRegistryUrl, openRegistry, recogniseKind } from '../registries/index.ts';

/** The kinds there are, as this process opens them: every registry that it speaks to is opened here. */
export function registryKindsOf({ allowedNetworks }: Config): RegistryKinds {
  return {
    defaultUrl: (host, insecure) => defaultRegistryUrl(parseRegistryHost(host), insecure ?? undefined),
    recogniseKind: (url) => recogniseKind(url) ?? 'OCI',
    checkCredential,
    open: (kind, settings) => openRegistry(kind, { ...settings, allowedNetworks }),
  };
}
