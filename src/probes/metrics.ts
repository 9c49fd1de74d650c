import type { FastifyInstance } from 'fastify';
import type { MetricsPage } from '../telemetry/index.ts';

/** /metrics, as Prometheus reads it. */
export function serveMetrics(app: FastifyInstance, page: MetricsPage): void {
  app.get('/metrics', async (_, reply) => {
    const { contentType, text } = await page();
    return reply.header('cache-control', 'no-store').type(contentType).send(text);
  });
}
