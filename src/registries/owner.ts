import { RegistryError } from '../domain/errors.ts';

/**
 * Whose repositories a prefix is about. Throws UNSUPPORTED where it names nobody, for registries that list those of one
 * owner at a time; `example` is a pattern that does.
 */
export function ownerIn(prefix: string, registry: string, example: string): string {
  const slash = prefix.indexOf('/');
  if (slash > 0) return prefix.slice(0, slash);
  throw new RegistryError(
    'UNSUPPORTED',
    `${registry} lists the repositories of one owner at a time: write whose, such as ${example}, not "${prefix}*"`,
  );
}
