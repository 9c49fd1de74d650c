import { digestOf, type Digest } from '../../domain/digest.ts';
import { RegistryError } from '../../domain/errors.ts';
import { parseImageConfig } from '../../domain/image-config.ts';
import { arrayOf, isObject, parseJsonObject, textOf, type Json } from '../../domain/json.ts';
import { DOCKER_CONFIG, DOCKER_MANIFEST, DOCKER_PLAIN_LAYER } from '../../domain/media-type.ts';
import type { FetchedManifest } from '../registry.ts';
import { readDocument, type LayoutFile, type LayoutFiles } from './files.ts';
import { NameList, type Layout } from './layout.ts';
import { nameOfReference } from './names.ts';

/**
 * What `docker save` writes: manifest.json names configurations and uncompressed layers. It holds no manifests, so one
 * is made of each image, the same bytes every time: a layer's digest is its diff id there.
 * https://github.com/moby/docker-image-spec/blob/v1.2.0/v1.2.md#combined-image-json--filesystem-changeset-format
 */
export async function readDockerArchive(files: LayoutFiles, manifestFile: LayoutFile): Promise<Layout> {
  const names = new NameList();
  const manifests = new Map<Digest, FetchedManifest>();
  const blobs = new Map<Digest, LayoutFile>();
  for (const image of await readList(manifestFile)) {
    const made = await makeManifest(files, image, blobs).catch(faultOf);
    if (!('fault' in made)) manifests.set(made.digest, made);
    for (const text of image.names) {
      const name = nameOfReference(text);
      if (name !== null) names.add(name.repository, name.tag, 'fault' in made ? made : made.digest);
    }
  }
  return {
    repositories: names.repositories,
    findBlob: async (digest) => blobs.get(digest) ?? null,
    hasManifest: async (digest) => manifests.has(digest),
    readManifest: async (digest) => manifests.get(digest) ?? null,
  };
}

interface ArchivedImage {
  readonly config: string;
  readonly names: readonly string[];
  readonly layers: readonly string[];
}

const MAX_IMAGES = 10_000;
const MAX_LAYERS = 1000;

/** The document is a list, which our reader of JSON takes as a member only. */
async function readList(file: LayoutFile): Promise<ArchivedImage[]> {
  const raw = await readDocument(file, 'manifest.json');
  const { images } = parseJsonObject(
    Buffer.concat([Buffer.from('{"images":'), raw, Buffer.from('}')]),
    'manifest.json',
  );
  return arrayOf(images, 'manifest.json', MAX_IMAGES).map((image, at) => readImage(image, `manifest.json[${at}]`));
}

function readImage(value: Json, place: string): ArchivedImage {
  const image = isObject(value) ? value : {};
  const config = textOf(image['Config']);
  if (config === null) throw new RegistryError('MALFORMED', `${place} names no Config`);
  return {
    config,
    names: texts(image['RepoTags'], `${place}.RepoTags`),
    layers: texts(image['Layers'], `${place}.Layers`),
  };
}

function texts(value: Json | undefined, place: string): string[] {
  return arrayOf(value, place, MAX_LAYERS).filter((text) => typeof text === 'string');
}

async function makeManifest(
  files: LayoutFiles,
  image: ArchivedImage,
  blobs: Map<Digest, LayoutFile>,
): Promise<FetchedManifest> {
  const configFile = await existing(files, image.config);
  const raw = await readDocument(configFile, image.config);
  const { diffIds } = parseImageConfig(raw);
  if (diffIds.length !== image.layers.length) {
    throw new RegistryError(
      'MALFORMED',
      `${image.config} has ${diffIds.length} diff ids, manifest.json ${image.layers.length} layers for it`,
    );
  }
  const config = digestOf(raw);
  blobs.set(config, configFile);
  const layers = [];
  for (const [at, diffId] of diffIds.entries()) {
    const file = await existing(files, image.layers[at] ?? '');
    blobs.set(diffId, file);
    layers.push({ mediaType: DOCKER_PLAIN_LAYER, size: file.size, digest: diffId });
  }
  const made = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: DOCKER_MANIFEST,
      config: { mediaType: DOCKER_CONFIG, size: raw.length, digest: config },
      layers,
    }),
  );
  return { digest: digestOf(made), mediaType: DOCKER_MANIFEST, raw: made };
}

async function existing(files: LayoutFiles, path: string): Promise<LayoutFile> {
  const file = await files.find(path);
  if (file === null)
    throw new RegistryError('MALFORMED', `manifest.json names ${path.slice(0, 200)}, which is not there`);
  return file;
}

function faultOf(error: unknown): { readonly fault: RegistryError } {
  if (error instanceof RegistryError) return { fault: error };
  throw error;
}
