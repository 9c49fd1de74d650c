import fc from 'fast-check';
import { formatNodeId } from '../../src/graphql/node-id.ts';
import type { Digest } from '../../src/domain/digest.ts';
import {
  ADDED,
  at,
  TAG_NAMES,
  type ModelCatalog,
  type ModelContainer,
  type ModelEvent,
  type ModelImage,
  type ModelLayer,
  type ModelPackage,
  type ModelRepository,
  type ModelRuntime,
  type ModelTag,
} from './model-catalog.ts';

/** One list with a filter, an order and a size of pages, to be walked from either end. */
export interface Walk {
  readonly described: string;
  readonly isForwardOnly: boolean;
  /** What the list has to be, and how it is asked for. */
  open(catalog: ModelCatalog): OpenWalk;
}

export interface OpenWalk {
  /** Ids, in order. */
  readonly expected: readonly string[];
  /** The field that holds the list, with the place for the arguments of a page. */
  readonly field: (page: string) => string;
  readonly types: string;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly size: number;
}

interface ListModel<E> {
  readonly name: string;
  /** The field around it, where it belongs to something, and the entries that it has without a filter. */
  readonly parent: (
    catalog: ModelCatalog,
    choice: number,
  ) => { readonly field: string; readonly entries: readonly E[] };
  readonly id: (entry: E) => string;
  /** Of an input type; none where the list can't be filtered. */
  readonly filter: { readonly type: string; readonly filters: fc.Arbitrary<Filter<E>> } | null;
  readonly orders: { readonly type: string; readonly fields: Readonly<Record<string, Compare<E>>> } | null;
  readonly usual: { readonly compare: Compare<E>; readonly isDescending: boolean };
  readonly isForwardOnly?: boolean;
  /** Which entries it has without a filter; all where nothing is said. */
  readonly isThere?: (entry: E) => boolean;
}

type Compare<E> = (a: E, b: E, catalog: ModelCatalog) => number;

/** What is sent, and what it means. */
type Filter<E> = (catalog: ModelCatalog) => { readonly input: object; readonly holds: (entry: E) => boolean };

function walksOf<E extends { readonly key: number }>(list: ListModel<E>): fc.Arbitrary<Walk> {
  return fc
    .record({
      parent: fc.nat(),
      size: fc.integer({ min: 1, max: 12 }),
      filter: fc.option(list.filter?.filters ?? fc.constant(null)),
      field: fc.option(fc.constantFrom(...Object.keys(list.orders?.fields ?? { none: null }))),
      direction: fc.constantFrom('ASC', 'DESC'),
    })
    .map(({ parent: choice, size, filter, field, direction }) => {
      const order = list.orders === null ? undefined : list.orders.fields[field ?? ''];
      const described = `${list.name} ${JSON.stringify({ choice, size, field, direction })}`;
      return {
        described,
        [fc.toStringMethod]: () => described,
        isForwardOnly: list.isForwardOnly ?? false,
        open(catalog) {
          const { field: parent, entries } = list.parent(catalog, choice);
          const { input, holds } = filter?.(catalog) ?? { input: null, holds: list.isThere ?? (() => true) };
          const compare = order ?? list.usual.compare;
          const sorted = entries.filter(holds).sort((a, b) => compare(a, b, catalog) || a.key - b.key);
          const isDescending = order === undefined ? list.usual.isDescending : direction === 'DESC';
          if (isDescending) sorted.reverse();
          const given = [
            ...(list.filter === null ? [] : ['filter: $filter']),
            ...(list.orders === null ? [] : ['orderBy: $orderBy']),
          ].join(', ');
          return {
            expected: sorted.map(list.id),
            field: (page) => parent.replace('PAGE', `${page}${given && `, ${given}`}`),
            types: [
              ...(list.filter === null ? [] : [`, $filter: ${list.filter.type}`]),
              ...(list.orders === null ? [] : [`, $orderBy: ${list.orders.type}`]),
            ].join(''),
            variables: {
              ...(list.filter !== null && { filter: input }),
              ...(list.orders !== null && { orderBy: order && { field, direction } }),
            },
            size,
          };
        },
      };
    });
}

const LIST = 'PAGE) { nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount';

