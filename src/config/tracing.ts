import type { Environment } from './environment.ts';

/** What Stowage itself reads of OpenTelemetry's variables; its libraries read the rest. */
export interface TracingSettings {
  readonly sampler: { readonly name: SamplerName; readonly ratio: number };
}

export type SamplerName = (typeof SAMPLERS)[number];

const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;

/**
 * Null where no collector is named, or tracing is off. Adds what is wrong to `faults`.
 * https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 */
export function readTracing(environment: Environment, faults: string[]): TracingSettings | null {
  const valueOf = (name: string) => environment[name]?.trim() || null;
  const endpoints = ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'].filter(valueOf);
  const isOff = valueOf('OTEL_SDK_DISABLED')?.toLowerCase() === 'true' || valueOf('OTEL_TRACES_EXPORTER') === 'none';
  if (endpoints.length === 0 || isOff) return null;

  for (const name of endpoints) {
    if (/^https?:$/.test(URL.parse(valueOf(name) ?? '')?.protocol ?? '')) continue;
    faults.push(`environment ${name}: is not the address of a collector: write one such as http://localhost:4318.`);
  }
  for (const name of ['OTEL_EXPORTER_OTLP_PROTOCOL', 'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL']) {
    const protocol = valueOf(name) ?? PROTOCOL;
    if (protocol === PROTOCOL) continue;
    faults.push(`environment ${name}: "${protocol.slice(0, 200)}" is not spoken: write ${PROTOCOL}, or nothing.`);
  }
  const written = valueOf('OTEL_TRACES_SAMPLER') ?? 'parentbased_always_on';
  const name = SAMPLERS.find((sampler) => sampler === written);
  if (name === undefined) {
    faults.push(`environment OTEL_TRACES_SAMPLER: "${written.slice(0, 200)}" is not one of ${SAMPLERS.join(', ')}.`);
  }
  const share = valueOf('OTEL_TRACES_SAMPLER_ARG') ?? '1';
  const ratio = Number(share);
  if (!(ratio >= 0 && ratio <= 1)) {
    faults.push(
      `environment OTEL_TRACES_SAMPLER_ARG: "${share.slice(0, 200)}" is not a share from 0 to 1, such as 0.1.`,
    );
  }
  return { sampler: { name: name ?? 'parentbased_always_on', ratio } };
}

const PROTOCOL = 'http/protobuf';
