import fc from 'fast-check';
import { catalogOf, type CatalogBuilder, type Content } from './catalog.ts';
import { CONTAINER_STATES, type ContainerState } from '../../src/domain/container.ts';
import type { PackageType } from '../../src/domain/package.ts';
import type { TestDatabase } from './database.ts';
import { contentsOf, packageOf } from './image-contents.ts';
import { addRuntime, observed, report } from './observed-container.ts';

/** A catalog in memory, beside the same in a database: what lists of it have to say can be worked out from it. */
export interface ModelCatalog {
  readonly repositories: ModelRepository[];
  readonly images: ModelImage[];
  readonly tags: ModelTag[];
  readonly events: ModelEvent[];
  readonly layers: ModelLayer[];
  readonly runtimes: ModelRuntime[];
  readonly containers: ModelContainer[];
  /** Those that an image has. */
  readonly packages: ModelPackage[];
}

export interface ModelRepository {
  readonly key: number;
  readonly host: string;
  readonly name: string;
  readonly updatedAt: string;
  readonly pullCount: number | null;
  readonly starCount: number | null;
  readonly owner: string | null;
}

export interface ModelImage {
  readonly key: number;
  readonly content: Content;
  readonly repository: ModelRepository;
  readonly os: string;
  readonly architecture: string;
  readonly layers: readonly string[];
  readonly size: number;
  readonly createdAt: string | null;
  readonly stage: string | null;
  readonly isAvailable: boolean;
  /** Null where nobody looked. */
  readonly held: ModelContents | null;
}

export interface ModelContents {
  /** Places in PACKAGES. */
  readonly packages: readonly number[];
  readonly hasShell: boolean;
  readonly wastedSize: number;
  readonly system: { readonly id: string; readonly versionId: string } | null;
}

export interface ModelPackage {
  readonly key: number;
  /** In PACKAGES. */
  readonly place: number;
  readonly type: PackageType;
  readonly name: string;
  readonly version: string;
}

export interface ModelTag {
  readonly key: number;
  readonly name: string;
  readonly repository: ModelRepository;
  readonly firstSeenAt: string;
  movedAt: string;
  image: ModelImage | null;
}

export interface ModelEvent {
  readonly key: number;
  readonly kind: 'CREATED' | 'MOVED' | 'DELETED';
  readonly at: string;
  readonly tag: ModelTag;
}

export interface ModelLayer {
  readonly key: number;
  readonly diffId: string;
  readonly name: string;
  readonly size: number;
}

export interface ModelRuntime {
  readonly key: number;
  readonly name: string;
}

export interface ModelContainer {
  readonly key: number;
  readonly name: string;
  readonly runtime: ModelRuntime;
  /** Null where it was asked for by the digest alone, or from where nobody looks. */
  readonly repository: ModelRepository | null;
  readonly tagName: string | null;
  readonly imageReference: string;
  readonly image: ModelImage | null;
  readonly state: ContainerState;
  readonly createdAt: string | null;
  readonly stage: string | null;
  readonly isRemoved: boolean;
}

/** Names of tags by their versions, lowest first; those in one line are equal. */
export const TAG_NAMES = [
  ['latest', 'edge', '0a1b2c3'],
  ['20240105'],
  ['1', '1.0'],
  ['1.2', 'v1.2', '1.2-alpine'],
  ['1.10'],
  ['2-rc1'],
  ['2', '2.0-slim'],
  ['jdk-17.0.2'],
];

/** Type, name and version; by name, and of one name by version as a text. */
export const PACKAGES: readonly (readonly [PackageType, string, string])[] = [
  ['NPM', 'a', '1.10.0'],
  ['NPM', 'a', '1.9.0'],
  ['DEB', 'openssh', '1:9.2p1-2'],
  ['APK', 'openssl', '3.0.12-r1'],
  ['APK', 'openssl', '3.0.14-r0'],
  ['DEB', 'openssl', '3.0.9-1'],
];

const HOSTS = ['a.example.com', 'b.example.com:5000', 'docker.io'];
const PATHS = ['library/web', 'library/api', 'team/web', 'team/db', 'x'];
const LAYERS = ['base', 'middle', 'top', 'own', 'other'];

/** Few different values, so that many rows are equal in what they are ordered by. */
const days = fc.constantFrom('2026-01-01', '2026-01-02', '2026-01-03').map((day) => `${day}T00:00:00.000Z`);
const counts = fc.constantFrom(null, 0, 1, 2);

const repositories = fc.uniqueArray(
  fc.record({
    host: fc.constantFrom(...HOSTS),
    name: fc.constantFrom(...PATHS),
    updatedAt: days,
    pullCount: counts,
    starCount: counts,
    owner: fc.constantFrom(null, 'ann', 'bob'),
  }),
  { minLength: 4, maxLength: 8, selector: ({ host, name }) => `${host}/${name}` },
);