function byText<E>(textOf: (entry: E) => string): Compare<E> {
  return (a, b) => (textOf(a) < textOf(b) ? -1 : textOf(a) > textOf(b) ? 1 : 0);
}

function byNumber<E>(numberOf: (entry: E, catalog: ModelCatalog) => number): Compare<E> {
  return (a, b, catalog) => numberOf(a, catalog) - numberOf(b, catalog);
}

const equal = () => 0;

function oneOf<E>(
  ...leaves: readonly (readonly [
    object | ((catalog: ModelCatalog) => object),
    (entry: E, catalog: ModelCatalog) => boolean,
  ])[]
): fc.Arbitrary<Filter<E>> {
  return fc.constantFrom(
    ...leaves.map(([input, holds]): Filter<E> => (catalog) => ({
      input: typeof input === 'function' ? (input as (catalog: ModelCatalog) => object)(catalog) : input,
      holds: (entry) => holds(entry, catalog),
    })),
  );
}

/** Filters made of these: all of, any of, not; three deep, unless the leaves nest themselves. */
function composed<E>(leaf: fc.Arbitrary<Filter<E>>, maxDepth = 2): fc.Arbitrary<Filter<E>> {
  return fc.letrec<{ filter: Filter<E> }>((tie) => ({
    filter: fc.oneof(
      { maxDepth, depthSize: 'small', withCrossShrink: true },
      { weight: 3, arbitrary: leaf },
      { weight: 1, arbitrary: fc.array(tie('filter'), { maxLength: 3 }).map((all) => joined('and', all)) },
      { weight: 1, arbitrary: fc.array(tie('filter'), { maxLength: 3 }).map((all) => joined('or', all)) },
      {
        weight: 1,
        arbitrary: tie('filter').map((inner): Filter<E> => (catalog) => {
          const { input, holds } = inner(catalog);
          return { input: { not: input }, holds: (entry) => !holds(entry) };
        }),
      },
    ),
  })).filter;
}

function joined<E>(word: 'and' | 'or', all: readonly Filter<E>[]): Filter<E> {
  return (catalog) => {
    const parts = all.map((each) => each(catalog));
    return {
      input: { [word]: parts.map(({ input }) => input) },
      holds: (entry) =>
        word === 'and' ? parts.every(({ holds }) => holds(entry)) : parts.some(({ holds }) => holds(entry)),
    };
  };
}

const MIDDLE = '2026-01-02T00:00:00.000Z';

const repositoryFilters = composed(
  oneOf<ModelRepository>(
    [{ registry: '*.example.com*' }, ({ host }) => host !== 'docker.io'],
    [{ registry: 'A.example.com' }, ({ host }) => host === 'a.example.com'],
    [{ name: 'library/*' }, ({ name }) => name.startsWith('library/')],
    [{ name: '*.example.com/team/*' }, ({ host, name }) => host === 'a.example.com' && name.startsWith('team/')],
    [{ name: 'web' }, ({ host, name }) => host === 'docker.io' && name === 'library/web'],
    [{ text: 'WEB' }, ({ name }) => name.includes('web')],
    [{ isOfficial: true }, ({ host, name }) => host === 'docker.io' && name.startsWith('library/')],
    [{ metadata: { name: 'owner' } }, ({ owner }) => owner !== null],
    [{ metadata: { name: 'owner', value: 'a*' } }, ({ owner }) => owner === 'ann'],
    [{ updatedAt: { from: MIDDLE } }, ({ updatedAt }) => updatedAt >= MIDDLE],
    [
      { images: { os: 'windows' } },
      (repository, { images }) => images.some((image) => image.repository === repository && image.os === 'windows'),
    ],
    [
      { inUse: true },
      (repository, { containers }) => containers.some((each) => !each.isRemoved && each.repository === repository),
    ],
  ),
);

/** Any of these places in PACKAGES. */
const has =
  (...places: number[]) =>
  ({ held }: ModelImage) =>
    held?.packages.some((place) => places.includes(place)) ?? false;

