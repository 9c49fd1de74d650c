import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { CatalogError } from '../../domain/errors.ts';
import type { RegistryHost } from '../../domain/reference.ts';
import type { Credential } from '../../registries/registry.ts';

/** A secret as the database has it. */
export type Sealed<T> = Uint8Array & { readonly __secret?: T };
export type SealedCredential = Sealed<Credential>;

/**
 * Seals secrets for the database and opens them again. The keys are 32 bytes each and never in the database. What
 * was sealed for one registry does not open for another.
 */
export interface Seal {
  /** With the first key. */
  close<T>(secret: T, host: RegistryHost): Sealed<T>;
  /** Throws INVALID_CONFIGURATION where no key opens it. */
  open<T>(sealed: Sealed<T>, host: RegistryHost): T;
  /** The same, sealed as `close` seals now; null where it is already. Throws as `open` does. */
  renew<T>(sealed: Sealed<T>, host: RegistryHost): Sealed<T> | null;
}

/**
 * AES-256-GCM, with the host as associated data. One after the other: form, key id, nonce, tag, text. All keys open, and
 * the first seals.
 */
export function createSeal(first: Uint8Array, ...others: readonly Uint8Array[]): Seal {
  const keys = [first, ...others].map((bytes) => ({ bytes, id: idOf(bytes) }));
  const [current] = keys as [Key, ...Key[]];

  function close<T>(secret: T, host: RegistryHost): Sealed<T> {
    const nonce = randomBytes(NONCE);
    const cipher = createCipheriv('aes-256-gcm', current.bytes, nonce).setAAD(Buffer.from(host));
    const text = Buffer.concat([cipher.update(JSON.stringify(secret), 'utf8'), cipher.final()]);
    return Buffer.concat([FORM, current.id, nonce, cipher.getAuthTag(), text]);
  }

  function open<T>(sealed: Sealed<T>, host: RegistryHost): T {
    const isOurs = FORM.equals(sealed.subarray(0, FORM.length));
    const id = sealed.subarray(FORM.length, HEADER);
    const key = isOurs ? keys.find((known) => known.id.equals(id)) : undefined;
    const text = key && decrypted(sealed.subarray(HEADER), key, host);
    if (text == null) throw unopened(host);
    return JSON.parse(text) as T;
  }

  /** Sealed before credentials were bound to their registry, and named their key. */
  function openUnbound<T>(sealed: Sealed<T>): T | null {
    const text = keys.map((key) => decrypted(sealed, key, null)).find((opened) => opened !== null);
    return text == null ? null : (JSON.parse(text) as T);
  }

  return {
    close,
    open,
    renew<T>(sealed: Sealed<T>, host: RegistryHost) {
      const isCurrent = Buffer.concat([FORM, current.id]).equals(sealed.subarray(0, HEADER));
      const unbound = openUnbound(sealed);
      if (unbound !== null) return close(unbound, host);
      const secret = open(sealed, host);
      return isCurrent ? null : close(secret, host);
    },
  };
}

interface Key {
  readonly bytes: Uint8Array;
  readonly id: Buffer;
}

const FORM = Buffer.from([2]);
const KEY_ID = 4;
const HEADER = FORM.length + KEY_ID;
const NONCE = 12;
const TAG = 16;

/** Tells keys apart, and nothing about them. */
function idOf(key: Uint8Array): Buffer {
  return createHash('sha256').update(key).digest().subarray(0, KEY_ID);
}

/** Null where it is not sealed with this key, or not for this host. */
function decrypted(sealed: Uint8Array, { bytes }: Key, host: RegistryHost | null): string | null {
  if (sealed.length < NONCE + TAG) return null;
  const decipher = createDecipheriv('aes-256-gcm', bytes, sealed.subarray(0, NONCE), { authTagLength: TAG });
  if (host !== null) decipher.setAAD(Buffer.from(host));
  decipher.setAuthTag(sealed.subarray(NONCE, NONCE + TAG));
  try {
    return decipher.update(sealed.subarray(NONCE + TAG), undefined, 'utf8') + decipher.final('utf8');
  } catch {
    return null;
  }
}

function unopened(host: RegistryHost): CatalogError {
  return new CatalogError(
    'INVALID_CONFIGURATION',
    `A stored secret of ${host} was sealed with another key, or for another registry: add the key that sealed it to STOWAGE_CREDENTIAL_KEY or the credential-key file, or give the secret again with updateRegistry.`,
  );
}
