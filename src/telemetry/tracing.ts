import { context, diag, DiagLogLevel, propagation, trace } from '@opentelemetry/api';
import type * as Sdk from '@opentelemetry/sdk-trace';

export interface TracingSettings {
  /** As OTEL_TRACES_SAMPLER and OTEL_TRACES_SAMPLER_ARG have it. */
  readonly sampler: { readonly name: string; readonly ratio: number };
}

/**
 * Sends what is traced from now on to the collector that the environment names, as OTLP over HTTP. Answers with what
 * sends the rest and ends it; `warn` is told when something can't be sent. The packages are loaded here, and by nobody who does not trace.
 */
export async function startTracing(
  version: string,
  { sampler }: TracingSettings,
  warn: (message: string) => void,
): Promise<() => Promise<void>> {
  const [sdk, { OTLPTraceExporter }, { AsyncLocalStorageContextManager }, core, resources] = await Promise.all([
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/exporter-trace-otlp-proto'),
    import('@opentelemetry/context-async-hooks'),
    import('@opentelemetry/core'),
    import('@opentelemetry/resources'),
  ]);
  const named = resources.resourceFromAttributes({ 'service.name': 'stowage', 'service.version': version });
  const detected = resources.detectResources({ detectors: [resources.envDetector, resources.hostDetector] });
  await detected.waitForAsyncAttributes?.();
  const provider = new sdk.TracerProvider({
    resource: resources.defaultResource().merge(named).merge(detected),
    sampler: samplerOf(sdk, sampler),
    spanProcessors: [new sdk.BatchSpanProcessor({ exporter: new OTLPTraceExporter() })],
  });
  const quiet = () => undefined;
  const told = (message: string) => warn(`Traces are not sent: ${reasonOf(message)}`);
  diag.setLogger({ error: told, warn: told, info: quiet, debug: quiet, verbose: quiet }, DiagLogLevel.WARN);
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new core.W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(provider);
  // What can't be sent has been told, and nothing else waits for it.
  return () => provider.shutdown().catch(quiet);
}

/** The library tells an error as JSON, with its stack. */
function reasonOf(message: string): string {
  try {
    return (JSON.parse(message) as { message?: string }).message ?? message;
  } catch {
    return message;
  }
}

function samplerOf(sdk: typeof Sdk, { name, ratio }: TracingSettings['sampler']): Sdk.Sampler {
  const root = name.endsWith('always_off')
    ? new sdk.AlwaysOffSampler()
    : name.endsWith('traceidratio')
      ? new sdk.TraceIdRatioBasedSampler(ratio)
      : new sdk.AlwaysOnSampler();
  return name.startsWith('parentbased') ? new sdk.ParentBasedSampler({ root }) : root;
}
