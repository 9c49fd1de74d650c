import { lookup, type LookupAddress, type LookupOptions } from 'node:dns';
import { BlockList, isIP, isIPv6 } from 'node:net';
import { buildConnector } from 'undici';
import { RegistryError } from '../domain/errors.ts';

/** Whom a client may connect to. */
export interface AddressPolicy {
  /** The host that an administrator named: it may have any address. All others need a public one. */
  readonly trustedHostname: string;
  /** Networks that the operator allows besides, such as 10.0.0.0/8. */
  readonly allowedNetworks: readonly string[];
}

/**
 * Opens connections under the policy. The name is resolved here and the checked address is the one that is connected
 * to, so an answer that changes between check and use finds no gap. Runs once per connection, not per request.
 */
export function checkedConnector(policy: AddressPolicy, timeout: number): buildConnector.connector {
  const allowed = networksOf(policy.allowedNetworks);
  const trusted = bareHostname(policy.trustedHostname);
  const anyAddress = buildConnector({ timeout });
  const checkedAddress = buildConnector({ timeout, lookup: checkedLookup(policy.allowedNetworks) });

  return (options, callback) => {
    const hostname = bareHostname(options.hostname);
    if (hostname === trusted) return anyAddress(options, callback);
    // A literal address is connected to without a lookup.
    if (isIP(hostname) !== 0 && !isAllowed(hostname, allowed)) return callback(refusal(hostname, hostname), null);
    return checkedAddress(options, callback);
  };
}

/** As node:dns has it, asked for all addresses. */
export type Resolve = (
  hostname: string,
  options: LookupOptions & { all: true },
  done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

type LookupCallback = (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => void;

/** The lookup of a socket: hands it the addresses of a name where every one of them is allowed, and those alone. */
export function checkedLookup(allowedNetworks: readonly string[], resolve: Resolve = lookup) {
  const allowed = networksOf(allowedNetworks);
  return (hostname: string, options: LookupOptions, callback: LookupCallback): void => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, []);
      const refused = addresses.find(({ address }) => !isAllowed(address, allowed));
      if (refused) return callback(refusal(hostname, refused.address), []);
      const [first] = addresses;
      if (options.all || !first) return callback(null, addresses);
      return callback(null, first.address, first.family);
    });
  };
}

/** False for loopback, private, link-local, multicast and reserved addresses, also when they are written as IPv6. */
export function isPublicAddress(address: string): boolean {
  return isIP(address) !== 0 && !NOT_PUBLIC.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

/** An IPv6 address without its brackets. */
export function bareHostname(hostname: string): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
}

/**
 * https://www.iana.org/assignments/iana-ipv4-special-registry and its IPv6 sibling. Mapped IPv6 addresses are checked
 * as the IPv4 ones that they hold by BlockList itself; translated ones are refused whole.
 */
const NOT_PUBLIC = networksOf([
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/96',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  '2002::/16',
  '2001::/32',
  'fc00::/7',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
]);

function networksOf(texts: readonly string[]): BlockList {
  const list = new BlockList();
  for (const text of texts) {
    const [address = '', prefix] = text.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    list.addSubnet(address, prefix === undefined ? (family === 'ipv6' ? 128 : 32) : Number(prefix), family);
  }
  return list;
}

function isAllowed(address: string, allowed: BlockList): boolean {
  return isPublicAddress(address) || allowed.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

function refusal(hostname: string, address: string): RegistryError {
  const where = hostname === address ? address : `${hostname} (${address})`;
  return new RegistryError(
    'REFUSED_ADDRESS',
    `${where} is not a public address, and not the registry's own host: what a registry points to must be public, or in a network that the operator allows`,
  );
}
