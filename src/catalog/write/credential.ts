import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Credential } from '../../registries/registry.ts';
import { CatalogError } from '../../domain/errors.ts';

/** As the database has it. */
export type SealedCredential = Uint8Array;

/** Seals credentials for the database and opens them again. The key is 32 bytes and never in the database. */
export interface Seal {
  close(credential: Credential): SealedCredential;
  /** Throws INVALID_CONFIGURATION where the key is another one than it was sealed with. */
  open(sealed: SealedCredential): Credential;
}

const NONCE = 12;
const TAG = 16;

/** AES-256-GCM; nonce, tag and text one after the other. */
export function createSeal(key: Uint8Array): Seal {
  return {
    close(credential) {
      const nonce = randomBytes(NONCE);
      const cipher = createCipheriv('aes-256-gcm', key, nonce);
      const text = Buffer.concat([cipher.update(JSON.stringify(credential), 'utf8'), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), text]);
    },
    open(sealed) {
      const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE));
      decipher.setAuthTag(sealed.subarray(NONCE, NONCE + TAG));
      try {
        const text = Buffer.concat([decipher.update(sealed.subarray(NONCE + TAG)), decipher.final()]);
        return JSON.parse(text.toString('utf8')) as Credential;
      } catch (error) {
        throw new CatalogError(
          'INVALID_CONFIGURATION',
          'A stored credential was sealed with another key; give it again with updateRegistry.',
          { cause: error },
        );
      }
    },
  };
}
