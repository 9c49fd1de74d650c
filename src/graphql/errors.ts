import { randomUUID } from 'node:crypto';
import { GraphQLError, type ExecutionResult, type FormattedExecutionResult, type GraphQLFormattedError } from 'graphql';
import type { Logger } from 'pino';
import { CatalogError, type CatalogErrorCode } from '../domain/errors.ts';

/** What clients find in `extensions.code`. A closed list, which docs/api.md explains. */
export type ClientErrorCode = (typeof CLIENT_ERROR_CODES)[number];

export const CLIENT_ERROR_CODES = [
  'BAD_REQUEST',
  'BAD_USER_INPUT',
  'FORBIDDEN',
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'INTERNAL_SERVER_ERROR',
  'NOT_FOUND',
  'OPERATION_RESOLUTION_FAILURE',
  'PERSISTED_QUERY_NOT_FOUND',
  'SERVICE_UNAVAILABLE',
  'UNAUTHENTICATED',
  'UNTRUSTED_DOCUMENT',
] as const;

/**
 * Apollo's `formatError`: the one place where what was thrown becomes what a client reads. A CatalogError keeps its
 * message, faults of the request keep Apollo's, and all else is hidden behind an id that the log has too.
 */
export function errorFormatter(
  log: Logger,
): (formatted: GraphQLFormattedError, error: unknown) => GraphQLFormattedError {
  return (told, error) => {
    const formatted = { ...told, message: short(REWORDED[told.message] ?? told.message) };
    const code = formatted.extensions?.['code'];
    if (isKnown(code) && code !== 'INTERNAL_SERVER_ERROR') return formatted;
    if (isRefusedRequest(error)) return { ...formatted, extensions: { code: 'BAD_REQUEST' satisfies ClientErrorCode } };
    if (isAboutVariables(error))
      return { ...formatted, extensions: { code: 'BAD_USER_INPUT' satisfies ClientErrorCode } };
    const thrown = originalOf(error);
    const known = thrown instanceof CatalogError ? CLIENT_CODES[thrown.code] : undefined;
    if (known === 'SERVICE_UNAVAILABLE') log.warn({ err: thrown, path: formatted.path }, 'the catalog does not answer');
    if (known) return { ...formatted, extensions: { ...formatted.extensions, code: known } };
    return { ...formatted, ...hidden(log, thrown, formatted.path) };
  };
}

/** Does for what Apollo did not execute what it does for the rest. */
export function resultFormatter(log: Logger): (result: ExecutionResult) => FormattedExecutionResult {
  const format = errorFormatter(log);
  return ({ errors, ...rest }) => {
    if (errors === undefined) return rest;
    const formatted = errors.map((error) => {
      const extensions: Record<string, unknown> = { code: 'INTERNAL_SERVER_ERROR', ...error.extensions };
      delete extensions['http'];
      return format({ ...error.toJSON(), extensions }, error);
    });
    return { errors: formatted, ...rest };
  };
}

/** The masked form of a fault of ours, after it was logged under the id that the message names. */
export function hidden(log: Logger, error: unknown, path?: readonly (string | number)[]): GraphQLFormattedError {
  const id = randomUUID();
  log.error({ err: error, id, path }, 'a request failed');
  return {
    message: `Internal error ${id}: the log has the cause under this id.`,
    extensions: { code: 'INTERNAL_SERVER_ERROR' satisfies ClientErrorCode, id },
  };
}

/** A request refused before it was read, with the status that says so; anything but a refusal stays as it is. */
export function refusal(error: unknown): unknown {
  if (!(error instanceof CatalogError) || error.code !== 'UNAUTHENTICATED') return error;
  const headers = new Map([['www-authenticate', 'Bearer']]);
  return new GraphQLError(error.message, { extensions: { code: error.code, http: { status: 401, headers } } });
}

/** A code that the request as a whole deserves, when its answer has no data at all: dashboards look at the status. */
export function statusOf(code: unknown): number | undefined {
  return STATUSES[code as ClientErrorCode];
}

const CLIENT_CODES: Record<CatalogErrorCode, ClientErrorCode | undefined> = {
  INVALID_REFERENCE: 'BAD_USER_INPUT',
  INVALID_DIGEST: 'BAD_USER_INPUT',
  INVALID_PLATFORM: 'BAD_USER_INPUT',
  INVALID_PATTERN: 'BAD_USER_INPUT',
  INVALID_SCHEDULE: 'BAD_USER_INPUT',
  INVALID_CURSOR: 'BAD_USER_INPUT',
  INVALID_ARGUMENT: 'BAD_USER_INPUT',
  NOT_FOUND: 'NOT_FOUND',
  // The operator's to read, not the client's.
  INVALID_CONFIGURATION: undefined,
  UNAUTHENTICATED: 'UNAUTHENTICATED',
  FORBIDDEN: 'FORBIDDEN',
  CATALOG_UNAVAILABLE: 'SERVICE_UNAVAILABLE',
};

const STATUSES: Partial<Record<ClientErrorCode, number>> = {
  BAD_USER_INPUT: 400,
  // 404 would say that there is no graph here.
  NOT_FOUND: 400,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  UNTRUSTED_DOCUMENT: 403,
  SERVICE_UNAVAILABLE: 503,
  INTERNAL_SERVER_ERROR: 500,
};

function isKnown(code: unknown): code is ClientErrorCode {
  return CLIENT_ERROR_CODES.some((known) => known === code);
}

/** What graphql-js says of documents that only a machine writes, in words that tell what to change. */
const REWORDED: Readonly<Record<string, string | undefined>> = {
  'Validation aborted.': 'The document selects the same fields too often to compare all of them: select each once.',
  'Maximum call stack size exceeded': 'The document nests too deeply to be read: nest less.',
};

/** Some messages hold the value that they are about, which may be as large as the request. */
function short(message: string): string {
  return message.length <= MAX_MESSAGE ? message : `${message.slice(0, MAX_MESSAGE - 1)}…`;
}

const MAX_MESSAGE = 1_000;

/** Apollo gives a status, and no code, to a hash that is not of the text beside it. */
function isRefusedRequest(error: unknown): boolean {
  const http =
    error instanceof GraphQLError ? (error.extensions['http'] as { status?: number } | undefined) : undefined;
  return http?.status !== undefined && http.status >= 400 && http.status < 500;
}

/** graphql-js ends its list of faults in variables with one that Apollo does not know. Nothing has a path before a field is. */
function isAboutVariables(error: unknown): boolean {
  return error instanceof GraphQLError && error.originalError === undefined && error.path === undefined;
}

/** graphql-js wraps what resolvers and scalars throw, sometimes twice. */
function originalOf(error: unknown): unknown {
  return error instanceof GraphQLError && error.originalError ? originalOf(error.originalError) : error;
}
