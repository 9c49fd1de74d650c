import { createHash } from 'node:crypto';
import { digestOf, type Digest } from '../../src/domain/digest.ts';
import { OCI_CONFIG, OCI_MANIFEST } from '../../src/domain/media-type.ts';

export interface RegistrySize {
  readonly repositories: number;
  /** In all, each of an image of its own. */
  readonly tags: number;
  /** Of each image. */
  readonly layers: number;
}

export interface ServedDocument {
  readonly contentType: string;
  readonly digest: Digest | null;
  readonly body: Buffer;
}

const BASES = 20;

/** Every hundredth tag moves. */
const MOVED = 100;

/**
 * All that a registry of this size answers, by path. Of an image's layers the lower 4 in 10 are those of one of 20
 * bases, the next 3 in 10 its repository's, the others its own. Layers have no bytes: nobody asks for them.
 */
export function generateRegistry(size: RegistrySize): Map<string, ServedDocument> {
  const documents = new Map<string, ServedDocument>();
  const names = Array.from({ length: size.repositories }, (_, at) => nameOf(at));
  documents.set('/v2/', list({}));
  documents.set('/v2/_catalog', list({ repositories: names }));
  for (const [at, name] of names.entries()) {
    const tags = Array.from({ length: tagsOf(size, at) }, (_, version) => `1.${version}.0`);
    documents.set(`/v2/${name}/tags/list`, list({ name, tags }));
    for (const [version, tag] of tags.entries()) push(documents, size, at, version, tag);
  }
  return documents;
}

/** Lets one in a hundred tags name a new image. */
export function moveTags(documents: Map<string, ServedDocument>, size: RegistrySize): void {
  let place = 0;
  for (let at = 0; at < size.repositories; at++) {
    for (let version = 0; version < tagsOf(size, at); version++) {
      if (place++ % MOVED === 0) push(documents, size, at, size.tags + version, `1.${version}.0`);
    }
  }
}

function tagsOf({ repositories, tags }: RegistrySize, at: number): number {
  return Math.floor(((at + 1) * tags) / repositories) - Math.floor((at * tags) / repositories);
}

function push(
  documents: Map<string, ServedDocument>,
  { layers }: RegistrySize,
  repository: number,
  version: number,
  tag: string,
): void {
  const name = nameOf(repository);
  const config = configOf(repository, version, layers);
  const manifest = manifestOf(config, repository, version, layers);
  documents.set(`/v2/${name}/manifests/${tag}`, manifest);
  documents.set(`/v2/${name}/manifests/${manifest.digest}`, manifest);
  documents.set(`/v2/${name}/blobs/${config.digest}`, config);
}

function nameOf(repository: number): string {
  return `team-${repository % 25}/service-${repository}`;
}

function list(body: object): ServedDocument {
  return { contentType: 'application/json', digest: null, body: Buffer.from(JSON.stringify(body)) };
}

/** What a layer is made from: the same text is the same layer. */
function layerName(repository: number, version: number, layer: number, layers: number): string {
  if (layer < layers * 0.4) return `base ${repository % BASES} ${layer}`;
  return layer < layers * 0.7 ? `repository ${repository} ${layer}` : `image ${repository} ${version} ${layer}`;
}

function configOf(repository: number, version: number, layers: number): ServedDocument {
  const names = Array.from({ length: layers }, (_, layer) => layerName(repository, version, layer, layers));
  const created = new Date(Date.UTC(2026, 0, 1) + (repository * 100 + version) * 60_000).toISOString();
  const body = Buffer.from(
    JSON.stringify({
      architecture: repository % 4 === 0 ? 'arm64' : 'amd64',
      os: 'linux',
      created,
      config: {
        User: '1000:1000',
        ExposedPorts: { '8080/tcp': {} },
        Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', `VERSION=1.${version}.0`],
        Entrypoint: ['/usr/local/bin/service'],
        Cmd: ['--port', '8080'],
        WorkingDir: '/srv',
        Labels: {
          'org.opencontainers.image.title': `service-${repository}`,
          'org.opencontainers.image.version': `1.${version}.0`,
          'org.opencontainers.image.source': `https://git.example.com/service-${repository}`,
        },
      },
      rootfs: { type: 'layers', diff_ids: names.map((name) => hash(`files of ${name}`)) },
      history: [
        ...names.map((name) => ({
          created,
          created_by: `RUN /bin/sh -c make ${name} # buildkit`,
          comment: 'buildkit.dockerfile.v0',
        })),
        {
          created,
          created_by: 'ENTRYPOINT ["/usr/local/bin/service"]',
          comment: 'buildkit.dockerfile.v0',
          empty_layer: true,
        },
      ],
    }),
  );
  return { contentType: 'application/octet-stream', digest: digestOf(body), body };
}

function manifestOf(config: ServedDocument, repository: number, version: number, layers: number): ServedDocument {
  const body = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: { mediaType: OCI_CONFIG, digest: config.digest, size: config.body.length },
      layers: Array.from({ length: layers }, (_, layer) => {
        const digest = hash(`blob of ${layerName(repository, version, layer, layers)}`);
        return {
          mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
          digest,
          size: 1000 + Number.parseInt(digest.slice(7, 13), 16),
        };
      }),
    }),
  );
  return { contentType: OCI_MANIFEST, digest: digestOf(body), body };
}

function hash(text: string): Digest {
  return `sha256:${createHash('sha256').update(text).digest('hex')}` as Digest;
}
