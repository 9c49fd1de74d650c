import { openHttpClient, type AddressPolicy, type HttpClient, type HttpLimits } from '../http/index.ts';
import type { RateLimit, RegistrySettings, Traffic } from './registry.ts';

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

/** What a client has sent and received, as it stands whenever it is looked at. */
export function trafficOf(http: HttpClient, rateLimit: () => RateLimit | null): Traffic {
  return {
    get requests() {
      return http.traffic.requests;
    },
    get bytes() {
      return http.traffic.bytes;
    },
    get rateLimit() {
      return rateLimit();
    },
  };
}
