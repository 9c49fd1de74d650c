import { fastifyWebsocket, type WebSocket } from '@fastify/websocket';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { GraphQLError, GraphQLSchema, parse, type GraphQLFormattedError } from 'graphql';
import { CloseCode, handleProtocols, makeServer, type ServerOptions } from 'graphql-ws';
import type { Logger } from 'pino';
import type { Graph, LiveClient } from '../graphql/index.ts';
import { faultOf } from './faults.ts';
import { MAX_BODY, MAX_CONNECTIONS, NO_ROOM } from './limits.ts';

/** What a client that does not read in time is closed with. The protocol has no code for it; its clients try again. */
const TOO_SLOW = 4413;
const GOING_AWAY = 1001;

/** GraphQL over WebSocket. https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md */
export interface Sockets {
  /** Answers a request for a socket that can't have one; to be asked before the request is let through. */
  refuse(request: FastifyRequest, reply: FastifyReply): FastifyReply | undefined;
  handle(socket: WebSocket, request: FastifyRequest): void;
}

export async function openSockets(app: FastifyInstance, graph: Graph, log: Logger): Promise<Sockets> {
  await app.register(fastifyWebsocket, {
    // Compression costs each connection more memory than all the rest of it.
    options: { maxPayload: MAX_BODY, perMessageDeflate: false, handleProtocols },
    // A message that is too large, or no message: the socket says so itself when it closes.
    errorHandler: (error) => log.debug({ err: error }, 'a socket broke'),
    preClose(done) {
      for (const socket of app.websocketServer.clients) closeInTime(socket, GOING_AWAY, 'The server stops.');
      app.websocketServer.close(() => done());
    },
  });
  const server = makeServer(optionsFor(graph));

  return {
    refuse(request, reply) {
      if (!request.ws) return undefined;
      if (isForeign(request)) {
        const message = `Pages of ${request.headers.origin} may not connect to ${request.host}.`;
        return reply.code(403).send(faultOf('FORBIDDEN', message));
      }
      if (app.websocketServer.clients.size < MAX_CONNECTIONS) return undefined;
      return reply.code(503).send(faultOf('SERVICE_UNAVAILABLE', NO_ROOM));
    },
    handle(socket, request) {
      const stopBeating = keepBeating(socket);
      const drop = () => {
        log.info('a client that did not take what it had asked for was dropped');
        closeInTime(socket, TOO_SLOW, 'What waits for you is not taken: connect again, and go on with after.');
      };
      const extra: Extra = {
        socket,
        client: { isReadOnly: false, open: 0, drop },
        authorization: request.headers.authorization,
      };
      const closed = server.opened(
        {
          protocol: socket.protocol,
          send: (text) => send(socket, text, drop),
          close: (code, reason) => socket.close(code, reason),
          onMessage: (answer) =>
            socket.on('message', (data: Buffer) => {
              answer(data.toString()).catch((error: unknown) => {
                log.error({ err: error }, 'a message on a socket could not be answered');
                socket.close(CloseCode.InternalServerError, 'Internal server error');
              });
            }),
        },
        extra,
      );
      socket.once('close', (code, reason) => {
        stopBeating();
        void closed(code, reason.toString());
      });
    },
  };
}

/** What is known of a connection. */
interface Extra {
  readonly socket: WebSocket;
  readonly client: LiveClient;
  authorization: string | undefined;
}

/** Those that wait here do so in the memory of the server. */
const MAX_BUFFERED = 1024 * 1024;
const BEAT_MS = 12_000;
/** For a client to read why it was closed. */
const FAREWELL_MS = 2_000;

function optionsFor(graph: Graph): ServerOptions<Record<string, unknown>, Extra> {
  return {
    connectionInitWaitTimeout: 10_000,
    onConnect({ connectionParams, extra }) {
      extra.authorization = authorizationIn(connectionParams) ?? extra.authorization;
      try {
        graph.contextFor(extra.authorization);
        return true;
      } catch {
        extra.socket.close(CloseCode.Unauthorized, 'The token is not known; leave it out to read.');
        return false;
      }
    },
    async onSubscribe({ extra }, _, request) {
      const { client, authorization } = extra;
      const answer = await graph.answerLive(client, { ...request, authorization });
      const isRefused = !(Symbol.asyncIterator in answer) && answer.errors !== undefined && answer.data === undefined;
      return isRefused ? (answer.errors ?? []).map(errorOf) : { ...ANSWERED, contextValue: answer };
    },
    // Answered above, and formatted where it was answered.
    subscribe: ({ contextValue }) => contextValue as never,
    onNext: (_, _id, _payload, _args, result) => result,
  };
}

/** The library wants an operation beside the answer; whether the answer is one or many it sees by itself. */
const ANSWERED = { schema: new GraphQLSchema({}), document: parse('subscription { answer }') };

/** For the library to format, which changes nothing. */
function errorOf({ message, path, extensions, locations }: GraphQLFormattedError): GraphQLError {
  return Object.assign(new GraphQLError(message, { path, extensions }), { locations });
}

/** As browsers have it; other clients send the header itself. */
function authorizationIn(parameters: Record<string, unknown> | undefined): string | undefined {
  const found = Object.entries(parameters ?? {}).find(([name]) => name.toLowerCase() === 'authorization')?.[1];
  return typeof found === 'string' ? found : undefined;
}

/**
 * Browsers let every page open a socket to everywhere, and say in Origin which page it is. There are no cookies that
 * would make a foreign page somebody else; but what a page may not read over HTTP it may not read here.
 */
function isForeign({ headers: { origin, host } }: FastifyRequest): boolean {
  return origin !== undefined && (!URL.canParse(origin) || new URL(origin).host !== host?.toLowerCase());
}

/** Resolves when the operating system has it, so that nobody produces faster than the client reads. */
async function send(socket: WebSocket, text: string, drop: () => void): Promise<void> {
  if (socket.readyState !== socket.OPEN) return;
  if (socket.bufferedAmount > MAX_BUFFERED) return drop();
  // A socket that broke ends its operations by itself.
  await new Promise<void>((resolve) => socket.send(text, () => resolve()));
}

function closeInTime(socket: WebSocket, code: number, reason: string): void {
  socket.close(code, reason);
  setTimeout(() => socket.terminate(), FAREWELL_MS).unref();
}

/** Ends a socket whose other side is gone, or does not read. */
function keepBeating(socket: WebSocket): () => void {
  let isAlive = true;
  socket.on('pong', () => (isAlive = true));
  const beat = setInterval(() => {
    if (!isAlive) return socket.terminate();
    isAlive = false;
    socket.ping();
  }, BEAT_MS);
  return () => clearInterval(beat);
}
