import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Documents as registries send them, and vectors; they lie beside the checkout, where they are at all. */
const folder = fileURLToPath(new URL('../../../shared/design/samples/', import.meta.url));

/** A group of tests on the samples, reported as skipped where there are none. */
export const describeSamples = existsSync(folder) ? describe : describe.skip;

/** A test on the samples, reported as skipped where there are none. */
export const sampleTest = existsSync(folder) ? test : test.skip;

export function sample(name: string): Buffer {
  return readFileSync(folder + name);
}

/** Null where there are no samples, so that tables of tests can still be built. */
export function sampleJson<T>(name: string): T | null {
  return existsSync(folder) ? (JSON.parse(sample(name).toString()) as T) : null;
}
