import { LRUCache } from 'lru-cache';
import { RegistryError } from '../../domain/errors.ts';
import {
  parseChallenges,
  type AddressPolicy,
  type Challenge,
  type Headers,
  type HttpClient,
} from '../../http/index.ts';
import type { RegistrySettings } from '../registry.ts';
import { basicAuthorization, fetchToken, type Token, type TokenRequest } from './token.ts';

/** What to send as Authorization, learned from the challenges of one registry. */
export class Authorizer {
  readonly #settings: RegistrySettings;
  readonly #policy: AddressPolicy;
  readonly #http: HttpClient;
  readonly #grants = new LRUCache<string, Grant>({ max: 1000 });
  /** Once the registry has asked for it. */
  #isBasic = false;

  constructor(settings: RegistrySettings, policy: AddressPolicy, http: HttpClient) {
    this.#settings = settings;
    this.#policy = policy;
    this.#http = http;
  }

  /** For a request in this scope: null is anonymous. A token that has run out is renewed before it is refused. */
  current(scope: string, signal: AbortSignal): string | null | Promise<string> {
    const { credential } = this.#settings;
    if (credential?.kind === 'bearer') return `Bearer ${credential.token}`;
    if (this.#isBasic && credential?.kind === 'basic') return basicAuthorization(credential);
    const grant = this.#grants.get(scope);
    if (grant === undefined) return null;
    if (grant.token !== null && grant.token.expiresAt > Date.now()) return grant.authorization;
    return this.#renew(grant, signal);
  }

  /**
   * After a 401 to a request that was sent with `used`: what to try next. Rejects with UNAUTHORIZED where there is
   * nothing that has not been tried.
   */
  async answerTo(headers: Headers, scope: string, used: string | null, signal: AbortSignal): Promise<string> {
    const { credential } = this.#settings;
    const challenges = parseChallenges(headers['www-authenticate']);
    const bearer = challenges.find((challenge) => challenge.scheme === 'bearer' && challenge.realm !== null);
    if (bearer && credential?.kind !== 'bearer') return this.#bearer(bearer, scope, used, signal);

    const asksBasic = challenges.some((challenge) => challenge.scheme === 'basic');
    if (asksBasic && credential?.kind === 'basic' && used === null) {
      this.#isBasic = true;
      return basicAuthorization(credential);
    }
    throw new RegistryError('UNAUTHORIZED', this.#adviceFor(challenges), { status: 401 });
  }

  #bearer(challenge: Challenge, scope: string, used: string | null, signal: AbortSignal): Promise<string> {
    const known = this.#grants.get(scope);
    // Another request has been given a new token meanwhile, or is waiting for it.
    if (known && (known.pending !== null || (known.token !== null && known.authorization !== used))) {
      return known.pending === null ? Promise.resolve(known.authorization) : this.#renew(known, signal);
    }
    const scopes = challenge.scope.length > 0 ? challenge.scope : [scope];
    const request = { realm: challenge.realm ?? '', service: challenge.service, scopes };
    const grant: Grant = { request, token: null, authorization: '', pending: null };
    this.#grants.set(scope, grant);
    return this.#renew(grant, signal);
  }

  /** Single flight: all that wait for a scope share one request to the token service. */
  #renew(grant: Grant, signal: AbortSignal): Promise<string> {
    grant.pending ??= fetchToken(
      grant.request,
      { url: this.#settings.url, policy: this.#policy, credential: this.#settings.credential },
      this.#http,
      signal,
    )
      .then((token) => {
        grant.token = token;
        grant.authorization = `Bearer ${token.value}`;
        return grant.authorization;
      })
      .finally(() => (grant.pending = null));
    return grant.pending;
  }

  #adviceFor(challenges: readonly Challenge[]): string {
    const { host, credential } = this.#settings;
    const offered = challenges.map((challenge) => challenge.scheme).join(', ') || 'no way to sign in';
    const have = credential === null ? 'no credential is set' : 'the credential was refused';
    return `${host} asks to sign in (it offers ${offered}); ${have}`;
  }
}

/** The right to one scope, once granted and renewed as needed. */
interface Grant {
  readonly request: TokenRequest;
  token: Token | null;
  authorization: string;
  pending: Promise<string> | null;
}
