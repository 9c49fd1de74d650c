import { digestOf, type Digest } from '../../src/domain/digest.ts';
import { OCI_CONFIG, OCI_EMPTY, OCI_INDEX, OCI_MANIFEST } from '../../src/domain/media-type.ts';

/** Content as a registry holds it: bytes by digest. */
export interface Content {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly raw: Buffer;
  /** Manifests and blobs that it needs. */
  readonly parts: readonly Content[];
}

const OCI_LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';

/** A layer of which only the digests matter: its blob is never fetched. */
export interface LayerSpec {
  readonly diffId: Digest;
  readonly digest: Digest;
  readonly mediaType: string;
  readonly size: number;
}

/** The same name gives the same layer; another packing gives the same layer in another blob. */
export function aLayer(name: string, packing = 'gzip', size = 1000 + name.length): LayerSpec {
  return {
    diffId: digestOf(Buffer.from(`diff ${name}`)),
    digest: digestOf(Buffer.from(`${packing} ${name}`)),
    mediaType: packing === 'zstd' ? 'application/vnd.oci.image.layer.v1.tar+zstd' : OCI_LAYER,
    size,
  };
}

export interface ImageSpec {
  readonly layers?: readonly LayerSpec[];
  readonly architecture?: string;
  readonly variant?: string;
  readonly os?: string;
  readonly created?: string;
  readonly config?: object;
  readonly history?: readonly object[];
  readonly annotations?: Record<string, string>;
  readonly subject?: Content;
  /** Members of the manifest and the configuration that are to be wrong. */
  readonly manifestExtra?: object;
  readonly configExtra?: object;
}

export function anImage(spec: ImageSpec = {}): Content {
  const layers = spec.layers ?? [aLayer('base'), aLayer('app')];
  const config = blob(OCI_CONFIG, {
    created: spec.created ?? '2026-01-02T03:04:05Z',
    os: spec.os ?? 'linux',
    architecture: spec.architecture ?? 'amd64',
    ...(spec.variant && { variant: spec.variant }),
    config: spec.config ?? { Cmd: ['/bin/sh'] },
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.diffId) },
    history: spec.history ?? layers.map((_, at) => ({ created_by: `step ${at}` })),
    ...spec.configExtra,
  });
  return document(
    OCI_MANIFEST,
    {
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: descriptor(config),
      layers: layers.map(({ digest, mediaType, size }) => ({ digest, mediaType, size })),
      ...(spec.annotations && { annotations: spec.annotations }),
      ...(spec.subject && { subject: descriptor(spec.subject) }),
      ...spec.manifestExtra,
    },
    [config],
  );
}

export interface EntrySpec {
  readonly content: Content;
  readonly platform?: object;
  readonly annotations?: Record<string, string>;
}

export function anIndex(entries: readonly (EntrySpec | Content)[]): Content {
  const specs = entries.map((entry) => ('content' in entry ? entry : { content: entry }));
  return document(
    OCI_INDEX,
    {
      schemaVersion: 2,
      mediaType: OCI_INDEX,
      manifests: specs.map(({ content, platform, annotations }) => ({
        ...descriptor(content),
        ...(platform && { platform }),
        ...(annotations && { annotations }),
      })),
    },
    specs.map(({ content }) => content),
  );
}

export function anArtifact(artifactType: string, subject: Content | null, text = artifactType): Content {
  const empty = blob(OCI_EMPTY, {});
  const payload = blob(artifactType, { text });
  return document(
    OCI_MANIFEST,
    {
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      artifactType,
      config: descriptor(empty),
      layers: [descriptor(payload)],
      ...(subject && { subject: descriptor(subject) }),
    },
    [empty, payload],
  );
}

/** BuildKit's: it looks like an image, but has no files. */
export function anAttestation(materials: readonly object[] = []): Content {
  const config = blob(OCI_CONFIG, {
    architecture: 'unknown',
    os: 'unknown',
    rootfs: { type: 'layers', diff_ids: [] },
  });
  const predicateType = 'https://slsa.dev/provenance/v0.2';
  const statement = blob('application/vnd.in-toto+json', { predicateType, predicate: { materials } });
  return document(
    OCI_MANIFEST,
    {
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: descriptor(config),
      layers: [{ ...descriptor(statement), annotations: { 'in-toto.io/predicate-type': predicateType } }],
    },
    [config, statement],
  );
}

export function document(mediaType: string, value: object, parts: readonly Content[]): Content {
  const raw = Buffer.from(JSON.stringify(value));
  return { digest: digestOf(raw), mediaType, raw, parts };
}

function blob(mediaType: string, value: object): Content {
  return document(mediaType, value, []);
}

function descriptor(content: Content): object {
  return { mediaType: content.mediaType, digest: content.digest, size: content.raw.length };
}
