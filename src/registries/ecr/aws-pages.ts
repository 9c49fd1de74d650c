import { RegistryError } from '../../domain/errors.ts';

/** The pages of an AWS list, to its end: each tells the token of the next. */
export async function* awsPages<Page extends { nextToken?: string | undefined }>(
  what: string,
  ask: (nextToken: string | undefined) => Promise<Page>,
): AsyncGenerator<Page> {
  const seen = new Set<string>();
  let nextToken: string | undefined;
  do {
    const page = await ask(nextToken);
    yield page;
    nextToken = page.nextToken || undefined;
    if (nextToken === undefined) return;
    if (seen.has(nextToken)) throw new RegistryError('MALFORMED', `${what}: the pages lead in a circle`);
    seen.add(nextToken);
  } while (seen.size < MAX_PAGES);
  throw new RegistryError('TOO_LARGE', `${what} has more than ${MAX_PAGES} pages`);
}

/** The most that AWS gives at once. */
export const AWS_PAGE = 1000;
const MAX_PAGES = 1000;
