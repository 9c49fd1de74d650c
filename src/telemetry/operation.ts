import { SpanStatusCode, trace } from '@opentelemetry/api';
import { Histogram } from 'prom-client';
import { registry } from './registry.ts';

/** `refused` is the client's to change, `failed` is ours. */
export type OperationOutcome = 'answered' | 'refused' | 'failed';

/** A GraphQL operation that is being answered. */
export interface ObservedOperation {
  /** Once it is known: query, mutation or subscription, and the name that its author gave it. */
  named(type: string, name: string | null): void;
  ended(outcome: OperationOutcome): void;
}

/**
 * An operation from the moment it came. Its name, which the client chooses, is in the open span alone; what it asks, and
 * its variables, are nowhere.
 */
export function observeOperation(): ObservedOperation {
  const begun = performance.now();
  let type = 'unknown';
  return {
    named(known, name) {
      type = known;
      const span = trace.getActiveSpan();
      if (!span?.isRecording()) return;
      const shown = name?.slice(0, MAX_NAME) ?? null;
      span.updateName(shown === null ? known : `${known} ${shown}`).setAttribute('graphql.operation.type', known);
      if (shown !== null) span.setAttribute('graphql.operation.name', shown);
    },
    ended(outcome) {
      seconds.observe({ type, outcome }, (performance.now() - begun) / 1000);
      const span = trace.getActiveSpan();
      span?.setAttribute('stowage.outcome', outcome);
      if (outcome === 'failed') span?.setStatus({ code: SpanStatusCode.ERROR });
    },
  };
}

const MAX_NAME = 100;

const seconds = new Histogram({
  name: 'stowage_graphql_operation_duration_seconds',
  help: 'Time that answering a GraphQL operation took, by its type and by what came of it; a subscription until it began.',
  labelNames: ['type', 'outcome'],
  buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30],
  registers: [registry],
});
