import type { NameAndValue } from '../../domain/image-config.ts';

/** Labels or annotations as clients see them, by name. */
export function namesAndValues(document: Readonly<Record<string, string>>): NameAndValue[] {
  const names = Object.keys(document).sort();
  return names.map((name) => ({ name, value: document[name] ?? '' }));
}
