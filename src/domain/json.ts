import { RegistryError } from './errors.ts';

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
export type JsonObject = { [name: string]: Json };

const MAX_DEPTH = 64;

/**
 * Parses a document from outside: UTF-8 with faults replaced, a byte order mark dropped, depth bounded. Characters
 * that PostgreSQL can't hold (NUL, lone surrogates) become U+FFFD. The digest was taken over the bytes, before.
 */
export function parseJson(bytes: Uint8Array, what: string): Json {
  const text = new TextDecoder('utf-8').decode(bytes);
  if (depthOf(text) > MAX_DEPTH) {
    throw new RegistryError('MALFORMED', `${what} is JSON nested more than ${MAX_DEPTH} deep`);
  }
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch (error) {
    throw new RegistryError('MALFORMED', `${what} is not JSON`, { cause: error });
  }
  return UNSTORABLE.test(text) ? storable(value) : value;
}

/** As `parseJson`; what is no object is MALFORMED. */
export function parseJsonObject(bytes: Uint8Array, what: string): JsonObject {
  const value = parseJson(bytes, what);
  if (!isObject(value)) throw new RegistryError('MALFORMED', `${what} is not a JSON object`);
  return value;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An array, where null and a missing member mean an empty one; anything else is refused. */
export function arrayOf(value: Json | undefined, what: string, limit: number): Json[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new RegistryError('MALFORMED', `${what} is not a list`);
  if (value.length > limit) {
    throw new RegistryError('TOO_LARGE', `${what} has ${value.length} entries, more than ${limit}`);
  }
  return value;
}

export function textOf(value: Json | undefined): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

/** The text's beginning, never ending within a surrogate pair: PostgreSQL takes no half of one. */
export function cut(text: string, length: number): string {
  return text.length <= length ? text : text.slice(0, length).toWellFormed();
}

/** A word that is kept and looked up, such as a platform's: absent where it is empty, cut where it is no word. */
export function wordOf(value: Json | undefined): string | null {
  const text = textOf(value);
  return text && cut(text, 255);
}

const MAX_NAMES = 500;
const MAX_NAME = 1024;
const MAX_VALUE = 64 * 1024;

/** Labels or annotations: text to text, sorted by name. Numbers and booleans become text, the rest is dropped. */
export function textMap(value: Json | undefined): Record<string, string> {
  if (!isObject(value)) return {};
  const entries: [string, string][] = [];
  for (const [name, text] of Object.entries(value)) {
    if (entries.length === MAX_NAMES) break;
    if (name.length > MAX_NAME || text === null || typeof text === 'object') continue;
    entries.push([name, cut(String(text), MAX_VALUE)]);
  }
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}

const UNSTORABLE = /\u0000|\\u0000|\\u[dD][89a-fA-F]/;

/** A value without the characters that PostgreSQL can't hold: what is read otherwise than by `parseJson` needs it. */
export function storable(value: string): string;
export function storable(value: Json): Json;
export function storable(value: Json): Json {
  if (typeof value === 'string') return value.toWellFormed().replaceAll('\u0000', '\uFFFD');
  if (Array.isArray(value)) return value.map((inner) => storable(inner));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [storable(name), storable(inner)]));
}

/** Brackets outside strings; JSON.parse itself would take any depth, what walks the result would not. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text.charCodeAt(at);
    if (character === 0x22) {
      at = endOfString(text, at);
    } else if (character === 0x7b || character === 0x5b) {
      deepest = Math.max(deepest, ++depth);
    } else if (character === 0x7d || character === 0x5d) {
      depth--;
    }
  }
  return deepest;
}

function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end > 0 && isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end < 0 ? text.length : end;
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0;
  while (text.charCodeAt(at - 1 - backslashes) === 0x5c) backslashes++;
  return backslashes % 2 === 1;
}
