import { createHash } from 'node:crypto';
import { SpanKind } from '@opentelemetry/api';
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { CatalogError } from '../domain/errors.ts';
import { PrismaClient } from '../generated/prisma/client.ts';
import { inSpan } from '../telemetry/index.ts';

export type Row = pg.QueryResultRow;

/** A statement with its values, as sql-template-tag builds it. */
export interface Statement {
  readonly text: string;
  readonly values: unknown[];
}

/** Runs SQL: the pool, or one connection within a transaction. */
export interface Connection {
  /** Statements are named and prepared, so keep their texts few; values never stand in the text. */
  query<R extends Row>(statement: Statement): Promise<R[]>;
  /** As `query`, for a text that never changes. */
  run<R extends Row>(text: string, values: readonly unknown[]): Promise<R[]>;
}

export interface Transaction extends Connection {
  /**
   * Sends the commit behind statements whose results are still to come, so that locks are held no longer than it takes
   * PostgreSQL. If one of them fails, PostgreSQL rolls back instead, and its own promise rejects.
   */
  commit(): Promise<void>;
}

/** The one way to PostgreSQL. Prisma and plain SQL share its pool. */
export interface Database extends Connection {
  readonly prisma: PrismaClient;
  readonly pool: pg.Pool;
  /**
   * Commits when `work` returns, rolls back when it throws. Statements reach PostgreSQL in the order in which they are
   * run, so those that don't need each other's results are best awaited together.
   */
  transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>;
  /** Returns when the catalog can be queried; throws CATALOG_UNAVAILABLE with the reason, in this time at the latest. */
  check(timeoutMs: number): Promise<void>;
  /** A connection beside the pool, for who keeps it; still to be connected, and to be ended. */
  client(): pg.Client;
  close(): Promise<void>;
}

export interface DatabaseSettings {
  readonly url: string;
  /** Connections at most; 4 to 8 are enough for any load of ours. */
  readonly poolSize: number;
  /** The worker's: see WORKER_OPTIONS. */
  readonly isWorker?: boolean;
  readonly onError: (error: Error) => void;
  /** Told of every statement; for tests that count them. */
  readonly onStatement?: (text: string) => void;
}

export function openDatabase(settings: DatabaseSettings): Database {
  const connecting = {
    connectionString: settings.url,
    connectionTimeoutMillis: 10_000,
    // Statements of a transaction that don't wait for each other's results are sent at once.
    pipeline: true,
    options: (settings.isWorker ? WORKER_OPTIONS : API_OPTIONS).map((option) => `-c ${option}`).join(' '),
  };
  const pool = new pg.Pool({ ...connecting, max: settings.poolSize });
  // Without a listener a server that stops would end the process.
  pool.on('error', settings.onError);
  pool.on('connect', (client) => client.on('error', settings.onError));
  const connection = connectionOf(pool, settings.onStatement);
  const prisma = told(new PrismaClient({ adapter: new PrismaPg(pool, { disposeExternalPool: false }) }));

  return {
    ...connection,
    prisma,
    pool,
    transaction: (work) => inSpan('transaction', SPAN, () => inTransaction(pool, settings.onStatement, work)),
    check: (timeoutMs) => check(pool, timeoutMs),
    client: () => new pg.Client(connecting),
    async close() {
      await prisma.$disconnect();
      await pool.end();
    },
  };
}

/**
 * A worker's commits don't wait for the disk: what a power cut then loses are the last moments of a sync, together with
 * the record that they were done, and the next run writes them again. Its statements look rows up by key, however new
 * and small the tables are when they are planned, and are planned once.
 */
const WORKER_OPTIONS = [
  'synchronous_commit=off',
  'plan_cache_mode=force_generic_plan',
  'enable_seqscan=off',
  'enable_hashjoin=off',
  'enable_mergejoin=off',
  'jit=off',
];

/** No question may hold a connection for longer. */
const API_OPTIONS = ['statement_timeout=30s'];

const SPAN = { kind: SpanKind.CLIENT, attributes: { 'db.system.name': 'postgresql' } };

type Queryable = Pick<pg.Pool, 'query'>;

function connectionOf(
  client: Queryable,
  onStatement: ((text: string) => void) | undefined,
  onFault: (fault: unknown) => void = () => undefined,
): Connection {
  async function send<R extends Row>(
    text: string,
    values: readonly unknown[],
    names: Map<string, string>,
  ): Promise<R[]> {
    onStatement?.(text);
    try {
      const name = nameOf(text, names);
      const result = await client.query<R>({ text, values: values as unknown[], types, ...(name && { name }) });
      return result.rows;
    } catch (error) {
      onFault(error);
      throw translated(error);
    }
  }
  return {
    run: (text, values) => send(text, values, runNames),
    query: ({ text, values }) => send(text, values, queryNames),
  };
}

