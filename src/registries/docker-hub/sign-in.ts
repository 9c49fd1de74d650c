import type { HttpClient } from '../../http/index.ts';
import { RegistryApi, type SignIn } from '../api.ts';
import { KeptToken, tokenTextOf } from '../kept-token.ts';
import type { Credential } from '../registry.ts';

/**
 * The token of the Hub API, which is none of the registry's, for the same user name and password or access token. Null
 * where there is none: what is public can be read without.
 * https://docs.docker.com/reference/api/hub/latest/#tag/authentication-api
 */
export function signInToHub(http: HttpClient, url: URL, credential: Credential | null): SignIn | null {
  if (credential?.kind !== 'basic') return null;
  const api = new RegistryApi(http, { url, signIn: null });
  const account = { identifier: credential.username, secret: credential.password };
  return new KeptToken(async (signal) => {
    const answer = await api.post('/v2/auth/token', account, signal);
    const value = tokenTextOf(answer['access_token'], `the token of ${url.host}`);
    return { value, expiresAt: Date.now() + LIFETIME };
  });
}

/** A minute less than it lasts. */
const LIFETIME = 9 * 60_000;
