import type { Json } from '../domain/json.ts';

/** A member of a document that should be a count; null where it is none. */
export function countOf(value: Json | undefined): number | null {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : null;
}

/** A member of a document that should be true or false; null where it is neither. */
export function flagOf(value: Json | undefined): boolean | null {
  return typeof value === 'boolean' ? value : null;
}
