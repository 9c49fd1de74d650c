import { readFile } from 'node:fs/promises';
import type { ApolloServer, ApolloServerPlugin } from '@apollo/server';
import type { GraphQLSchema } from 'graphql';
import type { Logger } from 'pino';
import type { Database } from '../catalog/database.ts';
import { openListener } from '../catalog/events.ts';
import { createReads } from '../catalog/read/index.ts';
import type { Commands } from '../commands/index.ts';
import { messageOf } from '../domain/errors.ts';
import { createContext, type GraphQLContext } from './context.ts';
import { refusal } from './errors.ts';
import { createLiveAnswers, type AnswerLive } from './live.ts';
import { createGraphServer, createSchema } from './server.ts';
import { readTrustedDocuments } from './trusted-documents.ts';
import { typeResolvers } from './types/index.ts';
import { mayChange, viewerOf } from './viewer.ts';

export { hidden, type ClientErrorCode } from './errors.ts';
export type { AnswerLive, LiveClient, LiveRequest } from './live.ts';
export { referenceOf, type ReferenceMember, type ReferenceType } from './reference.ts';

export interface GraphSettings {
  readonly database: Database;
  readonly commands: Commands;
  /** Whoever sends it may change the catalog. */
  readonly adminToken: string;
  /** Whoever sends it may report containers; none may where there is none. */
  readonly agentToken?: string | null;
  readonly log: Logger;
  /** A list of documents; where there is one, no other is answered. */
  readonly trustedDocuments?: string | null;
  /** True for a subgraph of a federated graph. */
  readonly isSubgraph?: boolean;
  /** How the HTTP server stops taking requests before this one stops answering them. */
  readonly drain: ApolloServerPlugin;
}

/** The graph, ready to answer whoever a request comes from. */
export interface Graph {
  readonly server: ApolloServer<GraphQLContext>;
  /** The schema as it is written, with its descriptions. */
  readonly sdl: string;
  /** What the resolvers of one request share. A wrong Authorization header throws the error that the client gets. */
  contextFor(authorization: string | undefined): GraphQLContext;
  /** Whether an Authorization header is known, and lets its sender do more than read. */
  mayChange(authorization: string): boolean;
  readonly answerLive: AnswerLive;
  /** Answers what it was asked, and ends. */
  close(): Promise<void>;
}

export async function openGraph(settings: GraphSettings): Promise<Graph> {
  const { database, commands, adminToken, agentToken = null, log, trustedDocuments, drain } = settings;
  const sdl = await readFile(SDL, 'utf8');
  const schema = settings.isSubgraph ? await openSubgraph(sdl) : createSchema(sdl, typeResolvers);
  const documents = trustedDocuments == null ? null : await readTrustedDocuments(trustedDocuments, schema);
  const server = createGraphServer<GraphQLContext>({ schema, documents, log, drain });
  await server.start();
  const reads = createReads(database);
  forgetWithConnections(database.pool, () => reads.forget(null));
  const listener = openListener({
    database,
    ears: reads.ears,
    onFault: (fault) => log.warn(`what happens in the catalog is not heard for a while: ${messageOf(fault)}`),
  });

  const viewerFor = (authorization: string | undefined) =>
    viewerOf(authorization, { admin: adminToken, agent: agentToken });

  function contextFor(authorization: string | undefined): GraphQLContext {
    try {
      return createContext({
        reads,
        commands,
        viewer: viewerFor(authorization),
      });
    } catch (error) {
      throw refusal(error);
    }
  }
  return {
    server,
    sdl,
    contextFor,
    mayChange(authorization) {
      try {
        return mayChange(viewerFor(authorization));
      } catch {
        return false;
      }
    },
    answerLive: createLiveAnswers({ server, schema, reads, log, contextFor }),
    async close() {
      await server.stop();
      await listener.close();
    },
  };
}

const SDL = new URL('../../schema.graphql', import.meta.url);
const FEDERATION = new URL('../../federation.graphql', import.meta.url);

/** Its library is loaded by those who ask for it. */
async function openSubgraph(sdl: string): Promise<GraphQLSchema> {
  const { createSubgraphSchema } = await import('./federation.ts');
  return createSubgraphSchema(sdl, await readFile(FEDERATION, 'utf8'));
}

/**
 * A crash of PostgreSQL loses the last commits of a worker, and the ids in them are given again. It breaks every
 * connection; where there was none to break, the first new one may come after it.
 */
function forgetWithConnections(pool: Database['pool'], forget: () => void): void {
  let open = 0;
  pool.on('connect', (client) => {
    if (open++ === 0) forget();
    client.on('error', forget);
    client.once('end', () => open--);
  });
}
