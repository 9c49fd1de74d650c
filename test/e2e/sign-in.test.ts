import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeRegistry, readExpected, startRegistry, type RealRegistry } from '../support/shared-images.ts';
import { startStowage, type RunningStowage } from '../support/stowage.ts';
import { startTokenServer } from '../support/token-server.ts';

const ACCOUNT = { username: 'reader', password: 'a:s3cret' };
const REPOSITORY = 'odd/same';

describeRegistry('a real registry that wants to know who asks', () => {
  let stowage: RunningStowage;
  let folder: string;
  const closes: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    stowage = await startStowage();
    closes.push(() => stowage.close());
    folder = await mkdtemp(join(tmpdir(), 'stowage-sign-in-'));
    closes.unshift(() => rm(folder, { recursive: true, force: true }));
  });

  afterAll(async () => {
    for (const close of closes) await close();
  });

  async function started(mode: 'htpasswd' | 'token'): Promise<RealRegistry> {
    const tokens = mode === 'token' ? await startTokenServer(folder, ACCOUNT) : null;
    const registry = await startRegistry({ account: { ...ACCOUNT, tokens: tokens && tokens.environment } });
    closes.unshift(async () => {
      await registry.stop();
      await tokens?.close();
    });
    await registry.loadRepository(REPOSITORY);
    return registry;
  }

  test.each(['htpasswd', 'token'] as const)(
    '%s: without a credential and with a wrong one nothing is read, with the right one all is',
    async (mode) => {
      const { host } = await started(mode);
      const source = await stowage.follow(host, REPOSITORY);
      for (const credential of [null, { ...ACCOUNT, password: 'guessed' }]) {
        await signIn(host, credential);
        const run = await stowage.sync(source);
        expect(run.status).toBe('FAILED');
        expect(run.errors.nodes.map(({ reference }) => reference)).toEqual([`${host}/${REPOSITORY}`]);
        expect(JSON.stringify(run)).not.toContain('guessed');
        expect(await stateOf(host)).toMatchObject({ health: { status: 'UNAUTHORIZED' }, repositories: { nodes: [] } });
      }
      await signIn(host, ACCOUNT);
      expect(await stowage.sync(source)).toMatchObject({ status: 'SUCCEEDED', errors: { nodes: [] } });
      const { health, repositories } = await stateOf(host);
      expect(health.status).toBe('HEALTHY');
      expect(repositories.nodes.map(({ name, tags }) => [name, digestsOf(tags.nodes)])).toEqual([
        [REPOSITORY, readExpected().repositories[REPOSITORY]?.tags],
      ]);
    },
    120_000,
  );

  async function signIn(host: string, credential: object | null): Promise<void> {
    const { updateRegistry } = await stowage.ask<{ updateRegistry: { userErrors: unknown[] } }>(
      `mutation ($input: UpdateRegistryInput!) { updateRegistry(input: $input) { userErrors { message } } }`,
      { input: { host, credential } },
    );
    expect(updateRegistry.userErrors).toEqual([]);
  }

  async function stateOf(host: string): Promise<State> {
    const { registry } = await stowage.ask<{ registry: State }>(
      `query ($host: String!) { registry(host: $host) {
         health { status } repositories { nodes { name tags { nodes { name manifest { digest } } } } }
       } }`,
      { host },
    );
    return registry;
  }
});

interface State {
  readonly health: { readonly status: string };
  readonly repositories: { readonly nodes: readonly { readonly name: string; readonly tags: { nodes: TagFact[] } }[] };
}

interface TagFact {
  readonly name: string;
  readonly manifest: { readonly digest: string };
}

function digestsOf(tags: readonly TagFact[]): Record<string, string> {
  return Object.fromEntries(tags.map(({ name, manifest }) => [name, manifest.digest]));
}
