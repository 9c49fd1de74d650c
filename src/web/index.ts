import { fastifyApolloDrainPlugin, fastifyApolloHandler } from '@as-integrations/fastify';
import { fastify, LogController, type FastifyBaseLogger, type FastifyReply, type FastifyRequest } from 'fastify';
import { SpanKind } from '@opentelemetry/api';
import type { Logger } from 'pino';
import type { Database } from '../catalog/database.ts';
import type { Commands } from '../commands/index.ts';
import { openGraph } from '../graphql/index.ts';
import { listenOn, reportHealth, serveMetrics } from '../probes/index.ts';
import { inSpan, type MetricsPage } from '../telemetry/index.ts';
import { limitBodiesOfStrangers } from './body-limit.ts';
import { endConnectionsOnClose } from './closing.ts';
import { answerFaults } from './faults.ts';
import { receiveNotifications } from './hooks.ts';
import { MAX_BODY, MAX_TRUSTED_BODY } from './limits.ts';
import { BUILT_PAGE, CLOSED_PLAYGROUND, openPlayground } from './playground.ts';
import { serveReference } from './reference.ts';
import { logRequests } from './request-log.ts';
import { secureAnswers } from './security.ts';
import { openSockets } from './socket.ts';
import { serveStreams } from './stream.ts';

export interface WebSettings {
  readonly database: Database;
  readonly commands: Commands;
  /** Whoever sends it may change the catalog. */
  readonly adminToken: string;
  /** Whoever sends it may report containers; none may where there is none. */
  readonly agentToken?: string | null;
  readonly log: Logger;
  /** A file with the only documents that are answered; every document where there is none. */
  readonly trustedDocuments?: string | null;
  /** True to serve a subgraph of a federated graph. */
  readonly isSubgraph?: boolean;
  readonly metrics: MetricsPage;
  /** Stowage's own version, as /healthz tells it. */
  readonly version: string;
}

/** All that is served over HTTP: the graph, the playground, the probes, the webhooks. */
export interface Web {
  /** Begins to serve; the address, such as http://127.0.0.1:4000. INVALID_CONFIGURATION when that can't be had. */
  listen(port: number, host: string): Promise<string>;
  /** Takes no more requests, answers those that it has, and ends. */
  close(): Promise<void>;
}

export async function openWeb(settings: WebSettings): Promise<Web> {
  const {
    database,
    commands,
    adminToken,
    agentToken = null,
    log,
    metrics,
    version,
    trustedDocuments,
    isSubgraph,
  } = settings;
  // Named by Fastify's own type: the routes below are no more particular.
  const loggerInstance: FastifyBaseLogger = log;
  const app = fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: MAX_BODY,
    // A request that trickles in holds a connection no longer than this.
    requestTimeout: 30_000,
  });
  logRequests(app, log);
  endConnectionsOnClose(app);
  secureAnswers(app);
  answerFaults(app, log);
  reportHealth(app, database, version);
  serveMetrics(app, metrics);

  const drain = fastifyApolloDrainPlugin(app);
  const graph = await openGraph({
    database,
    commands,
    adminToken,
    agentToken,
    log,
    trustedDocuments,
    isSubgraph,
    drain,
  });
  const playground = trustedDocuments == null ? await openPlayground(app, BUILT_PAGE) : CLOSED_PLAYGROUND;
  const answer = fastifyApolloHandler(graph.server, {
    context: (request) => Promise.resolve(graph.contextFor(request.headers.authorization)),
  });
  app.get('/', (_, reply) => reply.redirect('/graphql'));
  app.get('/schema.graphql', (_, reply) => reply.type('text/plain; charset=utf-8').send(graph.sdl));
  serveReference(app, graph.sdl);
  const sockets = await openSockets(app, graph, log);
  const handler = async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    // The page and the answers share one address, and neither is for a cache to keep.
    void reply.header('vary', 'accept, authorization').header('cache-control', 'no-store');
    if (playground.isWanted(request)) return playground.send(reply);
    return inSpan(`${request.method} /graphql`, { kind: SpanKind.SERVER, parent: request.headers }, async () =>
      answer.call(app, request, reply),
    );
  };
  app.route({
    method: 'GET',
    url: '/graphql',
    preHandler: async (request, reply) => sockets.refuse(request, reply),
    handler,
    wsHandler: (socket, request) => sockets.handle(socket, request),
  });
  const preParsing = limitBodiesOfStrangers((authorization) => graph.mayChange(authorization));
  app.route({ method: 'POST', url: '/graphql', bodyLimit: MAX_TRUSTED_BODY, preParsing, handler });
  serveStreams(app, graph);
  receiveNotifications(app, commands, log);

  return {
    listen: (port, host) => listenOn(app, port, host),
    close: () => graph.close(),
  };
}
