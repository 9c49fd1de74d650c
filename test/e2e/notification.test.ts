import { describeRegistry, startRegistry, type RealRegistry } from '../support/shared-images.ts';
import { startStowage, type RunningStowage } from '../support/stowage.ts';

const SECRET = 'a-secret-of-enough-signs';

describeRegistry('a real registry that tells what happens in it', () => {
  let registry: RealRegistry;
  let stowage: RunningStowage;

  beforeAll(async () => {
    stowage = await startStowage();
    registry = await startRegistry({
      notify: { token: SECRET, urlOf: (host) => `${stowage.address}/hooks/${host}` },
    });
    await stowage.follow(registry.host, 'team/*', SECRET);
  }, 60_000);

  afterAll(async () => {
    await stowage.close();
    await registry.stop();
  });

  async function digestOf(reference: string): Promise<string | null> {
    const { tag } = await stowage.ask<{ tag: { manifest: { digest: string } | null } | null }>(
      'query ($reference: ImageReference!) { tag(reference: $reference) { manifest { digest } } }',
      { reference: `${registry.host}/${reference}` },
    );
    return tag?.manifest?.digest ?? null;
  }

  /** Waits until the graph says it, and tells how long that took since the registry had it. */
  async function told(what: string, isTold: (digest: string | null) => boolean, reference: string): Promise<void> {
    const began = performance.now();
    while (!isTold(await digestOf(reference))) await new Promise((resolve) => setTimeout(resolve, 20));
    process.stderr.write(`${what}: in the graph after ${((performance.now() - began) / 1000).toFixed(2)} s\n`);
  }

  test('has its pushes, moves and deletions in the graph at once, though no schedule looks at it', async () => {
    await registry.push('team/app:1.0', 'demo/base:1.0');
    await told('push', (digest) => digest !== null, 'team/app:1.0');
    const first = (await digestOf('team/app:1.0')) as string;

    await registry.push('team/app:1.0', 'demo/base:1.1');
    await told('move', (digest) => digest !== first, 'team/app:1.0');
    const second = (await digestOf('team/app:1.0')) as string;

    await registry.push('team/other:latest', 'demo/base:1.1');
    await told('push of another repository', (digest) => digest === second, 'team/other:latest');

    await registry.deleteManifest('team/app', second);
    await told('deletion', (digest) => digest === null, 'team/app:1.0');
    expect(await digestOf('team/other:latest')).toBe(second);

    await registry.push('foreign/app:1.0', 'demo/base:1.0');
    await registry.push('team/last:1.0', 'demo/base:1.0');
    await told('push after one that nobody follows', (digest) => digest === first, 'team/last:1.0');
    const { registry: seen } = await stowage.ask<{ registry: { syncRuns: { nodes: { trigger: string }[] } } }>(
      'query ($host: String!) { registry(host: $host) { repositories { nodes { name } } syncRuns { nodes { trigger status } } } }',
      { host: registry.host },
    );
    expect(seen).toMatchObject({
      repositories: { nodes: [{ name: 'team/app' }, { name: 'team/last' }, { name: 'team/other' }] },
    });
    expect(new Set(seen.syncRuns.nodes.map(({ trigger }) => trigger))).toEqual(new Set(['WEBHOOK']));
  }, 120_000);
});