const images = fc.array(
  fc.record({
    repository: fc.nat(),
    platform: fc.constantFrom('linux/amd64', 'linux/arm64', 'windows/amd64'),
    layers: fc.subarray(LAYERS),
    layerSize: fc.constantFrom(1, 2, 3),
    createdAt: fc.option(days),
    stage: fc.constantFrom(null, 'test', 'prod'),
    isAvailable: fc.boolean(),
    held: fc.option(
      fc.record({
        packages: fc.subarray(PACKAGES.map((_, place) => place)),
        hasShell: fc.boolean(),
        wastedSize: fc.constantFrom(0, 1, 2),
        system: fc.constantFrom(null, { id: 'alpine', versionId: '3.20.3' }, { id: 'debian', versionId: '12' }),
      }),
    ),
  }),
  { minLength: 12, maxLength: 25 },
);

const moves = fc.array(
  fc.record({ name: fc.constantFrom(...TAG_NAMES.flat()), image: fc.nat(), isDeletion: fc.boolean(), at: days }),
  { minLength: 25, maxLength: 50 },
);

const containers = fc.array(
  fc.record({
    runtime: fc.nat(),
    name: fc.constantFrom('web', 'web-1', 'db', 'worker', '100%_of it'),
    image: fc.nat(),
    isKnown: fc.boolean(),
    reference: fc.constantFrom('tag', 'repository', 'elsewhere'),
    tag: fc.nat(),
    state: fc.constantFrom(...CONTAINER_STATES),
    createdAt: fc.option(days),
    stage: fc.constantFrom(null, 'test', 'prod'),
    isRemoved: fc.boolean(),
  }),
  { minLength: 15, maxLength: 40 },
);

type ContainerSpec = typeof containers extends fc.Arbitrary<(infer C)[]> ? C : never;
type Move = typeof moves extends fc.Arbitrary<(infer M)[]> ? M : never;

export const catalogs = fc.record({ repositories, images, moves, containers });
export type CatalogSpec = typeof catalogs extends fc.Arbitrary<infer C> ? C : never;

export async function buildCatalog(database: TestDatabase, spec: CatalogSpec): Promise<ModelCatalog> {
  const build = catalogOf(database);
  const catalog: ModelCatalog = {
    ...{ repositories: [], images: [], tags: [], events: [], layers: [] },
    ...{ runtimes: [], containers: [], packages: [] },
  };
  for (const repository of spec.repositories) {
    const key = await build.repository(`${repository.host}/${repository.name}`, {
      updated_at: repository.updatedAt,
      pull_count: repository.pullCount,
      star_count: repository.starCount,
      owner: repository.owner,
    });
    catalog.repositories.push({ key, ...repository });
  }
  for (const { repository: place, platform, layers, layerSize, createdAt, stage, isAvailable, held } of spec.images) {
    const repository = at(catalog.repositories, place);
    const labels: Record<string, string> = stage === null ? {} : { stage };
    const content = await build.image(repository.key, { platform, layers, layerSize, createdAt, labels });
    if (!isAvailable) await build.holds(repository.key, content, '2026-02-01T00:00:00Z');
    if (held !== null) await hold(database, content, held);
    const [os = '', architecture = ''] = platform.split('/');
    const size = layers.length * layerSize;
    catalog.images.push({
      key: content.id,
      content,
      ...{ repository, os, architecture, layers, size, createdAt, stage, isAvailable, held },
    });
    layers.forEach((name, position) => keepLayer(catalog, name, content.diffIds[position] ?? '', layerSize));
  }
  await readLayerKeys(database, catalog);
  catalog.packages.push(...(await readPackages(database)));
  for (const move of spec.moves) await moveTag(database, build, catalog, move);
  for (const name of RUNTIMES) catalog.runtimes.push({ key: await addRuntime(database, name), name });
  await addContainers(database, catalog, spec.containers);
  return catalog;
}

/** One more tag somewhere, under a name that no other has, and with a version that others have. */
export async function addTag(database: TestDatabase, catalog: ModelCatalog, choice: number): Promise<void> {
  const letters = catalog.tags.length.toString().replace(/\d/g, (digit) => 'abcdefghij'[Number(digit)] ?? '');
  const name = `${at(TAG_NAMES, choice)[0]}-w${letters}`;
  const day = `2026-01-0${1 + (choice % 3)}T00:00:00.000Z`;
  await moveTag(database, catalogOf(database), catalog, { name, image: choice, isDeletion: false, at: day });
}

/** What addTag puts behind a name. */
export const ADDED = /-w[a-j]+$/;

export function at<T>(all: readonly T[], choice: number): T {
  return all[choice % all.length] as T;
}

