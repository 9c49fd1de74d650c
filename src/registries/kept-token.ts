import { RegistryError } from '../domain/errors.ts';
import { Once } from './once.ts';

/** A token and the moment, in milliseconds, from which it is not used any more. */
export interface Token {
  readonly value: string;
  readonly expiresAt: number;
}

/**
 * A bearer token that is asked for when it is needed and again when it has run out. All that wait for it share one
 * request; once it was refused to the credential, it is not asked for any more.
 */
export class KeptToken {
  readonly #ask: (signal: AbortSignal) => Promise<Token>;
  #authorization: string | null = null;
  #expiresAt = 0;
  /** While another is asked for. */
  #pending: Once<string> | null = null;
  #refusal: RegistryError | null = null;

  constructor(ask: (signal: AbortSignal) => Promise<Token>) {
    this.#ask = ask;
  }

  /** What to send as Authorization. One that was `refused` is not given again: another is asked for. */
  authorization(signal: AbortSignal, refused: string | null = null): string | Promise<string> {
    if (this.#authorization !== null && this.#expiresAt > Date.now() && this.#authorization !== refused) {
      return this.#authorization;
    }
    if (this.#refusal !== null) return Promise.reject(this.#refusal);
    this.#pending ??= new Once((asking) => this.#renew(asking));
    return this.#pending.get(signal);
  }

  /** Whether it is another one than was sent, or is being asked for. */
  isNewerThan(used: string | null): boolean {
    return this.#pending !== null || (this.#authorization !== null && this.#authorization !== used);
  }

  async #renew(signal: AbortSignal): Promise<string> {
    try {
      const { value, expiresAt } = await this.#ask(signal);
      this.#expiresAt = expiresAt;
      return (this.#authorization = `Bearer ${value}`);
    } catch (error) {
      if (error instanceof RegistryError && error.code === 'UNAUTHORIZED') this.#refusal = error;
      throw error;
    } finally {
      this.#pending = null;
    }
  }
}

/** What an answer gives as token. Throws UNAUTHORIZED where that is nothing that could stand in a header. */
export function tokenTextOf(value: unknown, what: string): string {
  if (typeof value === 'string' && PRINTABLE.test(value)) return value;
  throw new RegistryError('UNAUTHORIZED', `${what}: there is none in the answer`);
}

const PRINTABLE = /^[\x21-\x7e]+$/;
