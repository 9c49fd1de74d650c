import { RegistryError, type RegistryErrorCode } from '../domain/errors.ts';
import type { ListedTag } from './registry.ts';

/**
 * The pages of a registry's own list; those of the distribution API's where the own one is not there or not for us. Once
 * it has given a page, its faults are faults.
 */
export async function* ownListOr<Page>(
  own: AsyncIterable<Page>,
  usual: () => AsyncIterable<Page>,
): AsyncGenerator<Page> {
  let isGiven = false;
  try {
    for await (const page of own) {
      isGiven = true;
      yield page;
    }
    return;
  } catch (error) {
    if (isGiven || !isAbsence(error)) throw error;
  }
  yield* usual();
}

/** The pages of the distribution API's list of tags, each tag as it is told elsewhere, where it is. */
export async function* detailed(
  pages: AsyncIterable<readonly ListedTag[]>,
  details: ReadonlyMap<string, ListedTag>,
): AsyncGenerator<readonly ListedTag[]> {
  for await (const page of pages) yield page.map((tag) => details.get(tag.name) ?? tag);
}

/** What an API of the registry's own says of a thing; null where it is not there, or not for who asked. */
export async function saidOrNull<T>(said: Promise<T | null>): Promise<T | null> {
  try {
    return await said;
  } catch (error) {
    if (isAbsence(error)) return null;
    throw error;
  }
}

/** Whether an error says that an API is not there, or not for who asked; not one that may pass. */
export function isAbsence(error: unknown): boolean {
  return error instanceof RegistryError && ABSENCE.has(error.code);
}

const ABSENCE: ReadonlySet<RegistryErrorCode> = new Set([
  'UNAUTHORIZED',
  'FORBIDDEN',
  'NOT_FOUND',
  'UNSUPPORTED',
] as const);
