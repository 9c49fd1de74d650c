import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPart, type Part } from '../part.ts';
import { median, print, printTable } from '../report.ts';
import { generateLayer, type GeneratedLayer } from './generated-layer.ts';
import type { LayerPartStart, Measured } from './layer-part.ts';

export interface InspectBench {
  /** Of the layer as it is stored. */
  readonly megabytes: number;
  readonly rounds: number;
  /** Of the layer whose inspection is watched for memory. */
  readonly large: number;
}

const MEGABYTE = 1e6;

/** Inspects generated layers, and does no more to them than unpacking and hashing. */
export async function benchInspect({ megabytes, rounds, large }: InspectBench): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'stowage-bench-'));
  try {
    const path = join(folder, 'member');
    await compareSpeed(generateLayer(megabytes * MEGABYTE, path), rounds);
    await watchMemory(generateLayer(large * MEGABYTE, path));
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** All sides in one process, in turns, so that they have the same of the machine. */
async function compareSpeed(layer: GeneratedLayer, rounds: number): Promise<void> {
  const part = startPart('./inspect/layer-part.ts');
  try {
    await part.call('start', { layer, threads: 2 } satisfies LayerPartStart);
    const { size } = layer.claim;
    const sides = [
      { name: 'unpacked and hashed, chunks of 16 KiB as Node has them', layers: 1, call: 'bare', argument: 16 * 1024 },
      { name: 'unpacked and hashed, chunks of 256 KiB', layers: 1, call: 'bare', argument: 256 * 1024 },
      { name: 'inspected', layers: 1, call: 'inspect', argument: 1 },
      { name: 'two inspected at once', layers: 2, call: 'inspect', argument: 2 },
    ];
    const speeds = sides.map((): number[] => []);
    const processor = sides.map((): number[] => []);
    for (let round = 0; round < rounds; round++) {
      for (const [at, { layers, call, argument }] of sides.entries()) {
        const measured = await part.call<Measured>(call, argument);
        speeds[at]?.push((layers * size) / MEGABYTE / (measured.milliseconds / 1000));
        processor[at]?.push(measured.processorMilliseconds / ((layers * size) / MEGABYTE));
      }
    }
    const bare = median(speeds[0] ?? []);
    const [, largeBare, inspected] = speeds.map(median);
    print(
      `\nA layer of ${Math.round(size / MEGABYTE)} MB, gzip; ${availableParallelism()} cores; medians of ${rounds}.\n`,
    );
    printTable(
      ['what is done to it', 'MB/s, stored', 'processor ms a MB', 'of the first'],
      sides.map(({ name }, at) => {
        const speed = median(speeds[at] ?? []);
        return [name, speed, median(processor[at] ?? []), speed / bare];
      }),
    );
    print(`Inspected: ${((inspected ?? NaN) / (largeBare ?? NaN)).toFixed(2)} of the second. Wanted: 0.6.\n`);
  } finally {
    await part.stop();
  }
}

async function watchMemory(layer: GeneratedLayer): Promise<void> {
  const rows: (string | number)[][] = [];
  for (const threads of [1, 2]) {
    const part = startPart('./inspect/layer-part.ts');
    try {
      rows.push([threads === 1 ? 'one' : 'two at once', ...(await memoryOf(part, { layer, threads }))]);
    } finally {
      await part.stop();
    }
  }
  printTable([`layers of ${Math.round(layer.claim.size / MEGABYTE)} MB`, 'resident MB before', 'at most'], rows);
}

async function memoryOf(part: Part, start: LayerPartStart): Promise<number[]> {
  await part.call('start', start);
  const before = await part.call<number>('memory');
  await part.call('inspect', start.threads);
  return [before, await part.call<number>('peakMemory')].map((bytes) => bytes / MEGABYTE);
}