const imageFilters = composed(
  oneOf<ModelImage>(
    [{ os: 'linux' }, ({ os }) => os === 'linux'],
    [{ architecture: 'a*6?' }, ({ architecture }) => architecture.startsWith('a')],
    [{ architecture: 'arm64' }, ({ architecture }) => architecture === 'arm64'],
    [{ size: { min: 2, max: 6 } }, ({ size }) => size >= 2 && size <= 6],
    [{ layerCount: { min: 3 } }, ({ layers }) => layers.length >= 3],
    [{ createdAt: { to: MIDDLE } }, ({ createdAt }) => createdAt !== null && createdAt < MIDDLE],
    [{ label: { name: 'stage' } }, ({ stage }) => stage !== null],
    [{ label: { name: 'stage', value: 'p?o*' } }, ({ stage }) => stage === 'prod'],
    [{ label: { name: 'stage', value: 'test' } }, ({ stage }) => stage === 'test'],
    [{ isAvailable: false }, ({ isAvailable }) => !isAvailable],
    [{ tagged: true }, (image, { tags }) => tags.some((tag) => tag.image === image)],
    [{ tag: '1*' }, (image, { tags }) => tags.some((tag) => tag.image === image && tag.name.startsWith('1'))],
    [{ repository: 'team/*' }, ({ repository }) => repository.name.startsWith('team/')],
    [{ registry: 'docker.io' }, ({ repository }) => repository.host === 'docker.io'],
    [
      ({ layers }) => ({ layer: layers[0]?.diffId ?? `sha256:${'0'.repeat(64)}` }),
      (image, { layers }) => image.layers.includes(layers[0]?.name ?? ''),
    ],
    [{ inUse: true }, (image, catalog) => containerCountOf(image, catalog) > 0],
    [{ inUse: false }, (image, catalog) => containerCountOf(image, catalog) === 0],
    [
      { containers: { state: ['RUNNING', 'EXITED'] } },
      (image, { containers }) =>
        containers.some(
          (each) => !each.isRemoved && each.image === image && ['RUNNING', 'EXITED'].includes(each.state),
        ),
    ],
    [
      { containers: { includeRemoved: true, runtime: 'host-?', not: { name: 'web' } } },
      (image, { containers }) =>
        containers.some(
          ({ image: own, runtime, name }) => own === image && runtime.name.startsWith('host-') && name !== 'web',
        ),
    ],
    [{ package: { name: 'openssl', version: '<3.0.14' } }, has(3, 5)],
    [{ package: { name: 'openssl', type: 'APK' } }, has(3, 4)],
    [{ package: { name: 'a', version: '>1.9.0' } }, has(0)],
    [{ package: { name: 'open*', version: '>=1:0 || 3.0.14-*' } }, has(2, 4)],
    [{ package: { type: 'NPM' } }, has(0, 1)],
    [{ package: { name: 'nothing' } }, () => false],
    [{ hasShell: true }, ({ held }) => held?.hasShell === true],
    [{ hasShell: false }, ({ held }) => held?.hasShell === false],
    [{ hasPackageManager: true }, () => false],
    [{ operatingSystem: 'alpine 3.20' }, ({ held }) => held?.system?.id === 'alpine'],
    [{ operatingSystem: 'deb*' }, ({ held }) => held?.system?.id === 'debian'],
  ),
);

const packageFilters = oneOf<ModelPackage>(
  [{}, () => true],
  [{ name: 'openssl' }, ({ name }) => name === 'openssl'],
  [{ name: 'open*', type: 'DEB' }, ({ place }) => [2, 5].includes(place)],
  [{ name: 'a', version: '<1.10' }, ({ place }) => place === 1],
  [{ version: '3.0.*' }, ({ name }) => name === 'openssl'],
  [{ license: 'MIT' }, () => false],
);

/** Versions go by the name that another was made of. */
const named =
  (...names: string[]) =>
  (tag: ModelTag) =>
    names.includes(tag.name.replace(ADDED, ''));

