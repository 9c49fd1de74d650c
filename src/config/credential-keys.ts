/** 32 bytes each: the first seals, all open. */
export type CredentialKeys = readonly [Uint8Array, ...Uint8Array[]];

/** How a key is written, for messages. */
export const KEY_FORM = '32 bytes as base64 or as 64 hex digits, such as "openssl rand -base64 32" prints';

/** Keys with commas or line ends between them; undefined where one is none, or there is none. */
export function parseKeys(text: string): CredentialKeys | undefined {
  const written = text.split(/[,\s]+/).filter((part) => part !== '');
  const keys = written.map(parseKey).filter((key) => key !== null);
  const [first, ...others] = keys;
  return first && keys.length === written.length ? [first, ...others] : undefined;
}

const KEY_BYTES = 32;

function parseKey(text: string): Uint8Array | null {
  if (/^[0-9A-Fa-f]{64}$/.test(text)) return Buffer.from(text, 'hex');
  if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(text)) return null;
  const key = Buffer.from(text, 'base64');
  return key.length === KEY_BYTES ? key : null;
}
