import type { FastifyInstance } from 'fastify';

/** Headers that tell browsers to load nothing from elsewhere and to guess nothing. */
export function secureAnswers(app: FastifyInstance): void {
  app.addHook('onRequest', (_, reply, done) => {
    void reply.headers(HEADERS);
    done();
  });
}

// GraphiQL's editor sets styles inline; without that it runs, but loses its colours and its height. Workers have the
// policy of the script that they are made of, so one policy holds for every answer.
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "worker-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
];

const HEADERS = {
  'content-security-policy': POLICY.join('; '),
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};
