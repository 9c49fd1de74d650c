import { RegistryError } from '../../domain/errors.ts';
import { parseTimestamp } from '../../domain/timestamp.ts';
import { textOf, type JsonObject } from '../../domain/json.ts';
import { refuseTarget, type AddressPolicy, type HttpAnswer, type HttpClient } from '../../http/index.ts';
import { errorOf, jsonOf } from '../answer.ts';
import { basicAuthorization } from '../authorization.ts';
import { tokenTextOf, type Token } from '../kept-token.ts';
import type { ReadyCredential } from '../registry.ts';

export interface TokenRequest {
  /** As the challenge has it; resolved against the registry's address. */
  readonly realm: string;
  readonly service: string | null;
  readonly scopes: readonly string[];
}

/** Asks a token service. Without credentials, or where the service may not have them, it is asked anonymously. */
export async function fetchToken(
  request: TokenRequest,
  registry: { readonly url: URL; readonly policy: AddressPolicy; readonly credential: ReadyCredential | null },
  http: HttpClient,
  signal: AbortSignal,
): Promise<Token> {
  if (!URL.canParse(request.realm, registry.url.href)) {
    throw new RegistryError('UNAUTHORIZED', `the token service "${request.realm.slice(0, 200)}" is no address`);
  }
  const realm = new URL(request.realm, registry.url);
  refuseTarget(realm, registry.url, registry.policy, 'the registry has its token service at');
  const mayHaveCredential = isTrustedRealm(registry.url, realm);
  const credential = mayHaveCredential ? registry.credential : null;

  const answer =
    credential?.kind === 'identity'
      ? await exchangeIdentity(realm, request, credential.token, http, signal)
      : await askByQuery(realm, { ...request, isPointedTo: !mayHaveCredential }, credential, http, signal);
  const what = `the token of ${realm.origin}${realm.pathname}`;
  if (answer.status !== 200) throw refusal(answer, what, registry.credential !== null && !mayHaveCredential);
  return readToken(jsonOf(answer, what), Date.now(), what);
}

/**
 * Credentials go to the registry's own host, or to the few that are known to sign in for another. Any other realm
 * would be a way to steal them.
 */
export function isTrustedRealm(registry: URL, realm: URL): boolean {
  if (realm.hostname === registry.hostname) return realm.protocol === 'https:' || registry.protocol === 'http:';
  if (realm.protocol !== 'https:') return false;
  if (registry.hostname === 'registry-1.docker.io') return realm.hostname === 'auth.docker.io';
  if (registry.hostname === 'registry.redhat.io') return realm.hostname === 'sso.redhat.com';
  // Another name for LinuxServer's part of GitHub's registry.
  if (registry.hostname === 'lscr.io') return realm.hostname === 'ghcr.io';
  if (registry.hostname.startsWith('registry.') && realm.pathname === '/jwt/auth') {
    // GitLab: registry.example.com signs in at example.com or gitlab.example.com.
    const parent = registry.hostname.slice('registry.'.length);
    return parent.includes('.') && (realm.hostname === parent || realm.hostname === `gitlab.${parent}`);
  }
  return false;
}

/**
 * https://github.com/distribution/distribution/blob/main/docs/content/spec/auth/token.md. Lifetimes below a minute
 * count as one, and a time of issue that can't be right is the time of receipt.
 */
export function readToken(document: JsonObject, now: number, what: string): Token {
  const value = tokenTextOf(textOf(document['access_token']) ?? document['token'], what);
  const said = Number(document['expires_in'] ?? MIN_LIFETIME);
  const lifetime = Math.min(Math.max(Number.isFinite(said) ? said : 0, MIN_LIFETIME), MAX_LIFETIME) * 1000;
  const issuedAt = parseTimestamp(document['issued_at'])?.getTime() ?? now;
  const isPlausible = issuedAt <= now && issuedAt + lifetime - SAFETY > now;
  return { value, expiresAt: (isPlausible ? issuedAt : now) + lifetime - SAFETY };
}

const MAX_TOKEN_BYTES = 1024 * 1024;
const MIN_LIFETIME = 60;
const MAX_LIFETIME = 12 * 3600;
const SAFETY = 10_000;

function askByQuery(
  realm: URL,
  { service, scopes, isPointedTo }: TokenRequest & { readonly isPointedTo: boolean },
  credential: ReadyCredential | null,
  http: HttpClient,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const query = new URLSearchParams(realm.search);
  if (service !== null) query.set('service', service);
  for (const scope of scopes) query.append('scope', scope);
  if (credential?.kind === 'basic') query.set('account', credential.username);
  const text = query.toString();
  return http.send(
    {
      method: 'GET',
      origin: realm.origin,
      path: text === '' ? realm.pathname : `${realm.pathname}?${text}`,
      headers: ['accept', 'application/json'],
      authorization: credential?.kind === 'basic' ? basicAuthorization(credential) : null,
      isPointedTo,
      maxBytes: MAX_TOKEN_BYTES,
    },
    signal,
  );
}

/** https://github.com/distribution/distribution/blob/main/docs/content/spec/auth/oauth.md */
function exchangeIdentity(
  realm: URL,
  { service, scopes }: TokenRequest,
  identity: string,
  http: HttpClient,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const form = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: identity, client_id: 'stowage' });
  if (service !== null) form.set('service', service);
  if (scopes.length > 0) form.set('scope', scopes.join(' '));
  return http.send(
    {
      method: 'POST',
      isQuestion: true,
      origin: realm.origin,
      path: realm.pathname + realm.search,
      headers: ['accept', 'application/json', 'content-type', 'application/x-www-form-urlencoded'],
      authorization: null,
      body: form.toString(),
      maxBytes: MAX_TOKEN_BYTES,
    },
    signal,
  );
}

function refusal(answer: HttpAnswer, what: string, wasWithheld: boolean): RegistryError {
  const error = errorOf(answer, what);
  if (error.isTransient) return error;
  const note = wasWithheld ? '; it is on another host than the registry, so the credential was not sent to it' : '';
  return new RegistryError('UNAUTHORIZED', error.message + note, { status: answer.status });
}
