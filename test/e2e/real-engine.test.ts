import type { Digest } from '../../src/domain/digest.ts';
import { parseImageConfig } from '../../src/domain/image-config.ts';
import type { OpenRuntime } from '../../src/runtimes/runtime.ts';
import { describeEngine, startEngine, type EngineName, type RealEngine } from '../support/real-engine.ts';
import { containersOf, openAt, unaborted, watch } from '../support/runtime.ts';
import { readExpected, startRegistry, type RealRegistry } from '../support/shared-images.ts';

const TAG = '1.37.0-musl';
const KINDS = { docker: 'DOCKER', podman: 'PODMAN' } as const;

describe.each<EngineName>(['docker', 'podman'])('a real %s', (name) => {
  describeEngine(name, 'tells what it has and does', () => {
    let registry: RealRegistry;
    let engine: RealEngine;
    let runtime: OpenRuntime;
    let image: string;

    beforeAll(async () => {
      registry = await startRegistry();
      await registry.loadRepository('library/busybox');
      engine = await startEngine(name, registry.host);
      runtime = await openAt(KINDS[name], engine.endpoint);
      image = `${registry.host}/library/busybox`;
      await engine.call('POST', `/images/create?fromImage=${image}&tag=${TAG}`);
    }, 120_000);

    afterAll(async () => {
      await runtime?.close();
      await engine?.close();
      await registry?.stop();
    }, 60_000);

    /** Its id. */
    async function create(container: string, more: object = {}): Promise<string> {
      const asked = { Image: `${image}:${TAG}`, Cmd: ['sleep', '1000'], HostConfig: { NetworkMode: 'none' }, ...more };
      const { Id: id } = await engine.call<{ Id: string }>('POST', `/containers/create?name=${container}`, asked);
      return id;
    }

    test('an image is known by the digest that its tag has in the registry, its configuration and its layers', async () => {
      const { repositories, manifests } = readExpected();
      const index = repositories['library/busybox']?.tags[TAG] as string;
      const member = manifests[index]?.members?.find(({ platform }) => platform?.['architecture'] === 'amd64');
      const manifest = manifests[member?.digest as string];
      const id = await create('known', { Labels: { team: 'a' }, Env: ['PASSWORD=of-the-container'] });
      await engine.call('POST', `/containers/${id}/start`);
      const container = (await containersOf(runtime)).get('known');
      expect(container).toMatchObject({
        containerId: id,
        imageReference: `${image}:${TAG}`,
        image: { platform: { os: 'linux', architecture: 'amd64' } },
        state: 'RUNNING',
        exitCode: null,
        startedAt: expect.any(Date),
        finishedAt: null,
        command: ['sleep', '1000'],
        labels: { team: 'a' },
        restartCount: 0,
      });
      const pulled = container?.image.evidence.filter(({ via }) => via === 'PULLED_DIGEST').map(({ digest }) => digest);
      // Podman knows both what the tag names and the member of it that it took.
      expect([...(pulled ?? [])].sort()).toEqual((name === 'docker' ? [index] : [index, member?.digest]).sort());
      expect(container?.image.evidence.slice(pulled?.length)).toEqual([
        { via: 'CONFIG', digest: manifest?.config?.digest },
        { via: 'LAYERS', digest: manifest?.layers?.[0]?.diff_id },
      ]);
      expect(JSON.stringify(container)).not.toContain('of-the-container');
    });

    test('creating, starting, stopping, committing and removing are told as they happen', async () => {
      const watched = await watch(runtime);
      const seen = (id: string, state: string) =>
        watched.until((change) => change.seen.some((found) => found.containerId === id && found.state === state));
      const id = await create('followed');
      await seen(id, 'CREATED');
      await engine.call('POST', `/containers/${id}/start`);
      await seen(id, 'RUNNING');
      await engine.call('POST', `/containers/${id}/pause`);
      await seen(id, 'PAUSED');
      await engine.call('POST', `/containers/${id}/unpause`);
      await seen(id, 'RUNNING');
      await engine.call('POST', `/containers/${id}/stop?t=0`);
      const stopped = await seen(id, 'EXITED');
      expect(stopped.seen.find(({ containerId }) => containerId === id)).toMatchObject({
        exitCode: 137,
        finishedAt: expect.any(Date),
      });

      const { Id: made } = await engine.call<{ Id: string }>(
        'POST',
        `/commit?container=${id}&repo=localhost/made&tag=1`,
        {},
      );
      const committed = await watched.until(
        ({ hasOtherImages, commits }) => hasOtherImages && (name === 'podman' || commits.length > 0),
      );
      const imageId = `sha256:${made.replace(/^sha256:/, '')}` as Digest;
      // Podman does not say which image it made.
      expect(committed.commits).toEqual(name === 'docker' ? [{ containerId: id, imageId }] : []);

      await engine.call('DELETE', `/containers/${id}`);
      expect((await watched.until(({ removed }) => removed.includes(id))).removed).toContain(id);
      expect((await containersOf(runtime)).has('followed')).toBe(false);
      watched.stop();
    }, 60_000);

    test('an image that was made here is local, and stands on the one that its container was made of', async () => {
      const signal = unaborted();
      const id = await create('changed', { Cmd: ['touch', '/new'] });
      await engine.call('POST', `/containers/${id}/start`);
      await engine.call('POST', `/containers/${id}/wait`);
      const { Id: made } = await engine.call<{ Id: string }>(
        'POST',
        `/commit?container=${id}&repo=localhost/changed&comment=why`,
        {},
      );
      const imageId = `sha256:${made.replace(/^sha256:/, '')}` as Digest;
      expect(await runtime.listLocalImages?.(signal)).toContain(imageId);
      const found = await runtime.fetchLocalImage?.(imageId, signal);
      const configuration = parseImageConfig(found?.configuration ?? new Uint8Array());
      const base = (await containersOf(runtime)).get('changed')?.image.evidence.at(-1)?.digest;
      expect(configuration.platform).toMatchObject({ os: 'linux', architecture: 'amd64' });
      expect(configuration.diffIds).toHaveLength(2);
      expect(configuration.diffIds[0]).toBe(base);
      expect(found?.layerSizes).toEqual([expect.any(Number), expect.any(Number)]);
      if (name === 'docker') {
        expect(JSON.parse(Buffer.from(found?.configuration ?? []).toString())).toMatchObject({ container: id });
      }
      await engine.call('POST', '/containers/create?name=of-made', {
        Image: 'localhost/changed',
        HostConfig: { NetworkMode: 'none' },
      });
      const ofMade = (await containersOf(runtime)).get('of-made');
      expect(ofMade?.image.evidence).toContainEqual({ via: 'CONFIG', digest: imageId });
    }, 60_000);

    test('a tag that moved on leaves the container with the name that it was asked for by, and its old image', async () => {
      const before = (await containersOf(runtime)).get('known');
      await engine.call('POST', `/images/create?fromImage=${image}&tag=1.37.0-uclibc`);
      await engine.call('POST', `/images/${image}:1.37.0-uclibc/tag?repo=${image}&tag=${TAG}`);
      const after = (await containersOf(runtime)).get('known');
      expect(after?.imageReference).toBe(`${image}:${TAG}`);
      const evidence = before?.image.evidence ?? [];
      // Podman forgets with the name the digests that it was pulled by.
      const kept = name === 'docker' ? evidence : evidence.filter(({ via }) => via !== 'PULLED_DIGEST');
      expect(after?.image.evidence).toEqual(kept);
    }, 60_000);

    test('what changed while nobody listened is there when it is listed again', async () => {
      const id = await create('behind-our-back');
      const watched = await watch(runtime);
      const ended = watched.end().then(
        () => 'ended',
        () => 'failed',
      );
      await engine.stop();
      expect(['ended', 'failed']).toContain(await ended);
      await expect(containersOf(runtime)).rejects.toMatchObject({ code: 'UNREACHABLE' });
      await engine.start();
      await engine.call('DELETE', `/containers/${id}`);
      const containers = await containersOf(runtime);
      expect(containers.has('behind-our-back')).toBe(false);
      expect(containers.has('known')).toBe(true);
    }, 60_000);
  });
});