async function moveTag(database: TestDatabase, build: CatalogBuilder, catalog: ModelCatalog, move: Move) {
  const image = at(catalog.images, move.image);
  const { repository } = image;
  const known = catalog.tags.find((tag) => tag.repository === repository && tag.name === move.name);
  const target = move.isDeletion ? null : image;
  // Neither a sync nor the catalog in memory deletes twice, or moves to where the tag is.
  if ((known?.image ?? null) === target) return;
  const key = await build.tag(repository.key, move.name, target?.content ?? null, move.at);
  const kind = target === null ? 'DELETED' : known?.image ? 'MOVED' : 'CREATED';
  const tag = known ?? { key, name: move.name, repository, firstSeenAt: move.at, movedAt: move.at, image: target };
  if (known === undefined) catalog.tags.push(tag);
  Object.assign(tag, { movedAt: move.at, image: target });
  const [event] = await database.run<{ id: number }>('select max(id) as id from tag_event', []);
  catalog.events.push({ key: event?.id ?? 0, kind, at: move.at, tag });
}

const RUNTIMES = ['host-1', 'host-2', 'Cluster'];

async function addContainers(database: TestDatabase, catalog: ModelCatalog, specs: readonly ContainerSpec[]) {
  const all = specs.map((spec, at) => placed(catalog, spec, at));
  for (const runtime of catalog.runtimes) {
    const own = all.filter((container) => container.runtime === runtime);
    const seen = own.map((container) =>
      observed({
        ...container,
        containerId: String(container.key),
        createdAt: container.createdAt === null ? null : new Date(container.createdAt),
        labels: container.stage === null ? {} : { stage: container.stage },
        evidence: container.image === null ? [] : [{ via: 'MANIFEST', digest: container.image.content.digest }],
      }),
    );
    await report(database, runtime.key, '2026-01-04T00:00:00Z', seen);
    const left = seen.filter((_, at) => !own[at]?.isRemoved);
    await report(database, runtime.key, '2026-01-05T00:00:00Z', left);
  }
  const rows = await database.run<{ id: number; place: number }>(
    'select id, container_id::int as place from container',
    [],
  );
  for (const { id, place } of rows) catalog.containers.push({ ...at(all, place), key: id });
}

function placed({ images, tags, runtimes }: ModelCatalog, spec: ContainerSpec, key: number): ModelContainer {
  const { name, state, createdAt, stage, isRemoved } = spec;
  const image = at(images, spec.image);
  const tag = spec.reference === 'tag' ? at(tags, spec.tag) : null;
  const repository = spec.reference === 'elsewhere' ? null : (tag?.repository ?? image.repository);
  const tagName = repository === null ? null : (tag?.name ?? 'nothing');
  return {
    ...{ key, name, state, createdAt, stage, isRemoved, repository, tagName },
    runtime: at(runtimes, spec.runtime),
    imageReference:
      repository === null ? 'nowhere.example.com/x:1' : `${repository.host}/${repository.name}:${tagName}`,
    image: spec.isKnown ? image : null,
  };
}

function keepLayer(catalog: ModelCatalog, name: string, diffId: string, size: number): void {
  const place = catalog.layers.findIndex((layer) => layer.name === name);
  const known = catalog.layers[place];
  if (known === undefined) catalog.layers.push({ key: 0, diffId, name, size });
  else catalog.layers[place] = { ...known, size: Math.min(known.size, size) };
}

const NO_FILES = {
  ...{ shells: [], packageManagers: [], kernels: [], largestFiles: [], fileCount: 0, wastedSize: 0 },
  ...{ operatingSystemSize: 0, dependencySize: 0, applicationSize: 0, metadataSize: 0 },
};

function hold(database: TestDatabase, image: Content, held: ModelContents): Promise<void> {
  const { packages, hasShell, wastedSize, system } = held;
  return contentsOf(database).hold(
    image,
    packages.map((place) => packageOf(...at(PACKAGES, place))),
    {
      origin: 'LAYERS',
      operatingSystem: system && { ...system, prettyName: null },
      files: { ...NO_FILES, shells: hasShell ? ['/bin/sh'] : [], wastedSize },
    },
  );
}

async function readPackages(database: TestDatabase): Promise<ModelPackage[]> {
  const rows = await database.run<{ id: number; type: PackageType; name: string; version: string }>(
    'select id, type, name, version from package',
    [],
  );
  return rows.map(({ id, type, name, version }) => {
    const place = PACKAGES.findIndex((each) => each.join(' ') === `${type} ${name} ${version}`);
    return { key: id, place, type, name, version };
  });
}

async function readLayerKeys(database: TestDatabase, catalog: ModelCatalog): Promise<void> {
  const rows = await database.run<{ id: number; diff_id: string }>(
    'select id, digest_text(diff_id) as diff_id from layer',
    [],
  );
  const keys = new Map(rows.map((row) => [row.diff_id, row.id]));
  catalog.layers.forEach((layer, place) => {
    catalog.layers[place] = { ...layer, key: keys.get(layer.diffId) ?? 0 };
  });
}
