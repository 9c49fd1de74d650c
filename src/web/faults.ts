import type { FastifyError, FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { hidden, type ClientErrorCode } from '../graphql/index.ts';

/** Answers what never reached a route, or broke in one, in the form that GraphQL clients read. */
export function answerFaults(app: FastifyInstance, log: Logger): void {
  app.setErrorHandler((error: FastifyError, _, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500) return reply.code(status).send({ errors: [hidden(log, error)] });
    return reply.code(status).send(faultOf('BAD_REQUEST', messageFor(error)));
  });
  app.setNotFoundHandler((request, reply) =>
    reply
      .code(404)
      .send(
        faultOf('NOT_FOUND', `There is no ${request.method} ${request.url.slice(0, 200)}: the graph is at /graphql.`),
      ),
  );
}

/** One error, as GraphQL clients read it. */
export function faultOf(code: ClientErrorCode, message: string) {
  return { errors: [{ message, extensions: { code } }] };
}

function messageFor(error: FastifyError): string {
  return ADVICE[error.code] ?? error.message;
}

const ADVICE: Readonly<Record<string, string | undefined>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'The request body is larger than 1 MB: send less in one request.',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'The request body is not JSON: send it with Content-Type: application/json.',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'The request body is empty: send JSON with a "query".',
};
