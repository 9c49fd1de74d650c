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
import { KeptToken, type Token } from '../kept-token.ts';
import type { ReadyCredential, RegistrySettings } from '../registry.ts';
import type { CredentialSource } from './credential-source.ts';
import { fetchToken, type TokenRequest } from './token.ts';

/** What to send as Authorization, learned from the challenges of one registry. */
export class Authorizer {
  readonly #settings: RegistrySettings;
  readonly #credentials: CredentialSource;
  readonly #policy: AddressPolicy;
  readonly #http: HttpClient;
  /** By scope. */
  readonly #tokens = new LRUCache<string, KeptToken>({ max: 1000 });
  /** Once the registry has asked for it. */
  #isBasic = false;

  constructor(settings: RegistrySettings, http: HttpClient, credentials: CredentialSource) {
    this.#settings = settings;
    this.#credentials = credentials;
    this.#policy = addressPolicyOf(settings);
    this.#http = http;
  }

  /** For a request in this scope: null is anonymous. A token that has run out is renewed before it is refused. */
  current(scope: string, signal: AbortSignal): string | null | Promise<string | null> {
    const { credential } = this.#settings;
    if (credential?.kind === 'bearer') return `Bearer ${credential.token}`;
    if (this.#isBasic) return this.#basic(signal);
    return this.#tokens.get(scope)?.authorization(signal) ?? null;
  }

  /**
   * After a 401 to a request that was sent with `used`: what to try next. Rejects with UNAUTHORIZED where there is
   * nothing that has not been tried.
   */
  async answerTo(headers: Headers, scope: string, used: string | null, signal: AbortSignal): Promise<string> {
    const challenges = parseChallenges(headers['www-authenticate']);
    const bearer = challenges.find((challenge) => challenge.scheme === 'bearer' && challenge.realm !== null);
    if (bearer && this.#settings.credential?.kind !== 'bearer') return this.#bearer(bearer, scope, used, signal);

    if (challenges.some((challenge) => challenge.scheme === 'basic')) {
      const next = await this.#basic(signal, used);
      if (next !== null && next !== used) {
        this.#isBasic = true;
        return next;
      }
    }
    throw new RegistryError('UNAUTHORIZED', this.#adviceFor(challenges), { status: 401 });
  }

  /** Null where there is no user name and password. For one that was `refused` the source is asked again. */
  async #basic(signal: AbortSignal, refused: string | null = null): Promise<string | null> {
    const known = await this.#credentials.current(signal);
    if (known?.kind !== 'basic') return null;
    const authorization = basicAuthorization(known);
    if (authorization !== refused) return authorization;
    const other = await this.#credentials.current(signal, known);
    return other?.kind === 'basic' ? basicAuthorization(other) : null;
  }

  #bearer(challenge: Challenge, scope: string, used: string | null, signal: AbortSignal): string | Promise<string> {
    const known = this.#tokens.get(scope);
    // Another request has been given a new token meanwhile, or is waiting for it.
    if (known?.isNewerThan(used)) return known.authorization(signal, used);
    const scopes = challenge.scope.length > 0 ? challenge.scope : [scope];
    const request = { realm: challenge.realm ?? '', service: challenge.service, scopes };
    const token = new KeptToken((asking) => this.#fetchToken(request, asking));
    this.#tokens.set(scope, token);
    return token.authorization(signal);
  }

  async #fetchToken(request: TokenRequest, signal: AbortSignal): Promise<Token> {
    const ask = (credential: ReadyCredential | null) =>
      fetchToken(request, { url: this.#settings.url, policy: this.#policy, credential }, this.#http, signal);
    const credential = await this.#credentials.current(signal);
    try {
      return await ask(credential);
    } catch (error) {
      if (credential === null || !(error instanceof RegistryError) || error.code !== 'UNAUTHORIZED') throw error;
      const other = await this.#credentials.current(signal, credential);
      if (other === credential) throw error;
      return ask(other);
    }
  }

  #adviceFor(challenges: readonly Challenge[]): string {
    const { host, credential } = this.#settings;
    const offered = challenges.map((challenge) => challenge.scheme).join(', ') || 'no way to sign in';
    const have = credential === null ? 'no credential is set' : 'the credential was refused';
    return `${host} asks to sign in (it offers ${offered}); ${have}`;
  }
}
