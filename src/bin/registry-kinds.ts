import type { Logger } from 'pino';
import type { RegistryKinds } from '../commands/index.ts';
import type { Config } from '../config/index.ts';
import { parseRegistryHost } from '../domain/reference.ts';
import type { RegistryKindName } from '../domain/registry-kind.ts';
import { checkCredential, defaultRegistryUrl, detectKind, openRegistry } from '../registries/index.ts';

/** The kinds there are, as this process opens them: every registry that it speaks to is opened here. */
export function registryKindsOf(config: Config, log: Logger): RegistryKinds {
  return {
    defaultUrl: (host, insecure) => defaultRegistryUrl(parseRegistryHost(host), insecure ?? undefined),
    detectKind: (url) => kindOf(url, 'OCI', config, log),
    checkCredential,
    open: (kind, settings) => openRegistry(kind, { ...settings, allowedNetworks: config.allowedNetworks }),
  };
}

/** The kind of what is at an address. Where that can't be found out it is `otherwise`, and the log says so. */
export async function kindOf(
  url: URL,
  otherwise: RegistryKindName,
  { allowedNetworks }: Config,
  log: Logger,
): Promise<RegistryKindName> {
  const { kind, fault } = await detectKind(url, allowedNetworks, new AbortController().signal);
  if (fault === null) return kind;
  log.warn(
    `What kind of registry is at ${url.href} could not be found out, so it is taken for ${otherwise}: ${fault.message}`,
  );
  return otherwise;
}
