import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { fastifyStatic } from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** The page for people who open the graph's address in a browser. */
export interface Playground {
  /** True for a browser that opens the address; programs ask for JSON, or for anything. */
  isWanted(request: FastifyRequest): boolean;
  send(reply: FastifyReply): FastifyReply;
}

/** Where the build of `ui/` is. */
export const BUILT_PAGE = new URL('../../ui/dist/', import.meta.url);

/** Serves the files of a built page, and has the page itself at hand. Where none was built, a page says how to. */
export async function openPlayground(app: FastifyInstance, built: URL): Promise<Playground> {
  const page = await readFile(new URL('index.html', built), 'utf8').catch(() => null);
  if (page !== null) {
    await app.register(fastifyStatic, {
      root: fileURLToPath(new URL('playground/', built)),
      prefix: '/playground/',
      preCompressed: true,
      index: false,
      // Their names change with their content.
      immutable: true,
      maxAge: '1y',
    });
  }
  return playgroundOf(page ?? NOT_BUILT);
}

function playgroundOf(page: string): Playground {
  return {
    isWanted: ({ method, headers }) => method === 'GET' && /\btext\/html\b/.test(headers.accept ?? ''),
    send: (reply) => reply.type('text/html; charset=utf-8').send(page),
  };
}

function pageSaying(...paragraphs: string[]): string {
  return `<!doctype html>
<html lang="en">
  <meta charset="utf-8" />
  <title>Stowage</title>
  <h1>Stowage</h1>
${paragraphs.map((paragraph) => `  <p>${paragraph}</p>\n`).join('')}</html>
`;
}

const NOT_BUILT = pageSaying(
  'The playground has not been built. Run <code>npm run build:ui</code> and start Stowage again.',
  'The graph itself is here all the same: POST queries to this address.',
);

/** For where only trusted documents are answered: whatever was typed into a playground would be refused. */
export const CLOSED_PLAYGROUND = playgroundOf(
  pageSaying(
    'There is no playground here: this graph answers only the documents that its operator listed.',
    'What it is made of stands in the <a href="/reference">reference</a>.',
  ),
);
