import { pagesFrom } from '../pages.ts';

/** The pages of an AWS list, to its end: each tells the token of the next. */
export function awsPages<Page extends { nextToken?: string | undefined }>(
  what: string,
  ask: (nextToken: string | undefined) => Promise<Page>,
): AsyncGenerator<Page> {
  return pagesFrom(what, '', async (token) => {
    const content = await ask(token || undefined);
    return { content, next: content.nextToken || null };
  });
}

/** The most that AWS gives at once. */
export const AWS_PAGE = 1000;
