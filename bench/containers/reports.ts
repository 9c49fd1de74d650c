import type { ReportedContainer } from '../../src/commands/index.ts';
import type { Digest } from '../../src/domain/digest.ts';

export interface RunnableImage {
  readonly digest: Digest;
  readonly configDigest: Digest;
  readonly reference: string;
}

/** The containers of a host, always the same ones of the same name. */
export function observe(host: string, count: number, images: readonly RunnableImage[]): ReportedContainer[] {
  return Array.from({ length: count }, (_, at) => {
    const image = images[(hashOf(host) + at * 7) % images.length] as RunnableImage;
    return {
      containerId: `${host}-${at}`,
      name: `service-${at}`,
      imageReference: image.reference,
      imageDigest: image.digest,
      imageId: image.configDigest,
      state: 'RUNNING',
      createdAt: new Date('2026-01-01T00:00:00Z'),
      command: ['serve', '--port', '8080'],
      labels: LABELS,
      ports: [{ containerPort: 8080, protocol: 'tcp', hostPort: 8080 + at }],
    };
  });
}

export function reportOf(runtime: string, observedAt: Date, containers: readonly ReportedContainer[]) {
  return { runtime, kind: 'DOCKER' as const, observedAt, containers };
}

const LABELS = [
  { name: 'com.docker.compose.project', value: 'shop' },
  { name: 'com.docker.compose.service', value: 'api' },
  { name: 'org.opencontainers.image.source', value: 'https://git.example.com/shop/api' },
  { name: 'team', value: 'payments' },
];

function hashOf(text: string): number {
  let hash = 0;
  for (const character of text) hash = (hash * 31 + character.charCodeAt(0)) >>> 0;
  return hash;
}
