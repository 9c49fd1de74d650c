import { RegistryError } from '../domain/errors.ts';

export interface Page<Content> {
  readonly content: Content;
  /** Where the next one is; null at the end. */
  readonly next: string | null;
}

/**
 * What the pages of a list hold, from the one at `first` to the end. Rejects with MALFORMED where they lead in a circle,
 * and with TOO_LARGE where there are too many.
 */
export async function* pagesFrom<Content>(
  what: string,
  first: string,
  read: (at: string) => Promise<Page<Content>>,
): AsyncGenerator<Content> {
  const visited = new Set<string>();
  for (let at: string | null = first; at !== null;) {
    if (visited.size === MAX_PAGES) throw new RegistryError('TOO_LARGE', `${what} has more than ${MAX_PAGES} pages`);
    if (visited.has(at)) throw new RegistryError('MALFORMED', `${what}: the pages lead in a circle`);
    visited.add(at);
    const page: Page<Content> = await read(at);
    yield page.content;
    at = page.next;
  }
}

/** Of a hundred tags, which is the most that many give at once, as many as there may be of one repository. */
const MAX_PAGES = 2000;
