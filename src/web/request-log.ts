import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';

/** One line for each request, at debug: which route and how it went, never what it asked. */
export function logRequests(app: FastifyInstance, log: Logger): void {
  app.addHook('onResponse', ({ method, routeOptions }, { statusCode, elapsedTime }, done) => {
    log.debug({ method, route: routeOptions.url, status: statusCode, ms: elapsedTime }, 'request');
    done();
  });
}
