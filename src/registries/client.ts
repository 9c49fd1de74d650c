import { openHttpClient, type AddressPolicy, type HttpClient, type HttpLimits } from '../http/index.ts';
import type { RegistrySettings } from './registry.ts';

/**
 * The HTTP client of one open registry: the distribution API, its token service and an API beside it share it, so that
 * their traffic is counted together.
 */
export function openClient(settings: RegistrySettings, limits: Partial<HttpLimits> = {}): HttpClient {
  const { gate } = settings;
  return openHttpClient({ ...addressPolicyOf(settings), limits, ...(gate && { gate }) });
}

/** Where requests to a registry, and to what it points to, may go. */
export function addressPolicyOf({ url, allowedNetworks }: RegistrySettings): AddressPolicy {
  return { trustedHostname: url.hostname, allowedNetworks: allowedNetworks ?? [] };
}
