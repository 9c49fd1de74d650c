import { isRepositoryName, type RepositoryName } from '../../domain/reference.ts';
import { isAbsence } from '../own-list.ts';
import type { Keys } from './keys.ts';

type Pages = AsyncIterable<readonly RepositoryName[]>;

/**
 * By the catalog of the key that the address stands for, or that the prefix names. Else by that of the address, which
 * has its names where a port stands for a key; where it has none, by those of all keys. A key that stands for another
 * server lists what it has a copy of.
 */
export async function* listRepositories(
  keys: Keys,
  prefix: string,
  catalogOfAddress: () => Pages,
  catalogOf: (key: string, signal: AbortSignal) => Pages,
  signal: AbortSignal,
): AsyncGenerator<readonly RepositoryName[]> {
  if ((await keys.ofAddress(signal)) !== null) {
    yield* catalogOfAddress();
    return;
  }
  const all = await keys.all(signal);
  const named = prefix.split('/')[0] ?? '';
  if (prefix.includes('/') && all.has(named)) {
    yield* below(named, catalogOf(named, signal));
    return;
  }

  let isEmpty = true;
  try {
    for await (const page of catalogOfAddress()) {
      isEmpty = false;
      yield page;
    }
  } catch (error) {
    if (!isEmpty || !isAbsence(error) || all.size === 0) throw error;
  }
  if (isEmpty) for (const key of all.keys()) yield* below(key, catalogOf(key, signal));
}

async function* below(key: string, pages: Pages): AsyncGenerator<readonly RepositoryName[]> {
  for await (const page of pages) yield page.map((name) => `${key}/${name}`).filter(isRepositoryName);
}
