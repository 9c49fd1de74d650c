import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A span as a collector gets it. */
export interface CollectedSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty where it is the first of its trace. */
  readonly parentId: string;
  readonly name: string;
  readonly attributes: Readonly<Record<string, string | number>>;
}

/** What collects traces, on loopback. */
export interface Collector {
  readonly url: string;
  readonly spans: CollectedSpan[];
  /** All that came, as it came. */
  readonly bodies: Buffer[];
  close(): Promise<void>;
}

/** https://opentelemetry.io/docs/specs/otlp/#otlphttp-request, in protobuf. */
export async function startCollector(): Promise<Collector> {
  const spans: CollectedSpan[] = [];
  const bodies: Buffer[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      bodies.push(body);
      if (request.url === '/v1/traces') spans.push(...spansOf(body));
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    bodies,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Numbers of https://github.com/open-telemetry/opentelemetry-proto: resource_spans 1, scope_spans 2, spans 2. */
function spansOf(body: Buffer): CollectedSpan[] {
  return partsOf(body, 1)
    .flatMap((resourceSpans) => partsOf(resourceSpans, 2))
    .flatMap((scopeSpans) => partsOf(scopeSpans, 2))
    .map((span) => {
      const [traceId, spanId, parentId, name] = [1, 2, 4, 5].map((field) => partsOf(span, field)[0] ?? Buffer.alloc(0));
      return {
        traceId: traceId?.toString('hex') ?? '',
        spanId: spanId?.toString('hex') ?? '',
        parentId: parentId?.toString('hex') ?? '',
        name: name?.toString() ?? '',
        attributes: Object.fromEntries(partsOf(span, 9).map(attributeOf)),
      };
    });
}

function attributeOf(pair: Buffer): [string, string | number] {
  const key = partsOf(pair, 1)[0]?.toString() ?? '';
  const value = partsOf(pair, 2)[0] ?? Buffer.alloc(0);
  const text = partsOf(value, 1)[0];
  return [key, text === undefined ? Number(fieldsOf(value).find(({ field }) => field === 3)?.number) : text.toString()];
}

function partsOf(message: Buffer, wanted: number): Buffer[] {
  return fieldsOf(message).flatMap(({ field, bytes }) => (field === wanted && bytes ? [bytes] : []));
}

interface Field {
  readonly field: number;
  readonly bytes?: Buffer;
  readonly number?: bigint;
}

/** https://protobuf.dev/programming-guides/encoding/ */
function fieldsOf(message: Buffer): Field[] {
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message[at++] ?? 0;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const fields: Field[] = [];
  while (at < message.length) {
    const tag = Number(varint());
    const field = tag >> 3;
    if ((tag & 7) === 0) {
      fields.push({ field, number: varint() });
      continue;
    }
    const length = (tag & 7) === 2 ? Number(varint()) : (tag & 7) === 1 ? 8 : 4;
    fields.push({ field, bytes: message.subarray(at, (at += length)) });
  }
  return fields;
}
