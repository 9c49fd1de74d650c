import { SpanKind, SpanStatusCode, type Span } from '@opentelemetry/api';
import { Counter, Histogram } from 'prom-client';
import { registry } from './registry.ts';
import { tracer } from './span.ts';

/** A request that was sent, and is told here what becomes of it: `answered` or `failed`, then `ended`, each once. */
export interface ObservedRequest {
  answered(status: number): void;
  /** `reason` is one of few words, such as TIMEOUT. */
  failed(reason: string): void;
  /** No more bytes will come; so many did. */
  ended(bytes: number): void;
}

/**
 * A request to the outside, from the moment it is sent. Metrics name a host only where we ask it by ourselves: an answer
 * can point to any number of others.
 */
export function observeRequest(method: string, origin: string, isOurChoice: boolean): ObservedRequest {
  const begun = performance.now();
  const host = isOurChoice ? hostOf(origin) : OTHER;
  const span = spanOf(method, origin);
  let outcome = 'ABORTED';
  return {
    answered(status) {
      outcome = String(status);
      span.setAttribute('http.response.status_code', status);
      if (status >= 400) span.setStatus({ code: SpanStatusCode.ERROR });
    },
    failed(reason) {
      outcome = reason;
      span.setAttribute('error.type', reason).setStatus({ code: SpanStatusCode.ERROR });
    },
    ended(bytes) {
      span.end();
      requests.inc({ host, status: outcome.toLowerCase() });
      seconds.observe({ host }, (performance.now() - begun) / 1000);
      received.inc({ host }, bytes);
    },
  };
}

const OTHER = 'other';
/** A registry can have its token service at any port of its own host. */
const MAX_HOSTS = 1_000;
const hosts = new Map<string, string>();

function hostOf(origin: string): string {
  const known = hosts.get(origin);
  if (known !== undefined || hosts.size >= MAX_HOSTS) return known ?? OTHER;
  const { host } = new URL(origin);
  hosts.set(origin, host);
  return host;
}

/** https://opentelemetry.io/docs/specs/semconv/http/http-spans/, without paths and queries, which may hold secrets. */
function spanOf(method: string, origin: string): Span {
  const span = tracer.startSpan(method, { kind: SpanKind.CLIENT });
  if (!span.isRecording()) return span;
  const { hostname, port, protocol } = new URL(origin);
  return span.setAttributes({
    'http.request.method': method,
    'server.address': hostname,
    'server.port': Number(port) || (protocol === 'https:' ? 443 : 80),
  });
}

const requests = new Counter({
  name: 'stowage_http_client_requests_total',
  help: 'Requests sent to the outside, by host (other where an answer pointed there) and status or what went wrong.',
  labelNames: ['host', 'status'],
  registers: [registry],
});

const seconds = new Histogram({
  name: 'stowage_http_client_request_duration_seconds',
  help: 'Time from sending a request to the end of its answer, by host.',
  labelNames: ['host'],
  buckets: [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
  registers: [registry],
});

const received = new Counter({
  name: 'stowage_http_client_received_bytes_total',
  help: 'Bytes of bodies received from the outside as they came over the wire, by host.',
  labelNames: ['host'],
  registers: [registry],
});
