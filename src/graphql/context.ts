import type { CatalogReads } from '../catalog/read/index.ts';
import type { Commands } from '../commands/index.ts';
import type { LiveOperation } from './live.ts';
import { createLoaders, type Loaders } from './types/index.ts';
import type { Viewer } from './viewer.ts';

/** What the resolvers of one request share. */
export interface GraphQLContext {
  readonly reads: CatalogReads;
  readonly loaders: Loaders;
  readonly commands: Commands;
  readonly viewer: Viewer;
  /** Of an operation that did not come over plain HTTP. */
  readonly live?: LiveOperation;
}

export function createContext(parts: Omit<GraphQLContext, 'loaders'>): GraphQLContext {
  return { ...parts, loaders: createLoaders(parts.reads) };
}
