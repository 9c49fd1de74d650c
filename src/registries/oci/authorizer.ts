import { LRUCache } from 'lru-cache';
import { RegistryError } from '../../domain/errors.ts';
import {
  parseChallenges,
  type AddressPolicy,
  type Challenge,
  type Headers,
  type HttpClient,
} from '../../http/index.ts';
import { basicAuthorization } from '../authorization.ts';
import { addressPolicyOf } from '../client.ts';
import { KeptToken } from '../kept-token.ts';
import type { RegistrySettings } from '../registry.ts';
import { fetchToken } from './token.ts';

/** What to send as Authorization, learned from the challenges of one registry. */
export class Authorizer {
  readonly #settings: RegistrySettings;
  readonly #policy: AddressPolicy;
  readonly #http: HttpClient;
  /** By scope. */
  readonly #tokens = new LRUCache<string, KeptToken>({ max: 1000 });
  /** Once the registry has asked for it. */
  #isBasic = false;

  constructor(settings: RegistrySettings, http: HttpClient) {
    this.#settings = settings;
    this.#policy = addressPolicyOf(settings);
    this.#http = http;
  }

  /** For a request in this scope: null is anonymous. A token that has run out is renewed before it is refused. */
  current(scope: string, signal: AbortSignal): string | null | Promise<string> {
    const { credential } = this.#settings;
    if (credential?.kind === 'bearer') return `Bearer ${credential.token}`;
    if (this.#isBasic && credential?.kind === 'basic') return basicAuthorization(credential);
    return this.#tokens.get(scope)?.authorization(signal) ?? null;
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

  #bearer(challenge: Challenge, scope: string, used: string | null, signal: AbortSignal): string | Promise<string> {
    const known = this.#tokens.get(scope);
    // Another request has been given a new token meanwhile, or is waiting for it.
    if (known?.isNewerThan(used)) return known.authorization(signal, used);
    const { url, credential } = this.#settings;
    const scopes = challenge.scope.length > 0 ? challenge.scope : [scope];
    const request = { realm: challenge.realm ?? '', service: challenge.service, scopes };
    const registry = { url, policy: this.#policy, credential };
    const token = new KeptToken((asking) => fetchToken(request, registry, this.#http, asking));
    this.#tokens.set(scope, token);
    return token.authorization(signal);
  }

  #adviceFor(challenges: readonly Challenge[]): string {
    const { host, credential } = this.#settings;
    const offered = challenges.map((challenge) => challenge.scheme).join(', ') || 'no way to sign in';
    const have = credential === null ? 'no credential is set' : 'the credential was refused';
    return `${host} asks to sign in (it offers ${offered}); ${have}`;
  }
}
