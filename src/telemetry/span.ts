import {
  context,
  propagation,
  SpanStatusCode,
  trace,
  type Attributes,
  type Span,
  type SpanKind,
} from '@opentelemetry/api';

/** Without an exporter, all that it makes does nothing. */
export const tracer = trace.getTracer('stowage');

/** Of what a span is a part, as headers have it: https://www.w3.org/TR/trace-context/ */
export type TraceContext = Readonly<Record<string, string | string[] | undefined>>;

export interface SpanSettings {
  readonly kind?: SpanKind;
  readonly attributes?: Attributes;
  /** Where it was begun elsewhere; else it is a part of the span that is open here. */
  readonly parent?: TraceContext;
}

/** Does the work within a span; what is done meanwhile becomes a part of it. An error is marked by its kind alone. */
export function inSpan<T>(name: string, settings: SpanSettings, work: (span: Span) => Promise<T>): Promise<T> {
  const { parent, ...options } = settings;
  const within = parent === undefined ? context.active() : propagation.extract(context.active(), parent);
  return tracer.startActiveSpan(name, options, within, async (span) => {
    try {
      return await work(span);
    } catch (error) {
      span.setAttribute('error.type', typeOf(error)).setStatus({ code: SpanStatusCode.ERROR });
      throw error;
    } finally {
      span.end();
    }
  });
}

/** What the span that is open now hands on to who goes on elsewhere; empty where nothing is traced. */
export function currentTrace(): Record<string, string> {
  const carrier: Record<string, string> = {};
  propagation.inject(context.active(), carrier);
  return carrier;
}

function typeOf(error: unknown): string {
  const { code, name } = error as { code?: unknown; name?: unknown };
  return [code, name].find((word) => typeof word === 'string') ?? 'Error';
}
