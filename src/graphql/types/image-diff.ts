import {
  wantedPlatform,
  type ImageRecord,
  type KnownList,
  type PlatformArgument,
  type ReachedImage,
} from '../../catalog/read/index.ts';
import { CatalogError } from '../../domain/errors.ts';
import { compareConfigs, compareLayers } from '../../domain/image-diff.ts';
import { comparePackages, type PackageChange } from '../../domain/package-diff.ts';
import { bestFor, formatPlatform, type WantedPlatform } from '../../domain/platform.ts';
import { formatReference, type Reference } from '../../domain/reference.ts';
import type { Resolvers } from '../../generated/resolvers.ts';
import { connectionFields, knownConnection } from '../connection.ts';
import { existing } from './existing.ts';
import type { Loaders } from './index.ts';

/** Two images, compared as far as a client asks. */
export interface ImageDiffRecord {
  readonly from: ImageRecord;
  readonly to: ImageRecord;
}

/** Throws NOT_FOUND where `to` names no image that the catalog has for the platform. */
export async function diffFrom(
  loaders: Loaders,
  from: ImageRecord,
  to: Reference,
  platform: PlatformArgument | null | undefined,
): Promise<ImageDiffRecord> {
  const after = await sideNamed(loaders, 'to', to);
  return { from, to: required(after, wantedOf(platform, from, after.itself)) };
}

/** Null unless both manifests have an image for the platform. */
export async function diffOfManifests(
  loaders: Loaders,
  fromId: number,
  toId: number,
  platform: PlatformArgument | null | undefined,
): Promise<ImageDiffRecord | null> {
  const [before, after] = await Promise.all([sideOf(loaders, fromId), sideOf(loaders, toId)]);
  const wanted = wantedOf(platform, before.itself, after.itself);
  const from = chosen(before, wanted);
  const to = chosen(after, wanted);
  return from && to && { from, to };
}

export const imageDiffResolvers: Resolvers = {
  Query: {
    async diff(_, { from, to, platform }, { loaders }) {
      const [before, after] = await Promise.all([sideNamed(loaders, 'from', from), sideNamed(loaders, 'to', to)]);
      const wanted = wantedOf(platform, before.itself, after.itself);
      return { from: required(before, wanted), to: required(after, wanted) };
    },
  },
  ImageDiff: {
    commonLayers: async (diff, _, { loaders }) => (await layersOf(diff, loaders)).common,
    addedLayers: async (diff, _, { loaders }) => (await layersOf(diff, loaders)).added,
    removedLayers: async (diff, _, { loaders }) => (await layersOf(diff, loaders)).removed,
    sizeChange: ({ from, to }) => to.size - from.size,
    pullSize: async (diff, _, { loaders }) => (await layersOf(diff, loaders)).pullSize,
    async configChanges({ from, to }, _, { loaders }) {
      const [before, after] = await Promise.all([configOf(from, loaders), configOf(to, loaders)]);
      return compareConfigs(before, after);
    },
    arePackagesKnown: async (diff, _, { loaders }) => (await contentsOf(diff, loaders)) !== null,
    packageChanges: async (diff, args, { loaders }) => knownConnection(await packageChangesOf(diff, loaders), args),
  },
  PackageChangeConnection: connectionFields,
};

/** What is compared, before it is known for which platform. */
interface Side {
  readonly images: readonly ReachedImage[];
  /** Where it is an image rather than an index of some. */
  readonly itself: ImageRecord | null;
}

interface NamedSide extends Side {
  /** For errors: the argument, and what it names. */
  readonly name: string;
}

async function sideOf(loaders: Loaders, manifestId: number): Promise<Side> {
  const images = await loaders.imagesByManifest.load(manifestId);
  return { images, itself: images.find(({ image }) => image.manifestId === manifestId)?.image ?? null };
}

async function sideNamed(loaders: Loaders, argument: string, reference: Reference): Promise<NamedSide> {
  const name = `${argument} is ${formatReference(reference)}`;
  const manifestId = await loaders.manifestIdByReference.load(reference);
  if (manifestId !== null) return { name, ...(await sideOf(loaders, manifestId)) };
  throw new CatalogError('NOT_FOUND', `${name}, which the catalog does not have: give what image(reference:) finds.`);
}

interface Wanted {
  readonly platform: WantedPlatform;
  /** Where nobody asks, an image is taken whatever it runs on, and tells what to take from an index. */
  readonly isAsked: boolean;
}

function wantedOf(
  platform: PlatformArgument | null | undefined,
  from: ImageRecord | null,
  to: ImageRecord | null,
): Wanted {
  const fallback = (from ?? to)?.platform ?? { architecture: 'amd64' };
  return { platform: wantedPlatform(platform ?? fallback), isAsked: platform != null };
}

function chosen({ images, itself }: Side, { platform, isAsked }: Wanted): ImageRecord | null {
  return itself !== null && !isAsked ? itself : (bestFor(images, platform)?.image ?? null);
}

function required(side: NamedSide, wanted: Wanted): ImageRecord {
  const image = chosen(side, wanted);
  if (image !== null) return image;
  const { osVersion } = wanted.platform;
  const asked = formatPlatform(wanted.platform) + (osVersion === null ? '' : ` ${osVersion}`);
  const has = [...new Set(side.images.map(({ platform }) => platform.label))].join(', ');
  throw new CatalogError(
    'NOT_FOUND',
    has === ''
      ? `${side.name}, which is no image that the catalog has: only images can be compared.`
      : `${side.name}, which has no image for ${asked}: give a platform that it has, of ${has}.`,
  );
}

async function layersOf({ from, to }: ImageDiffRecord, { layersByImage }: Loaders) {
  const stacks = [layersByImage.load(from.manifestId), layersByImage.load(to.manifestId)] as const;
  return compareLayers(...(await Promise.all(stacks)));
}

/** Null unless both are known. */
async function contentsOf({ from, to }: ImageDiffRecord, { contentsByImage }: Loaders) {
  const [before, after] = await Promise.all([
    contentsByImage.load(from.manifestId),
    contentsByImage.load(to.manifestId),
  ]);
  return before && after && ([before, after] as const);
}

/** By name; none unless both are known. */
async function packageChangesOf(diff: ImageDiffRecord, loaders: Loaders): Promise<KnownList<PackageChange>> {
  const contents = await contentsOf(diff, loaders);
  const sets = await Promise.all((contents ?? []).map(({ packageSetId }) => loaders.packagesBySet.load(packageSetId)));
  const [before = [], after = []] = sets;
  return {
    name: 'package changes',
    givenBy: 'images',
    entries: comparePackages(before, after),
    keyOf: ({ name, type, before, after }) => [name, type, before ?? '', after ?? ''].join('\0'),
  };
}

async function configOf({ manifestId, platform, createdAt, author }: ImageRecord, loaders: Loaders) {
  const [run, labels] = await Promise.all([
    existing(loaders.configByImage.load(manifestId)),
    loaders.labelsByImage.load(manifestId),
  ]);
  return { platform, createdAt, author, run, labels };
}
