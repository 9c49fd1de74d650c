import { RegistryError } from '../domain/errors.ts';
import { bareHostname, type AddressPolicy } from './address.ts';
import type { HttpRequest } from './client.ts';
import type { Headers } from './exchange.ts';

/**
 * The next request of a redirected GET or HEAD. Once it has left its origin it goes without the authorization, and
 * does not get it back: object stores refuse it, and strangers must not see it.
 */
export function followRedirect(
  request: HttpRequest,
  headers: Headers,
  policy: AddressPolicy,
  what: string,
): HttpRequest {
  const location = String(headers['location']);
  const current = new URL(request.path, request.origin);
  if (!URL.canParse(location, current.href)) {
    throw new RegistryError('MALFORMED', `${what} was redirected to something that is no address`);
  }
  const target = new URL(location, current.href);
  refuseTarget(target, current, policy, `${what} was redirected to`);
  return {
    ...request,
    origin: target.origin,
    path: target.pathname + target.search,
    authorization: target.origin === request.origin ? request.authorization : null,
    ...(target.origin !== request.origin && { isPointedTo: true }),
  };
}

/**
 * Refuses an address that a server named, before anything is sent: only https (http when the asking side was http
 * already), no user in it, no well-known port of another service. The address behind the name is checked on connecting.
 */
export function refuseTarget(target: URL, from: URL, policy: AddressPolicy, what: string): void {
  const isAllowedScheme = target.protocol === 'https:' || (target.protocol === 'http:' && from.protocol === 'http:');
  if (!isAllowedScheme) {
    const scheme = target.protocol === 'http:' ? 'plain HTTP, after HTTPS' : `a ${target.protocol} address`;
    throw new RegistryError('REFUSED_ADDRESS', `${what} ${scheme}`);
  }
  if (target.username !== '' || target.password !== '') {
    throw new RegistryError('REFUSED_ADDRESS', `${what} an address with a user name in it`);
  }
  const isOwnPort = bareHostname(target.hostname) === bareHostname(policy.trustedHostname) && target.port === from.port;
  if (target.port !== '' && Number(target.port) <= 1023 && target.port !== '443' && !isOwnPort) {
    throw new RegistryError('REFUSED_ADDRESS', `${what} port ${target.port} of ${target.hostname}`);
  }
}