/** The client, whose faults are told as those of plain SQL are. */
function told(prisma: PrismaClient): PrismaClient {
  const extended = prisma.$extends({
    query: {
      async $allOperations({ args, query }) {
        try {
          return (await query(args)) as unknown;
        } catch (error) {
          throw translated(error);
        }
      },
    },
  });
  return extended as unknown as PrismaClient;
}

async function inTransaction<T>(
  pool: pg.Pool,
  onStatement: ((text: string) => void) | undefined,
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  const client = await pool.connect().catch((error: unknown) => {
    throw translated(error);
  });
  let fault: Error | undefined;
  let cause: unknown;
  /** Statements that travel behind one that failed fail as well, and may be heard of first. */
  const onFault = (error: unknown) => {
    if ((error as { code?: string }).code !== IN_FAILED_TRANSACTION) cause ??= translated(error);
  };
  try {
    let committed: Promise<void> | null = null;
    const commit = () => (committed ??= client.query('commit').then(() => undefined));
    const begun = client.query('begin');
    const [result] = await Promise.all([work({ ...connectionOf(client, onStatement, onFault), commit }), begun]);
    await commit();
    return result;
  } catch (error) {
    await client.query('rollback').catch((broken: Error) => (fault = broken));
    throw cause ?? error;
  } finally {
    client.release(fault);
  }
}

async function check(pool: pg.Pool, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new CatalogError('CATALOG_UNAVAILABLE', `The database did not answer within ${timeoutMs / 1000} s.`);
    timer = setTimeout(reject, timeoutMs, error);
  });
  // A timeout of its own, so that a connection that hangs leaves the pool.
  const query = { text: 'select from repository limit 0', query_timeout: timeoutMs };
  try {
    await Promise.race([pool.query(query), late]);
  } catch (error) {
    if ((error as { code?: string }).code === UNDEFINED_TABLE) {
      throw new CatalogError('CATALOG_UNAVAILABLE', 'The database holds no catalog yet: run "stowage migrate".');
    }
    throw translated(error);
  } finally {
    clearTimeout(timer);
  }
}

const UNDEFINED_TABLE = '42P01';
const IN_FAILED_TRANSACTION = '25P02';

type Parse = (text: string) => unknown;

/** Numbers beyond 2^53 don't occur (they are bytes and counts), so bigint is a number. */
const PARSERS = new Map<number, Parse>([
  [pg.types.builtins.INT8, Number],
  [pg.types.builtins.TIMESTAMPTZ, (text) => new Date(text)],
]);

const types: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) => PARSERS.get(oid) ?? (pg.types.getTypeParser(oid, format) as Parse),
};

/**
 * Texts of `run` are as many as there are in the code, and each has a name, so that PostgreSQL plans it once per
 * connection. Those of `query` grow with the filters that clients think of, and every connection holds each that is
 * named, so only the first thousand are.
 */
const NAMED_QUERIES = 1000;
const runNames = new Map<string, string>();
const queryNames = new Map<string, string>();

function nameOf(text: string, names: Map<string, string>): string | undefined {
  const known = names.get(text);
  if (known !== undefined || (names === queryNames && names.size >= NAMED_QUERIES)) return known;
  const name = createHash('sha1').update(text).digest('base64url');
  names.set(text, name);
  return name;
}

/** Classes 08 (connection) and 57P (shutdown), what the socket says, and what Prisma makes of these. */
function isUnavailable(error: unknown): boolean {
  const { code, message } = error as { code?: string; message?: string };
  if (code !== undefined && UNAVAILABLE.test(code)) return true;
  return /terminated|timeout exceeded when trying to connect|Connection ended|Query read timeout/.test(message ?? '');
}

const UNAVAILABLE =
  /^(08(?!P01)...|57P0.|53300|ECONN.*|ENOENT|ENOTFOUND|EAI_AGAIN|E(HOST|NET)UNREACH|ETIMEDOUT|EPIPE|P1001|P1002|P1008|P1017|P2037)$/;

/** Says in our words what a caller can understand; all else stays what it is. */
function translated(error: unknown): unknown {
  if ((error as { code?: string }).code === QUERY_CANCELED) {
    const message = 'The database took too long over it; ask for less at a time.';
    return new CatalogError('CATALOG_UNAVAILABLE', message, { cause: error });
  }
  return isUnavailable(error) ? unavailable(error) : error;
}

const QUERY_CANCELED = '57014';

function unavailable(cause: unknown): CatalogError {
  return new CatalogError('CATALOG_UNAVAILABLE', 'The database does not answer; try again.', { cause });
}
