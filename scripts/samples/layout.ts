import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { digestOf, type Digest } from '../../src/domain/digest.ts';
import { OCI_CONFIG, OCI_EMPTY, OCI_INDEX, OCI_MANIFEST, DOCKER_CONFIG, DOCKER_LAYER, DOCKER_MANIFEST } from '../../src/domain/media-type.ts';

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly urls?: readonly string[];
  readonly artifactType?: string;
  readonly annotations?: Record<string, string>;
  readonly platform?: object;
}

/** A layer with the step that made it. */
export interface Layer {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
  readonly step: Step;
}

export interface Step {
  readonly created: string;
  readonly created_by: string;
  readonly comment?: string;
  readonly empty_layer?: true;
}

export interface ImagePlan {
  readonly platform: {
    readonly os: string;
    readonly architecture: string;
    readonly variant?: string;
    readonly 'os.version'?: string;
  };
  readonly created: string;
  readonly config: object;
  /** Bottom first; a step alone is one that added no layer. */
  readonly build: readonly (Layer | Step)[];
  readonly annotations?: Record<string, string>;
  readonly author?: string;
  readonly form?: 'docker';
}

/** What a layer holds: a file's text or bytes by its path; a path that ends with a slash is a folder. */
export type Files = Record<string, string | Buffer>;

/** An OCI layout that is built up in memory. Everything in it is a function of what is asked for. */
export class LayoutWriter {
  private readonly files = new Map<string, Buffer>();
  private readonly names: Descriptor[] = [];

  /** A tag of a repository. Given twice it has moved: the later one is what it names. */
  name(reference: string, descriptor: Descriptor): void {
    const { mediaType, digest, size } = descriptor;
    this.names.push({ mediaType, digest, size, annotations: { 'org.opencontainers.image.ref.name': reference } });
  }

  async layer(step: Step, files: Files, packing: 'gzip' | 'zstd' | 'docker' = 'gzip'): Promise<Layer> {
    const tar = await tarOf(files);
    const packed = packing === 'zstd' ? zstdCompressSync(tar) : gzipSync(tar, { level: 9 });
    const mediaType = packing === 'docker' ? DOCKER_LAYER : `application/vnd.oci.image.layer.v1.tar+${packing}`;
    return { descriptor: this.blob(mediaType, packed), diffId: digestOf(tar), step };
  }

  image({ platform, created, config, build, annotations, author, form }: ImagePlan): Descriptor {
    const layers = build.filter((item) => 'diffId' in item);
    const configuration = this.json(form === 'docker' ? DOCKER_CONFIG : OCI_CONFIG, {
      ...platform,
      created,
      ...(author && { author }),
      config,
      rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
      history: build.map((item) => ('diffId' in item ? item.step : item)),
    });
    const mediaType = form === 'docker' ? DOCKER_MANIFEST : OCI_MANIFEST;
    const manifest = this.json(mediaType, {
      schemaVersion: 2,
      mediaType,
      config: configuration,
      layers: layers.map(({ descriptor }) => descriptor),
      ...(annotations && { annotations }),
    });
    return { ...manifest, platform };
  }

  index(manifests: readonly Descriptor[], annotations?: Record<string, string>): Descriptor {
    return this.json(OCI_INDEX, { schemaVersion: 2, mediaType: OCI_INDEX, manifests, ...(annotations && { annotations }) });
  }

  /** A document about another manifest. */
  artifact(artifactType: string, blob: Descriptor, subject: Descriptor, created: string): Descriptor {
    const { mediaType, digest, size } = subject;
    const annotations = { 'org.opencontainers.image.created': created };
    const manifest = this.json(OCI_MANIFEST, {
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      artifactType,
      config: this.blob(OCI_EMPTY, Buffer.from('{}')),
      layers: [blob],
      subject: { mediaType, digest, size },
      annotations,
    });
    return { ...manifest, artifactType, annotations };
  }

  json(mediaType: string, document: object): Descriptor {
    return this.blob(mediaType, Buffer.from(JSON.stringify(document)));
  }

  /** The layout's files by their path, in order. */
  finish(): Map<string, Buffer> {
    const index = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: this.names };
    const all = new Map(this.files)
      .set('oci-layout', Buffer.from(`${JSON.stringify({ imageLayoutVersion: '1.0.0' })}\n`))
      .set('index.json', Buffer.from(`${JSON.stringify(index, null, 2)}\n`));
    return new Map([...all].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  private blob(mediaType: string, bytes: Buffer): Descriptor {
    const digest = digestOf(bytes);
    this.files.set(`blobs/sha256/${digest.slice('sha256:'.length)}`, bytes);
    return { mediaType, digest, size: bytes.length };
  }
}

/** Bytes that no packing makes smaller, in place of a program. */
export function programBytes(name: string, length: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, at) =>
    createHash('sha256').update(`${name} ${at}`).digest(),
  );
  return Buffer.concat([Buffer.from('\x7fELF'), ...blocks]).subarray(0, length);
}

function tarOf(files: Files): Promise<Buffer> {
  const tar = pack();
  const mtime = new Date('2026-01-01T00:00:00Z');
  for (const [name, content] of Object.entries(files)) {
    if (name.endsWith('/')) tar.entry({ name, type: 'directory', mode: 0o755, mtime });
    else tar.entry({ name, mode: /(^|\/)s?bin\//.test(name) ? 0o755 : 0o644, mtime }, content);
  }
  tar.finalize();
  return buffer(tar);
}
