/** What is counted and timed, for Prometheus, and traced, for OpenTelemetry; whoever does something tells it here. */
export { metricsPage, type MetricsPage } from './metrics.ts';
export { countNotification, type NotificationResult } from './notification.ts';
export { observeOperation, type ObservedOperation, type OperationOutcome } from './operation.ts';
export { watchPool } from './pool.ts';
export { observeRequest, type ObservedRequest } from './request.ts';
export { currentTrace, inSpan, type TraceContext } from './span.ts';
export { countRepository, countRun, type RepositoryTally } from './sync.ts';
export { startTracing, type TracingSettings } from './tracing.ts';
export { type RegistryVitals, type QueuedJobs, type Vitals } from './vitals.ts';
