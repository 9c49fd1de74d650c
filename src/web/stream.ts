import { randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { createHandler, TOKEN_HEADER_KEY, TOKEN_QUERY_KEY, type Handler, type Request } from 'graphql-sse';
import type { Graph } from '../graphql/index.ts';
import { EventStream } from './event-stream.ts';
import { faultOf } from './faults.ts';
import { MAX_CONNECTIONS, NO_ROOM } from './limits.ts';

/**
 * /graphql/stream: GraphQL over server-sent events, for those who can't open a WebSocket. A request gets a stream of its
 * own; or it reserves one with PUT, opens it with GET, and sends any number of operations beside it.
 * https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md
 */
export function serveStreams(app: FastifyInstance, graph: Graph): void {
  const streams = new Set<EventStream>();
  const byToken = new Map<string, EventStream>();
  const handle = handlerFor(graph);

  app.addHook('preClose', (done) => {
    for (const stream of streams) stream.end();
    done();
  });
  app.route({
    method: ['GET', 'POST', 'PUT', 'DELETE'],
    url: '/graphql/stream',
    async handler(request, reply) {
      void reply.header('cache-control', 'no-store').header('x-accel-buffering', 'no');
      const isReservation = request.method === 'PUT';
      const token = isReservation ? randomUUID() : tokenIn(request);
      const wantsEvents = /\btext\/event-stream\b/.test(request.headers.accept ?? '');
      if (token === null && !wantsEvents) {
        return reply.code(406).send(faultOf('BAD_REQUEST', 'Ask for events: send "Accept: text/event-stream".'));
      }
      const known = token === null ? undefined : byToken.get(token);
      if (known === undefined && streams.size >= MAX_CONNECTIONS) {
        return reply.code(503).send(faultOf('SERVICE_UNAVAILABLE', NO_ROOM));
      }
      const stream = known ?? new EventStream();
      const { authorization } = request.headers;
      const asked: Asked = { token, stream, authorization, giveUp: null };
      const [body, { status, headers }] = await handle(requestOf(request, asked, wantsEvents));
      // It was completed before it was answered.
      if (status === 204) await asked.giveUp?.();
      if (isReservation && token !== null) reserve(token, stream);
      if (body === null || typeof body === 'string')
        return reply
          .code(status)
          .headers({ ...headers })
          .send(body ?? '');

      streams.add(stream);
      try {
        await stream.send(reply, body);
      } finally {
        streams.delete(stream);
        if (token !== null) byToken.delete(token);
      }
    },
  });

  /** One that nobody opens is opened here, and ended. */
  function reserve(token: string, stream: EventStream): void {
    byToken.set(token, stream);
    streams.add(stream);
    const expire = async () => {
      if (stream.isOpen) return;
      byToken.delete(token);
      streams.delete(stream);
      const asked: Asked = { token, stream, authorization: undefined, giveUp: null };
      const [body] = await handle({ ...OPENING, headers: { get: () => EVENTS }, context: asked });
      if (body !== null && typeof body !== 'string') await body.return(undefined);
    };
    setTimeout(() => void expire(), RESERVED_MS).unref();
  }
}

const RESERVED_MS = 10_000;
const EVENTS = 'text/event-stream';
const OPENING = { method: 'GET', url: '/graphql/stream', body: null, raw: undefined };

interface Asked {
  /** Of the stream that the request is about; null for one of its own. */
  readonly token: string | null;
  readonly stream: EventStream;
  readonly authorization: string | undefined;
  /** Ends what was begun to be answered. */
  giveUp: (() => Promise<unknown>) | null;
}

function handlerFor(graph: Graph): Handler<unknown, Asked> {
  return createHandler<unknown, Asked>({
    authenticate: ({ context }) => context.token,
    async onSubscribe({ context }, { query, operationName, variables, extensions }) {
      const { stream, authorization } = context;
      const answer = await graph.answerLive(stream, { query, operationName, variables, extensions, authorization });
      // The library knows a result by its data.
      if (!(Symbol.asyncIterator in answer)) return { data: undefined, ...answer } as never;
      context.giveUp = () => answer.return(undefined);
      return answer as never;
    },
    async onNext(_, { context }) {
      await context.stream.taken;
    },
  });
}

function tokenIn({ headers, query }: FastifyRequest): string | null {
  const token = headers[TOKEN_HEADER_KEY] ?? (query as Record<string, unknown>)[TOKEN_QUERY_KEY];
  return typeof token === 'string' && token !== '' ? token : null;
}

/** The library refuses who names a document by its id alone, and an Accept of several types. */
function requestOf(request: FastifyRequest, asked: Asked, wantsEvents: boolean): Request<unknown, Asked> {
  const { method, headers, body } = request;
  const hasQuery = 'query' in (request.query as object);
  return {
    method,
    url: hasQuery ? request.url : `${request.url}${request.url.includes('?') ? '&' : '?'}query=`,
    headers: {
      get(name) {
        if (name === 'accept') return wantsEvents ? EVENTS : null;
        const value = headers[name];
        return Array.isArray(value) ? value.join() : value;
      },
    },
    body: typeof body === 'object' && body !== null ? { query: '', ...body } : null,
    raw: undefined,
    context: asked,
  };
}
