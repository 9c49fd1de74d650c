import { defaultFieldResolver, type GraphQLField, type GraphQLSchema } from 'graphql';
import { CatalogError } from '../domain/errors.ts';
import { isSameSecret } from '../domain/secret.ts';

/** What a viewer may do. A closed list: tokens carry these words. */
export type Scope = 'catalog:read' | 'catalog:admin' | 'containers:report';

/** Who asks. Everyone may read; what changes something needs a token. */
export interface Viewer {
  readonly name: string;
  readonly scopes: readonly Scope[];
}

export const ANONYMOUS: Viewer = { name: 'anonymous', scopes: ['catalog:read'] };
const AGENT: Viewer = { name: 'agent', scopes: ['catalog:read', 'containers:report'] };
const ADMIN: Viewer = { name: 'admin', scopes: ['catalog:read', 'catalog:admin', 'containers:report'] };

/** What stands for a viewer. */
export interface Tokens {
  readonly admin: string;
  /** Of agents that report containers; null where there is none. */
  readonly agent: string | null;
}

/** The viewer that an Authorization header stands for. A header that is there but wrong throws UNAUTHENTICATED. */
export function viewerOf(authorization: string | undefined, tokens: Tokens): Viewer {
  if (authorization === undefined || authorization.trim() === '') return ANONYMOUS;
  const [scheme = '', token = ''] = authorization.trim().split(/\s+/, 2);
  if (scheme.toLowerCase() !== 'bearer') {
    throw new CatalogError('UNAUTHENTICATED', `The Authorization header has no Bearer token: ${HEADER}.`);
  }
  if (isSameSecret(token, tokens.admin)) return ADMIN;
  if (tokens.agent !== null && isSameSecret(token, tokens.agent)) return AGENT;
  throw new CatalogError(
    'UNAUTHENTICATED',
    `The token in the Authorization header is not known: ${HEADER}, or leave the header out to read.`,
  );
}

/** Whether a token lets the viewer do more than read: then more is taken of him at once. */
export function mayChange({ scopes }: Viewer): boolean {
  return scopes.length > ANONYMOUS.scopes.length;
}

/** The scope that a mutation needs. */
export function scopeOf(mutation: string): Scope {
  return mutation === 'reportContainers' ? 'containers:report' : 'catalog:admin';
}

/**
 * Puts the check of its scope before the resolver of each mutation. Without a token the refusal is UNAUTHENTICATED,
 * with one that lacks the scope FORBIDDEN. (A plugin's `willResolveField` would be called for every field of all.)
 */
export function guardMutations(schema: GraphQLSchema): void {
  const fields: Record<string, GraphQLField<unknown, { readonly viewer: Viewer }>> = schema
    .getMutationType()
    ?.getFields() ?? {};
  for (const field of Object.values(fields)) {
    const { name, resolve = defaultFieldResolver } = field;
    field.resolve = (source, args, context, info) => {
      requireScope(name, scopeOf(name), context.viewer);
      return resolve(source, args, context, info);
    };
  }
}

const HEADER = 'send "Authorization: Bearer <token>" with the admin token that the first start printed';

function requireScope(mutation: string, scope: Scope, viewer: Viewer): void {
  if (viewer.scopes.includes(scope)) return;
  const code = viewer === ANONYMOUS ? 'UNAUTHENTICATED' : 'FORBIDDEN';
  throw new CatalogError(code, `${mutation} needs the scope ${scope}, which ${viewer.name} lacks: ${HEADER}.`);
}
