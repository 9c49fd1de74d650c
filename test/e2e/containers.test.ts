import { rm, symlink } from 'node:fs/promises';
import { describeEngine, startEngine, type EngineName, type RealEngine } from '../support/real-engine.ts';
import { describeRegistry, startRegistry, type RealRegistry } from '../support/shared-images.ts';
import { startStowage, type RunningStowage } from '../support/stowage.ts';

const KINDS = { docker: 'DOCKER', podman: 'PODMAN' } as const;

describeRegistry('with a real registry', () => {
  let registry: RealRegistry;

  beforeAll(async () => {
    registry = await startRegistry();
    await registry.loadOnly('^(library/alpine:3[.](18|20[.]3)|acme/shop-api:1[.]2[23][.]0)$');
  }, 60_000);

  afterAll(() => registry?.stop());

  describe.each<EngineName>(['docker', 'podman'])('and a real %s', (name) => {
    describeEngine(name, 'the graph follows what runs', () => {
      let stowage: RunningStowage;
      let engine: RealEngine;
      let source: string;
      /** Where the worker looks for the engine; a link, so that it can be away while the engine is not. */
      let door: string;

      beforeAll(async () => {
        stowage = await startStowage();
        await registry.loadOnly('^acme/shop-api:1[.]22[.]0$');
        source = await stowage.follow(registry.host, '*');
        await stowage.sync(source);
        engine = await startEngine(name, registry.host);
        door = `${engine.endpoint.replace('unix://', '')}.door`;
        await open();
        const { addRuntime } = await stowage.ask<{ addRuntime: { userErrors: object[] } }>(
          `mutation ($input: AddRuntimeInput!) { addRuntime(input: $input) { userErrors { message } } }`,
          { input: { name: 'host-1', kind: KINDS[name], endpoint: `unix://${door}` } },
        );
        expect(addRuntime.userErrors).toEqual([]);
        await pull('acme/shop-api', '1.22.0');
        await pull('library/alpine', '3.20.3');
      }, 180_000);

      afterAll(async () => {
        await engine?.close();
        await stowage?.close();
      }, 60_000);

      const open = () => symlink(engine.endpoint.replace('unix://', ''), door);
      const pull = (repository: string, tag: string) =>
        engine.call('POST', `/images/create?fromImage=${registry.host}/${repository}&tag=${tag}`);

      async function create(container: string, image: string): Promise<string> {
        const { Id } = await engine.call<{ Id: string }>('POST', `/containers/create?name=${container}`, {
          Image: `${registry.host}/${image}`,
          Entrypoint: ['/bin/sleep'],
          Cmd: ['1000'],
          HostConfig: { NetworkMode: 'none' },
          Labels: { team: 'shop' },
        });
        return Id;
      }

      interface Told {
        readonly name: string;
        readonly state: string;
        readonly removedAt: string | null;
        readonly isOutdated: boolean | null;
        readonly image: { readonly digest: string } | null;
        readonly tag: { readonly name: string } | null;
      }

      async function told(container: string): Promise<Told | null> {
        const answer = await stowage.ask<{ containers: { nodes: Told[] } }>(
          `query ($name: String!) {
             containers(filter: { name: $name, includeRemoved: true }, first: 1) {
               nodes { name state removedAt isOutdated image { digest } tag { name } }
             }
           }`,
          { name: container },
        );
        return answer.containers.nodes[0] ?? null;
      }

      /** Waits until the graph says it, and tells how long that took since the engine did it. */
      async function follows(what: string, container: string, holds: (told: Told) => boolean): Promise<Told> {
        const began = performance.now();
        for (;;) {
          const seen = await told(container);
          if (seen !== null && holds(seen)) {
            process.stderr.write(`${name}, ${what}: in the graph after ${Math.round(performance.now() - began)} ms\n`);
            return seen;
          }
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      }

      test('each container with its image and its tag, and what becomes of it', async () => {
        const id = await create('shop', 'acme/shop-api:1.22.0');
        const created = await follows('created', 'shop', ({ state }) => state === 'CREATED');
        const { tag } = await stowage.ask<{ tag: { image: { digest: string } } }>(
          'query ($reference: ImageReference!) { tag(reference: $reference) { image { digest } } }',
          { reference: `${registry.host}/acme/shop-api:1.22.0` },
        );
        expect(created).toMatchObject({ image: tag.image, tag: { name: '1.22.0' }, isOutdated: false });
        await engine.call('POST', `/containers/${id}/start`);
        await follows('started', 'shop', ({ state }) => state === 'RUNNING');
        await engine.call('POST', `/containers/${id}/stop?t=0`);
        await follows('stopped', 'shop', ({ state }) => state === 'EXITED');
        await engine.call('POST', `/containers/${id}/start`);
        await follows('started again', 'shop', ({ state }) => state === 'RUNNING');
        const passing = await create('passing', 'library/alpine:3.20.3');
        await follows('created', 'passing', ({ state }) => state === 'CREATED');
        await engine.call('DELETE', `/containers/${passing}?force=1`);
        await follows('removed', 'passing', ({ removedAt }) => removedAt !== null);
      });

      test('"which running containers stand on this base image, by host"', async () => {
        const { containers, image } = await stowage.ask<{
          containers: { nodes: { name: string; runtime: { name: string } }[] };
          image: { impact: { runningContainers: number; breakdown: { key: string; value: number }[] } };
        }>(
          `query ($base: ImageReference!) {
             containers(filter: { state: [RUNNING], image: { derivedFrom: $base } }) { nodes { name runtime { name } } }
             image(reference: $base) { impact { runningContainers breakdown(by: RUNTIME) { key value } } }
           }`,
          { base: `${registry.host}/library/alpine:3.18` },
        );
        expect(containers.nodes).toEqual([{ name: 'shop', runtime: { name: 'host-1' } }]);
        expect(image.impact).toEqual({ runningContainers: 1, breakdown: [{ key: 'host-1', value: 1 }] });
      });

      test('"which containers are behind their tag, and by how much"', async () => {
        const behind = () =>
          stowage.ask<{ containers: { nodes: { name: string; drift: object }[] } }>(
            '{ containers(filter: { isOutdated: true }) { nodes { name drift { movesBehind tag { name } current { digest } } } } }',
          );
        expect((await behind()).containers.nodes).toEqual([]);
        await registry.retag('acme/shop-api', '1.23.0', '1.22.0');
        await stowage.sync(source);
        const { tag } = await stowage.ask<{ tag: { image: { digest: string } } }>(
          'query ($reference: ImageReference!) { tag(reference: $reference) { image { digest } } }',
          { reference: `${registry.host}/acme/shop-api:1.23.0` },
        );
        expect((await behind()).containers.nodes).toEqual([
          { name: 'shop', drift: { movesBehind: 1, tag: { name: '1.22.0' }, current: tag.image } },
        ]);
      });

      test('"why can\'t I delete this image": it is refused with the containers of it, and nothing is changed', async () => {
        const image = (await told('shop'))?.image?.digest;
        const { deleteImage } = await stowage.ask<{
          deleteImage: { deletedDigest: string | null; userErrors: object[] };
        }>(
          `mutation ($digest: Digest!) {
             deleteImage(input: { digest: $digest, deleteFromRegistry: true }) {
               deletedDigest
               userErrors { __typename ... on ImageInUse { containers { nodes { name state } } } }
             }
           }`,
          { digest: image },
        );
        expect(deleteImage).toEqual({
          deletedDigest: null,
          userErrors: [{ __typename: 'ImageInUse', containers: { nodes: [{ name: 'shop', state: 'RUNNING' }] } }],
        });
        expect(
          await stowage.ask('query ($digest: Digest!) { image(digest: $digest) { isInUse isAvailable } }', {
            digest: image,
          }),
        ).toEqual({
          image: { isInUse: true, isAvailable: true },
        });
      });

      test('"which images does nothing use": all but the one that runs', async () => {
        const { images, all, statistics } = await stowage.ask<{
          images: { totalCount: number };
          all: { totalCount: number };
          statistics: { unusedImages: number };
        }>(`{
          images(filter: { inUse: false, isAvailable: true }) { totalCount }
          all: images(filter: { isAvailable: true }) { totalCount }
          statistics { unusedImages }
        }`);
        expect(images.totalCount).toBe(all.totalCount - 1);
        expect(statistics.unusedImages).toBe(images.totalCount);
      });

      test('an image that is made from a container is in the graph, and tied to it as far as the engine tells', async () => {
        const { Id } = await engine.call<{ Id: string }>(
          'POST',
          '/commit?container=shop&repo=localhost/made&tag=1',
          {},
        );
        const configDigest = Id.startsWith('sha256:') ? Id : `sha256:${Id}`;
        const images = async () =>
          (
            await stowage.ask<{ images: { nodes: { configDigest: string }[] } }>(
              '{ images(filter: { isAvailable: false }) { nodes { configDigest committedFrom { name } baseImage { digest } } } }',
            )
          ).images.nodes.find((image) => image.configDigest === configDigest);
        while ((await images()) === undefined) await new Promise((resolve) => setTimeout(resolve, 20));
        // Podman's API says nowhere which container it was.
        const container = name === 'docker' ? { name: 'shop' } : null;
        expect(await images()).toMatchObject({ committedFrom: container });
        const { containers } = await stowage.ask<{ containers: { nodes: object[] } }>(
          '{ containers(filter: { name: "shop" }) { nodes { committedImages { nodes { configDigest } } } } }',
        );
        const committed = container === null ? [] : [{ configDigest }];
        expect(containers.nodes).toEqual([{ committedImages: { nodes: committed } }]);
      });

      test('what was changed while the engine was out of reach is true again when it is back', async () => {
        const health = async () =>
          (
            await stowage.ask<{ runtime: { health: { status: string } } }>(
              '{ runtime(name: "host-1") { health { status } } }',
            )
          ).runtime.health.status;
        await rm(door);
        await engine.stop();
        while ((await health()) !== 'UNREACHABLE') await new Promise((resolve) => setTimeout(resolve, 50));
        expect(await told('shop')).toMatchObject({ removedAt: null });
        await engine.start();
        await engine.call('DELETE', '/containers/shop?force=1');
        await create('behind-our-back', 'library/alpine:3.20.3');
        expect(await told('behind-our-back')).toBeNull();
        await open();
        await follows('removed while out of reach', 'shop', ({ removedAt }) => removedAt !== null);
        expect(await told('behind-our-back')).toMatchObject({ state: 'CREATED', tag: { name: '3.20.3' } });
        while ((await health()) !== 'HEALTHY') await new Promise((resolve) => setTimeout(resolve, 50));
      }, 120_000);
    });
  });
});
