import { CatalogError } from './errors.ts';

/** A name that an operator gives to a runtime. Throws INVALID_ARGUMENT. */
export function parseRuntimeName(text: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9_.:@/-]{0,99}$/.test(text)) return text;
  throw new CatalogError(
    'INVALID_ARGUMENT',
    `"${text.slice(0, 200)}" is not a name for a runtime: write up to 100 letters, digits and ._:@/-, such as host-1.`,
  );
}
