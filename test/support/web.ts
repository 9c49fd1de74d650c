import { randomBytes } from 'node:crypto';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { openMetrics } from '../../src/bin/metrics.ts';
import type { Database } from '../../src/catalog/database.ts';
import { createSeal } from '../../src/catalog/write/index.ts';
import { createCommands, type CommandSettings } from '../../src/commands/index.ts';
import { checkCredential, openRegistry } from '../../src/registries/index.ts';
import { openWeb, type Web, type WebSettings } from '../../src/web/index.ts';

export const ADMIN_TOKEN = 'the-admin-token-of-the-tests';

/** One GraphQL answer: its status beside its body. */
export interface Answer {
  readonly status: number;
  readonly data?: Record<string, unknown> | null;
  readonly errors?: { message: string; path?: unknown[]; extensions: Record<string, unknown> }[];
}

export interface TestWeb extends Web {
  /** Where it listens, such as http://127.0.0.1:43210. */
  readonly address: string;
  /** What it logged, at every level, as JSON. */
  readonly lines: Record<string, unknown>[];
  /** Posts a query; as the admin when told so. What the answer tells of its own cost is left out. */
  ask(query: string, variables?: Record<string, unknown>, options?: { asAdmin?: boolean }): Promise<Answer>;
}

/** Of all of these tests: what one API seals, another opens. */
const SEAL = createSeal(randomBytes(32));

/** All that is served, over the given database, on loopback: on a free port unless one is given. */
export async function openTestWeb(
  database: Database,
  port = 0,
  {
    keepsLabel,
    ...settings
  }: Pick<WebSettings, 'trustedDocuments' | 'isSubgraph' | 'agentToken'> & Pick<CommandSettings, 'keepsLabel'> = {},
): Promise<TestWeb> {
  const lines: Record<string, unknown>[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _, done) {
      lines.push(JSON.parse(chunk.toString()) as Record<string, unknown>);
      done();
    },
  });
  const commands = createCommands({
    database,
    seal: SEAL,
    ...(keepsLabel && { keepsLabel }),
    kinds: {
      defaultUrl: (host) => new URL(`https://${host}`),
      detectKind: () => Promise.resolve('OCI'),
      checkCredential,
      open: openRegistry,
    },
  });
  const web = await openWeb({
    database,
    commands,
    adminToken: ADMIN_TOKEN,
    log: pino({ level: 'debug' }, sink),
    metrics: openMetrics(database),
    version: '0.0.0-test',
    ...settings,
  });
  const address = await web.listen(port, '127.0.0.1').catch(async (error: unknown) => {
    await web.close();
    throw error;
  });
  return {
    ...web,
    address,
    lines,
    async ask(query, variables = {}, { asAdmin = false } = {}) {
      const response = await fetch(`${address}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(asAdmin && { authorization: `Bearer ${ADMIN_TOKEN}` }) },
        body: JSON.stringify({ query, variables }),
      });
      const { data, errors } = (await response.json()) as Omit<Answer, 'status'>;
      return { status: response.status, ...(data !== undefined && { data }), ...(errors && { errors }) };
    },
  };
}