const tagFilters: fc.Arbitrary<Filter<ModelTag>> = fc
  .record({
    includeDeleted: fc.boolean(),
    filter: composed(
      oneOf<ModelTag>(
        [{ name: '1*' }, ({ name }) => name.startsWith('1')],
        [{ name: '1.?' }, ({ name }) => /^1\..$/.test(name)],
        [{ name: 'latest' }, ({ name }) => name === 'latest'],
        [{ version: '>=1.2 <2' }, named('1.2', 'v1.2', '1.2-alpine', '1.10')],
        [{ version: '1' }, named('1', '1.0', '1.2', 'v1.2', '1.2-alpine', '1.10')],
        [{ version: '~1.2 || >=2-rc1' }, named('1.2', 'v1.2', '1.2-alpine', '2-rc1', '2', '2.0-slim', 'jdk-17.0.2')],
        [{ movedAt: { from: MIDDLE } }, ({ movedAt }) => movedAt >= MIDDLE],
        [{ registry: 'b.example.com:5000' }, ({ repository }) => repository.host === 'b.example.com:5000'],
        [{ repository: '*/web' }, ({ repository }) => repository.name.endsWith('/web')],
        [{ image: { os: 'linux' } }, ({ image }) => image?.os === 'linux'],
        [
          { platform: { architecture: 'amd64' } },
          ({ image }) => image?.os === 'linux' && image.architecture === 'amd64',
        ],
      ),
    ),
  })
  .map(({ includeDeleted, filter }) => (catalog) => {
    const { input, holds } = filter(catalog);
    return {
      input: { includeDeleted, and: [input] },
      holds: (tag) => (includeDeleted || tag.image !== null) && holds(tag),
    };
  });

function containerCountOf(image: ModelImage, { containers }: ModelCatalog): number {
  return containers.filter((each) => !each.isRemoved && each.image === image).length;
}

/** Whether its tag names another image now; null where that can't be told. */
function isOutdated({ image, repository, tagName }: ModelContainer, { tags }: ModelCatalog): boolean | null {
  const named = tags.find((tag) => tag.repository === repository && tag.name === tagName)?.image;
  if (image === null || image.repository !== repository || named == null) return null;
  if (named.os !== image.os || named.architecture !== image.architecture) return null;
  return named !== image;
}

