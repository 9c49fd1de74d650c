import type { FastifyInstance } from 'fastify';
import type { Database } from '../catalog/database.ts';
import { messageOf } from '../domain/errors.ts';

const PATIENCE_MS = 2_000;

/** /healthz answers while the process lives, /readyz 200 while it can answer queries and 503 with a reason otherwise. */
export function reportHealth(app: FastifyInstance, database: Database, version: string): void {
  app.get('/healthz', () => ({ status: 'alive', version }));
  app.get('/readyz', async (_, reply) => {
    void reply.header('cache-control', 'no-store');
    try {
      await database.check(PATIENCE_MS);
      return { status: 'ready' };
    } catch (error) {
      return reply.code(503).send({ status: 'unavailable', reason: messageOf(error) });
    }
  });
}
