import type { Database } from '../../src/catalog/database.ts';
import type { BaseClaim } from '../../src/domain/base-claim.ts';
import { recordImageTexts, recountRepository, type RepositoryPlace } from '../../src/catalog/write/index.ts';
import { chainIds } from '../../src/domain/chain-id.ts';
import { digestBytes, digestOf, type Digest } from '../../src/domain/digest.ts';
import { EMPTY_LAYER } from '../../src/domain/image.ts';
import type { HistoryStep, RunConfig } from '../../src/domain/image-config.ts';
import { parsePlatform } from '../../src/domain/platform.ts';
import { versionColumns } from '../../src/domain/version.ts';

/** A row with a digest, as tests name it. */
export interface Content {
  readonly id: number;
  readonly digest: Digest;
}

export interface ImageContent extends Content {
  readonly configDigest: Digest;
  readonly diffIds: readonly Digest[];
  readonly blobDigests: readonly Digest[];
  readonly chainIds: readonly Digest[];
}

export interface ImageTraits {
  readonly platform?: string;
  /** Names of layers, bottom first; the same name is the same layer, and `empty` is the one that holds nothing. */
  readonly layers?: readonly string[];
  /** Bytes of each layer's blob. */
  readonly layerSize?: number;
  readonly createdAt?: string | null;
  readonly labels?: Record<string, string>;
  readonly annotations?: Record<string, string>;
  readonly history?: readonly HistoryStep[];
  readonly user?: string | null;
  readonly command?: readonly string[] | null;
  readonly subject?: Digest | null;
  /** Id of a container, 64 hex digits. */
  readonly madeFrom?: string | null;
}

export type CatalogBuilder = ReturnType<typeof catalogOf>;