const containerFilters: fc.Arbitrary<Filter<ModelContainer>> = fc
  .record({
    includeRemoved: fc.boolean(),
    filter: composed(
      oneOf<ModelContainer>(
        [{ runtime: 'host-*' }, ({ runtime }) => runtime.name.startsWith('host-')],
        [{ runtime: 'Cluster' }, ({ runtime }) => runtime.name === 'Cluster'],
        [{ state: ['RUNNING', 'PAUSED', 'DEAD'] }, ({ state }) => ['RUNNING', 'PAUSED', 'DEAD'].includes(state)],
        [{ state: [] }, () => false],
        [{ name: 'web*' }, ({ name }) => name.startsWith('web')],
        [{ name: '*%_*' }, ({ name }) => name === '100%_of it'],
        [{ imageReference: '*.example.com/*' }, ({ imageReference }) => /^[^/]*\.example\.com\//.test(imageReference)],
        [{ label: { name: 'stage', value: 'prod' } }, ({ stage }) => stage === 'prod'],
        [{ knownImage: true }, ({ image }) => image !== null],
        [{ knownImage: false }, ({ image }) => image === null],
        [{ isOutdated: true }, (container, catalog) => isOutdated(container, catalog) === true],
        [{ isOutdated: false }, (container, catalog) => isOutdated(container, catalog) === false],
        [{ image: { os: 'linux', size: { min: 3 } } }, ({ image }) => image?.os === 'linux' && image.size >= 3],
        [{ image: { isAvailable: false } }, ({ image }) => image?.isAvailable === false],
        [
          { image: { containers: { state: ['RUNNING'] } } },
          ({ image }, { containers }) =>
            containers.some(
              (each) => !each.isRemoved && image !== null && each.image === image && each.state === 'RUNNING',
            ),
        ],
      ),
      1,
    ),
  })
  .map(({ includeRemoved, filter }) => (catalog) => {
    const { input, holds } = filter(catalog);
    return {
      input: { includeRemoved, and: [input] },
      holds: (container) => (includeRemoved || !container.isRemoved) && holds(container),
    };
  });

const eventFilters = oneOf<ModelEvent>(
  [{ kind: ['MOVED', 'DELETED'] }, ({ kind }) => kind !== 'CREATED'],
  [{ kind: [] }, () => false],
  [{ tag: '1*', at: { to: MIDDLE } }, ({ tag, at: instant }) => tag.name.startsWith('1') && instant < MIDDLE],
  [{ repository: 'team/*' }, ({ tag }) => tag.repository.name.startsWith('team/')],
  [{ registry: '*.io' }, ({ tag }) => tag.repository.host === 'docker.io'],
);

const layerFilters = oneOf<ModelLayer>(
  [{ size: { min: 2 } }, ({ size }) => size >= 2],
  [{ imageCount: { max: 5 } }, (layer, catalog) => imageCountOf(layer, catalog) <= 5],
  [{ isForeign: false, size: { max: 1 } }, ({ size }) => size <= 1],
);

function imageCountOf(layer: ModelLayer, { images }: ModelCatalog): number {
  return images.filter(({ layers }) => layers.includes(layer.name)).length;
}

const repositoryId = ({ key }: ModelRepository) => formatNodeId('Repository', key);
const tagId = ({ key }: ModelTag) => formatNodeId('Tag', key);
const eventId = ({ key }: ModelEvent) => formatNodeId('TagEvent', key);
const imageId = ({ content }: ModelImage) => formatNodeId('Image', content.digest);
const layerId = ({ diffId }: ModelLayer) => formatNodeId('Layer', diffId as Digest);

const containerId = ({ key }: ModelContainer) => formatNodeId('Container', key);
const packageId = ({ key }: ModelPackage) => formatNodeId('Package', key);
const runtimeId = ({ key }: ModelRuntime) => formatNodeId('Runtime', key);

const repositoryList = {
  id: repositoryId,
  filter: { type: 'RepositoryFilter', filters: repositoryFilters },
  orders: {
    type: 'RepositoryOrder',
    fields: {
      NAME: byText<ModelRepository>(({ name }) => name),
      UPDATED_AT: byText<ModelRepository>(({ updatedAt }) => updatedAt),
      PULL_COUNT: byNumber<ModelRepository>(({ pullCount }) => pullCount ?? -1),
      STAR_COUNT: byNumber<ModelRepository>(({ starCount }) => starCount ?? -1),
      TAG_COUNT: byNumber<ModelRepository>(
        (repository, { tags }) => tags.filter((tag) => tag.repository === repository && tag.image !== null).length,
      ),
      STORED_SIZE: equal,
    },
  },
  usual: { compare: byText<ModelRepository>(({ name }) => name), isDescending: false },
};

const tagList = {
  id: tagId,
  filter: { type: 'TagFilter', filters: tagFilters },
  orders: {
    type: 'TagOrder',
    fields: {
      NAME: byText<ModelTag>(({ name }) => name),
      VERSION: byNumber<ModelTag>((tag) => TAG_NAMES.findIndex((names) => named(...names)(tag))),
      MOVED_AT: byText<ModelTag>(({ movedAt }) => movedAt),
      FIRST_SEEN_AT: byText<ModelTag>(({ firstSeenAt }) => firstSeenAt),
    },
  },
  usual: { compare: byText<ModelTag>(({ movedAt }) => movedAt), isDescending: true },
  isThere: ({ image }: ModelTag) => image !== null,
};

const imageList = {
  id: imageId,
  filter: { type: 'ImageFilter', filters: imageFilters },
  orders: {
    type: 'ImageOrder',
    fields: {
      CREATED_AT: byText<ModelImage>(({ createdAt }) => createdAt ?? ''),
      SIZE: byNumber<ModelImage>(({ size }) => size),
      LAYER_COUNT: byNumber<ModelImage>(({ layers }) => layers.length),
      FIRST_SEEN_AT: equal,
      CONTAINER_COUNT: byNumber(containerCountOf),
      WASTED_SIZE: byNumber<ModelImage>(({ held }) => held?.wastedSize ?? 0),
    },
  },
};

const packageList = {
  id: packageId,
  filter: { type: 'PackageFilter', filters: packageFilters },
  orders: null,
};

const containerList = {
  id: containerId,
  filter: { type: 'ContainerFilter', filters: containerFilters },
  orders: {
    type: 'ContainerOrder',
    fields: {
      NAME: byText<ModelContainer>(({ name }) => name),
      CREATED_AT: byText<ModelContainer>(({ createdAt }) => createdAt ?? ''),
      STATE: byText<ModelContainer>(({ state }) => state),
    },
  },
  usual: { compare: byText<ModelContainer>(({ name }) => name), isDescending: false },
  isThere: ({ isRemoved }: ModelContainer) => !isRemoved,
};

const newestFirst = { compare: equal, isDescending: true };

export const walks: fc.Arbitrary<Walk> = fc.oneof(
  walksOf<ModelRepository>({
    ...repositoryList,
    name: 'repositories',
    parent: ({ repositories }) => ({ field: `repositories(${LIST} }`, entries: repositories }),
  }),
  walksOf<ModelRepository>({
    ...repositoryList,
    name: 'repositories of a registry',
    parent: ({ repositories }, choice) => {
      const { host } = at(repositories, choice);
      return {
        field: `registry(host: "${host}") { repositories(${LIST} } }`,
        entries: repositories.filter((each) => each.host === host),
      };
    },
  }),
  walksOf<ModelTag>({
    ...tagList,
    name: 'tags',
    parent: ({ tags }) => ({ field: `tags(${LIST} }`, entries: tags }),
  }),
  walksOf<ModelTag>({
    ...tagList,
    name: 'tags of a repository',
    parent: ({ tags }, choice) => {
      const { repository } = at(tags, choice);
      return {
        field: `node(id: "${repositoryId(repository)}") { ... on Repository { tags(${LIST} } } }`,
        entries: tags.filter((tag) => tag.repository === repository),
      };
    },
  }),
  walksOf<ModelTag>({
    id: tagId,
    name: 'tags of an image',
    filter: null,
    orders: null,
    usual: { compare: byText(({ name }) => name), isDescending: false },
    isForwardOnly: true,
    parent: ({ images, tags }, choice) => {
      const image = at(images, choice);
      return {
        field: `node(id: "${imageId(image)}") { ... on Image { tags(${LIST} } } }`,
        entries: tags.filter((tag) => tag.image === image),
      };
    },
  }),
  walksOf<ModelImage>({
    ...imageList,
    name: 'images',
    usual: { compare: imageList.orders.fields.CREATED_AT, isDescending: true },
    parent: ({ images }) => ({ field: `images(${LIST} }`, entries: images }),
  }),
  walksOf<ModelImage>({
    ...imageList,
    name: 'images of a repository',
    usual: newestFirst,
    parent: ({ images }, choice) => {
      const { repository } = at(images, choice);
      return {
        field: `node(id: "${repositoryId(repository)}") { ... on Repository { images(${LIST} } } }`,
        entries: images.filter((image) => image.repository === repository),
      };
    },
  }),
  walksOf<ModelImage>({
    ...imageList,
    name: 'images of a layer',
    usual: newestFirst,
    parent: ({ images, layers }, choice) => {
      const layer = layers.length === 0 ? null : at(layers, choice);
      return {
        field: `layer(digest: "${layer?.diffId ?? `sha256:${'0'.repeat(64)}`}") { images(${LIST} } }`,
        entries: layer === null ? [] : images.filter((image) => image.layers.includes(layer.name)),
      };
    },
  }),
  walksOf<ModelImage>({
    ...imageList,
    name: 'images of a package',
    usual: newestFirst,
    parent: ({ images, packages }, choice) => {
      const one = packages.length === 0 ? null : at(packages, choice);
      return {
        field: `node(id: "${formatNodeId('Package', one?.key ?? 1)}") { ... on Package { images(${LIST} } } }`,
        entries: one === null ? [] : images.filter(has(one.place)),
      };
    },
  }),
  walksOf<ModelPackage>({
    ...packageList,
    name: 'packages',
    usual: { compare: byText(({ name }) => name), isDescending: false },
    parent: ({ packages }) => ({ field: `packages(${LIST} }`, entries: packages }),
  }),
  walksOf<ModelPackage>({
    ...packageList,
    name: 'packages of an image',
    usual: { compare: byNumber(({ place }) => place), isDescending: false },
    parent: ({ images, packages }, choice) => {
      const holding = images.filter(({ held }) => held !== null);
      const image = at(holding.length === 0 ? images : holding, choice);
      return {
        field: `node(id: "${imageId(image)}") { ... on Image { contents { packages(${LIST} } } } }`,
        entries: packages.filter(({ place }) => has(place)(image)),
      };
    },
  }),
  walksOf<ModelLayer>({
    id: layerId,
    name: 'layers',
    filter: { type: 'LayerFilter', filters: layerFilters },
    orders: {
      type: 'LayerOrder',
      fields: { SIZE: byNumber(({ size }) => size), IMAGE_COUNT: byNumber(imageCountOf), FIRST_SEEN_AT: equal },
    },
    usual: { compare: byNumber(({ size }) => size), isDescending: true },
    parent: ({ layers }) => ({ field: `layers(${LIST} }`, entries: layers }),
  }),
  walksOf<ModelRuntime>({
    id: runtimeId,
    name: 'runtimes',
    filter: null,
    orders: null,
    usual: { compare: byText(({ name }) => name), isDescending: false },
    parent: ({ runtimes }) => ({ field: `runtimes(${LIST} }`, entries: runtimes }),
  }),
  walksOf<ModelContainer>({
    ...containerList,
    name: 'containers',
    parent: ({ containers }) => ({ field: `containers(${LIST} }`, entries: containers }),
  }),
  walksOf<ModelContainer>({
    ...containerList,
    name: 'containers of a runtime',
    parent: ({ containers, runtimes }, choice) => {
      const runtime = at(runtimes, choice);
      return {
        field: `runtime(name: "${runtime.name}") { containers(${LIST} } }`,
        entries: containers.filter((container) => container.runtime === runtime),
      };
    },
  }),
  walksOf<ModelContainer>({
    ...containerList,
    name: 'containers of an image',
    parent: ({ containers, images }, choice) => {
      const image = at(images, choice);
      return {
        field: `node(id: "${imageId(image)}") { ... on Image { containers(${LIST} } } }`,
        entries: containers.filter((container) => container.image === image),
      };
    },
  }),
  walksOf<ModelContainer>({
    ...containerList,
    name: 'containers of a layer',
    parent: ({ containers, layers }, choice) => {
      const layer = layers.length === 0 ? null : at(layers, choice);
      return {
        field: `layer(digest: "${layer?.diffId ?? `sha256:${'0'.repeat(64)}`}") { containers(${LIST} } }`,
        entries: containers.filter(({ image }) => layer !== null && image?.layers.includes(layer.name)),
      };
    },
  }),
  walksOf<ModelContainer>({
    ...containerList,
    name: 'containers of a repository',
    parent: ({ containers, repositories }, choice) => {
      const repository = at(repositories, choice);
      return {
        field: `node(id: "${repositoryId(repository)}") { ... on Repository { containers(${LIST} } } }`,
        entries: containers.filter((container) => container.repository === repository),
      };
    },
  }),
  walksOf<ModelContainer>({
    ...containerList,
    name: 'containers of a tag',
    parent: ({ containers, tags }, choice) => {
      const tag = at(tags, choice);
      return {
        field: `node(id: "${tagId(tag)}") { ... on Tag { containers(${LIST} } } }`,
        entries: containers.filter(({ repository, tagName }) => repository === tag.repository && tagName === tag.name),
      };
    },
  }),
  walksOf<ModelEvent>({
    id: eventId,
    name: 'movements of tags',
    filter: { type: 'TagEventFilter', filters: eventFilters },
    orders: null,
    usual: newestFirst,
    parent: ({ events }) => ({ field: `tagEvents(${LIST} }`, entries: events }),
  }),
  walksOf<ModelEvent>({
    id: eventId,
    name: 'history of a repository',
    filter: { type: 'TagEventFilter', filters: eventFilters },
    orders: null,
    usual: newestFirst,
    isForwardOnly: true,
    parent: ({ events }, choice) => {
      const { repository } = at(events, choice).tag;
      return {
        field: `node(id: "${repositoryId(repository)}") { ... on Repository { history(${LIST} } } }`,
        entries: events.filter(({ tag }) => tag.repository === repository),
      };
    },
  }),
  walksOf<ModelEvent>({
    id: eventId,
    name: 'history of a tag',
    filter: null,
    orders: null,
    usual: newestFirst,
    isForwardOnly: true,
    parent: ({ events }, choice) => {
      const { tag } = at(events, choice);
      return {
        field: `node(id: "${tagId(tag)}") { ... on Tag { history(${LIST} } } }`,
        entries: events.filter((event) => event.tag === tag),
      };
    },
  }),
);
