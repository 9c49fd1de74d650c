import { cut, textOf, type Json } from '../../domain/json.ts';

/** Characters that are kept of a reference, and of a word of a command or a path. */
export const MAX_REFERENCE = 1024;
export const MAX_WORD = 4096;

/** Null for what is no text, or empty. */
export function cutText(value: Json | undefined, length: number): string | null {
  const text = textOf(value);
  return text === null ? null : cut(text, length);
}