/** Rows as a sync leaves them: valid unless a test says otherwise, each call one thing more. */
export function catalogOf(database: Database) {
  let count = 0;

  async function insert(text: string, values: readonly unknown[]): Promise<number> {
    const [row] = await database.run<{ id: number }>(text, values);
    if (row === undefined) throw new Error(`nothing was inserted by ${text}`);
    return row.id;
  }

  async function manifest(kind: string, mediaType: string, document: object, traits: ManifestTraits): Promise<Content> {
    const raw = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...document, serial: ++count }));
    const digest = digestOf(raw);
    const id = await insert(
      `insert into manifest (digest, kind, media_type, size, raw, annotations, artifact_type, subject, first_seen_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9) returning id`,
      [
        digestBytes(digest),
        kind,
        mediaType,
        raw.length,
        raw,
        traits.annotations ?? {},
        traits.artifactType ?? null,
        traits.subject ? digestBytes(traits.subject) : null,
        SEEN,
      ],
    );
    return { id, digest };
  }

  async function layer(name: string, size: number): Promise<{ layerId: number; blobId: number; blob: Digest }> {
    const diffId = diffIdOf(name);
    const blob = digestOf(Buffer.from(`blob ${name} ${size}`));
    const layerId = await insert(
      `insert into layer (diff_id, size, is_foreign, is_empty, first_seen_at) values ($1, $2, false, $3, $4)
       on conflict (diff_id) do update set size = least(layer.size, excluded.size) returning id`,
      [digestBytes(diffId), size, diffId === EMPTY_LAYER, SEEN],
    );
    const blobId = await insert(
      `insert into layer_blob (layer_id, digest, media_type, size, urls) values ($1, $2, $3, $4, '{}')
       on conflict (digest, layer_id, media_type, size) do update set size = excluded.size returning id`,
      [layerId, digestBytes(blob), 'application/vnd.oci.image.layer.v1.tar+gzip', size],
    );
    return { layerId, blobId, blob };
  }

  return {
    registry: (host: string) =>
      insert(
        `insert into registry (host, kind, url, managed_by) values ($1, 'OCI', $2, 'API')
         on conflict (host) do update set url = excluded.url returning id`,
        [host, `https://${host}`],
      ),

    /** `ghcr.io/org/app`, fully qualified. Its registry is made known first. */
    async repository(reference: string, columns: Record<string, unknown> = {}): Promise<number> {
      const slash = reference.indexOf('/');
      const registryId = await this.registry(reference.slice(0, slash));
      const all = { first_seen_at: SEEN, updated_at: SEEN, ...columns, registry_id: registryId };
      const names = ['name', ...Object.keys(all)];
      return insert(
        `insert into repository (${names.join(', ')}) values (${names.map((_, at) => `$${at + 1}`).join(', ')}) returning id`,
        [reference.slice(slash + 1), ...Object.values(all)],
      );
    },

    /** An image that the repository has. */
    async image(repositoryId: number, traits: ImageTraits = {}): Promise<ImageContent> {
      const {
        layers = ['base', 'app'],
        layerSize = 1000,
        history = [],
        labels = {},
        user = null,
        command = null,
      } = traits;
      const platform = parsePlatform(traits.platform ?? 'linux/amd64');
      const diffIds = layers.map(diffIdOf);
      const content = await manifest('IMAGE', 'application/vnd.oci.image.manifest.v1+json', { layers }, traits);
      const configDigest = digestOf(Buffer.from(`config ${content.digest}`));
      const stack = chainIds(diffIds);
      const run: RunConfig = { ...NO_CONFIG, user, command };
      await database.run(
        `insert into image (manifest_id, config_digest, os, architecture, variant, os_version, os_features, created_at,
           run_config, labels, history, layer_count, size, top_chain_id, first_seen_at, made_from)
         values ($1, $2, $3, $4, $5, $6, '{}', $7, $8, $9, $10, $11, $12, $13, $14, decode($15, 'hex'))`,
        [
          content.id,
          digestBytes(configDigest),
          platform.os,
          platform.architecture,
          platform.variant,
          platform.osVersion,
          traits.createdAt === undefined ? SEEN : traits.createdAt,
          JSON.stringify(run),
          JSON.stringify(labels),
          JSON.stringify(history),
          layers.length,
          layers.length * layerSize,
          stack.length === 0 ? null : digestBytes(stack.at(-1) as Digest),
          SEEN,
          traits.madeFrom ?? null,
        ],
      );
      await recordImageTexts(database, [
        { imageId: content.id, labels, annotations: traits.annotations ?? {}, run, history },
      ]);
      const blobDigests: Digest[] = [];
      for (const [position, name] of layers.entries()) {
        const { layerId, blobId, blob } = await layer(name, layerSize);
        blobDigests.push(blob);
        await database.run(
          'insert into image_layer (image_id, position, layer_id, blob_id, chain_id) values ($1, $2, $3, $4, $5)',
          [content.id, position, layerId, blobId, digestBytes(stack[position] as Digest)],
        );
        await database.run(
          `update layer set image_count = (select count(distinct image_id) from image_layer where layer_id = $1)
           where id = $1`,
          [layerId],
        );
      }
      await this.holds(repositoryId, content);
      return { ...content, configDigest, diffIds, blobDigests, chainIds: stack };
    },

    /** An index that lists images under their platforms, each with annotations or null. */
    async index(repositoryId: number, children: readonly IndexChild[]): Promise<Content> {
      const content = await manifest('INDEX', 'application/vnd.oci.image.index.v1+json', { manifests: [] }, {});
      for (const [position, { child, platform, annotations = {} }] of children.entries()) {
        const { os, architecture, variant } = platform ? parsePlatform(platform) : NO_PLATFORM;
        await database.run(
          `insert into index_entry (index_id, position, digest, child_id, media_type, os, architecture, variant, annotations)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
          [
            content.id,
            position,
            typeof child === 'string' ? child : child.digest,
            typeof child === 'string' ? null : child.id,
            'application/vnd.oci.image.manifest.v1+json',
            os,
            architecture,
            variant,
            annotations,
          ],
        );
      }
      await this.holds(repositoryId, content);
      return content;
    },

    async artifact(repositoryId: number, artifactType: string, subject: Digest | null = null): Promise<Content> {
      const blobs = [{ mediaType: 'text/plain', digest: digestOf(Buffer.from('blob')), size: 4 }];
      const content = await manifest(
        'ARTIFACT',
        'application/vnd.oci.image.manifest.v1+json',
        {
          artifactType,
          config: { mediaType: 'application/vnd.oci.empty.v1+json', digest: EMPTY, size: 2 },
          layers: blobs,
        },
        { artifactType, subject },
      );
      await this.holds(repositoryId, content);
      return content;
    },

    /** What is said of an image's base. */
    async claim({ digest }: Content, evidence: BaseClaim['evidence'], said: Partial<BaseClaim>): Promise<void> {
      const { host = '', repository = '', tag = '' } = said.name ?? {};
      await database.run(
        'insert into base_claim (image, evidence, digest, host, repository, tag) values ($1, $2, $3, $4, $5, $6)',
        [
          digestBytes(digest),
          evidence,
          said.digest ? digestBytes(said.digest) : Buffer.alloc(0),
          host,
          repository,
          tag,
        ],
      );
    },

    async holds(repositoryId: number, { id }: Content, goneAt: string | null = null): Promise<void> {
      await database.run(
        `insert into repository_manifest (repository_id, manifest_id, first_seen_at, gone_at) values ($1, $2, $3, $4)
         on conflict (repository_id, manifest_id) do update set gone_at = excluded.gone_at`,
        [repositoryId, id, SEEN, goneAt],
      );
    },

    /** Points a tag somewhere, or nowhere (which deletes it), and records it. */
    async tag(repositoryId: number, name: string, target: Content | null, at: string = SEEN): Promise<number> {
      const [before] = await database.run<{ manifest_id: number | null }>(
        'select manifest_id from tag where repository_id = $1 and name = $2',
        [repositoryId, name],
      );
      const from = before?.manifest_id ?? null;
      const { group, key } = versionColumns(name);
      const id = await insert(
        `insert into tag (repository_id, name, manifest_id, first_seen_at, moved_at, deleted_at, version_group, version_key)
         values ($1, $2, $3, $4, $4, $5, $6, $7)
         on conflict (repository_id, name)
         do update set manifest_id = excluded.manifest_id, moved_at = excluded.moved_at, deleted_at = excluded.deleted_at
         returning id`,
        [repositoryId, name, target?.id ?? null, at, target === null ? at : null, group, key],
      );
      await database.run(
        'insert into tag_event (kind, at, repository_id, tag_id, from_id, to_id) values ($1, $2, $3, $4, $5, $6)',
        [
          target === null ? 'DELETED' : from === null ? 'CREATED' : 'MOVED',
          at,
          repositoryId,
          id,
          from,
          target?.id ?? null,
        ],
      );
      await database.run(
        `update repository set tag_count = (select count(*) from tag where repository_id = $1 and deleted_at is null)
         where id = $1`,
        [repositoryId],
      );
      return id;
    },
  };
}

/** Counts a repository, and compares the tags of its containers, as at the end of a sync. */
export async function recount(database: Database, repositoryId: number): Promise<void> {
  const [place] = await database.run<RepositoryPlace & Record<string, unknown>>(
    'select registry_id as "registryId", name from repository where id = $1',
    [repositoryId],
  );
  if (place === undefined) throw new Error(`there is no repository ${repositoryId}`);
  await database.transaction((connection) => recountRepository(connection, place));
}

export interface IndexChild {
  /** A digest alone is that of a manifest that the catalog does not have. */
  readonly child: Content | string;
  readonly platform?: string | null;
  readonly annotations?: Record<string, string>;
}

function diffIdOf(name: string): Digest {
  return name === 'empty' ? EMPTY_LAYER : digestOf(Buffer.from(`layer ${name}`));
}

interface ManifestTraits {
  readonly annotations?: Record<string, string>;
  readonly artifactType?: string;
  readonly subject?: Digest | null;
}

const SEEN = '2026-01-01T00:00:00.000Z';
const EMPTY = digestOf(Buffer.from('{}'));
const NO_PLATFORM = { os: null, architecture: null, variant: null };
const NO_CONFIG: RunConfig = {
  entrypoint: null,
  command: null,
  environment: [],
  user: null,
  workingDirectory: null,
  exposedPorts: [],
  volumes: [],
  stopSignal: null,
  shell: null,
  onBuild: [],
  healthcheck: null,
};
