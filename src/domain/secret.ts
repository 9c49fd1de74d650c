import { createHash, timingSafeEqual } from 'node:crypto';
import { CatalogError } from './errors.ts';

const LEAST = 16;
const MOST = 255;

/** Hashes have one length, so the time tells neither where the texts differ nor how long the secret is. */
export function isSameSecret(given: string, secret: string): boolean {
  const [a, b] = [given, secret].map((text) => createHash('sha256').update(text).digest()) as [Buffer, Buffer];
  return timingSafeEqual(a, b);
}

/** What notifications of a registry are known by: it must fit into a header, and not be guessed. INVALID_ARGUMENT. */
export function parseWebhookSecret(text: string): string {
  if (text.length >= LEAST && text.length <= MOST && /^[!-~]+$/.test(text)) return text;
  throw new CatalogError(
    'INVALID_ARGUMENT',
    `a webhook's secret has ${LEAST} to ${MOST} letters, digits and signs of ASCII, and no blanks: let "openssl rand -hex 24" make one.`,
  );
}
