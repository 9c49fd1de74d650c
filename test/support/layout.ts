import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { pack, type Header } from 'tar-stream';
import { digestOf, type Digest } from '../../src/domain/digest.ts';

export type LinkHeader = Pick<Header, 'name' | 'type' | 'linkname'>;

/** The files of a layout, by their path in it. */
export type LayoutContent = Map<string, Buffer>;

export interface LayoutDescriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
}

/** Builds an OCI layout in memory. */
export class LayoutBuilder {
  readonly files: LayoutContent = new Map([['oci-layout', json({ imageLayoutVersion: '1.0.0' })]]);
  readonly entries: object[] = [];

  blob(bytes: Buffer, mediaType: string): LayoutDescriptor {
    const digest = digestOf(bytes);
    this.files.set(`blobs/sha256/${digest.slice(7)}`, bytes);
    return { mediaType, digest, size: bytes.length };
  }

  /** An image of one layer that holds `text`; returns its manifest's descriptor. */
  image(text: string): LayoutDescriptor {
    const layer = this.blob(Buffer.from(text.padEnd(1024, '\0')), 'application/vnd.oci.image.layer.v1.tar');
    const config = this.blob(
      json({ os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [layer.digest] } }),
      'application/vnd.oci.image.config.v1+json',
    );
    return this.blob(json({ schemaVersion: 2, config, layers: [layer] }), 'application/vnd.oci.image.manifest.v1+json');
  }

  name(descriptor: LayoutDescriptor, refName: string | null, containerdName?: string): void {
    const annotations = {
      ...(refName !== null && { 'org.opencontainers.image.ref.name': refName }),
      ...(containerdName !== undefined && { 'io.containerd.image.name': containerdName }),
    };
    this.entries.push({ ...descriptor, annotations });
  }

  content(): LayoutContent {
    const index = { schemaVersion: 2, manifests: this.entries };
    return new Map([...this.files, ['index.json', json(index)]]);
  }
}

export function json(document: unknown): Buffer {
  return Buffer.from(JSON.stringify(document));
}

/** A folder of its own for one test; `remove` takes it away. */
export async function temporaryFolder(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'stowage-test-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

export async function writeFolder(folder: string, content: LayoutContent): Promise<void> {
  for (const [path, bytes] of content) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), bytes);
  }
}

/** The content as a tar; entries that are links or folders come as headers alone. */
export function tarOf(content: LayoutContent, links: readonly LinkHeader[] = []): Promise<Buffer> {
  const tar = pack();
  for (const [name, bytes] of content) tar.entry({ name }, bytes);
  for (const link of links) tar.entry(link);
  tar.finalize();
  return buffer(tar);
}
