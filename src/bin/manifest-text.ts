import { formatSize } from './size.ts';

/** What describeManifest asks of the graph. */
export const MANIFEST_QUERY = `
  query Show($reference: ImageReference!) {
    manifest(reference: $reference) {
      __typename digest mediaType firstSeenAt isAvailable
      tags(first: 100) { nodes { reference } }
      ... on ImageIndex { entries { digest platform { os label } } images { ...Picture } }
      ... on Artifact { artifactType blobs { digest mediaType size } }
      ... on Image { ...Picture }
    }
  }
  fragment Picture on Image {
    digest configDigest createdAt author size
    platform { label osVersion }
    labels { name value }
    config {
      entrypoint command user workingDirectory volumes stopSignal
      environment { name value }
      exposedPorts { port protocol }
      healthcheck { test }
    }
    layers { digest size createdBy layer { imageCount } }
  }`;

/** The answer to it. */
export interface ShownManifest {
  readonly __typename: 'Image' | 'ImageIndex' | 'Artifact';
  readonly digest: string;
  readonly mediaType: string;
  readonly firstSeenAt: string;
  readonly isAvailable: boolean;
  readonly tags: { readonly nodes: readonly { readonly reference: string }[] };
  readonly entries?: readonly {
    readonly digest: string;
    readonly platform: { readonly os: string; readonly label: string } | null;
  }[];
  readonly images?: readonly ShownImage[];
  readonly artifactType?: string;
  readonly blobs?: readonly { readonly digest: string; readonly mediaType: string; readonly size: number }[];
}

interface ShownImage {
  readonly digest: string;
  readonly configDigest: string;
  readonly createdAt: string | null;
  readonly author: string | null;
  readonly size: number;
  readonly platform: { readonly label: string; readonly osVersion: string | null };
  readonly labels: readonly NameAndValue[];
  readonly config: {
    readonly entrypoint: readonly string[] | null;
    readonly command: readonly string[] | null;
    readonly user: string | null;
    readonly workingDirectory: string | null;
    readonly volumes: readonly string[];
    readonly stopSignal: string | null;
    readonly environment: readonly NameAndValue[];
    readonly exposedPorts: readonly { readonly port: number; readonly protocol: string }[];
    readonly healthcheck: { readonly test: readonly string[] } | null;
  };
  readonly layers: readonly {
    readonly digest: string;
    readonly size: number;
    readonly createdBy: string | null;
    readonly layer: { readonly imageCount: number };
  }[];
}

interface NameAndValue {
  readonly name: string;
  readonly value: string;
}

/** A page for a person: what the manifest is, its tags, and every image with its configuration and layers. */
export function describeManifest(reference: string, manifest: ShownManifest): string {
  const { entries = [], blobs = [], tags } = manifest;
  const images = manifest.__typename === 'Image' ? [manifest as ShownManifest & ShownImage] : (manifest.images ?? []);
  const known = new Set(images.map(({ digest }) => digest));
  const absent = entries.filter(({ digest, platform }) => platform && platform.os !== 'unknown' && !known.has(digest));
  const lines = [
    reference,
    ...facts([
      ['digest', manifest.digest],
      ['type', manifest.artifactType ?? manifest.mediaType],
      ['platforms', images.map(({ platform }) => platform.label).join(', ')],
      ['not cataloged', absent.map(({ platform }) => platform?.label).join(', ')],
      ['tags', tags.nodes.map((tag) => tag.reference).join(', ')],
      ['first seen', manifest.firstSeenAt],
      ['available', manifest.isAvailable ? '' : 'no registry has it any more'],
    ]),
    ...blobs.map(({ digest, mediaType, size }) => `  ${formatSize(size).padStart(9)}  ${digest}  ${mediaType}`),
    ...images.flatMap(describeImage),
  ];
  return `${lines.join('\n')}\n`;
}

function describeImage({
  digest,
  configDigest,
  createdAt,
  author,
  size,
  platform,
  labels,
  config,
  layers,
}: ShownImage) {
  const { osVersion } = platform;
  return [
    '',
    `${platform.label}${osVersion === null ? '' : ` ${osVersion}`}, ${formatSize(size)} in ${layers.length} layers`,
    ...facts([
      ['digest', digest],
      ['image id', configDigest],
      ['created', createdAt ?? ''],
      ['author', author ?? ''],
      ['entrypoint', words(config.entrypoint)],
      ['command', words(config.command)],
      ['user', config.user ?? ''],
      ['directory', config.workingDirectory ?? ''],
      ['ports', config.exposedPorts.map(({ port, protocol }) => `${port}/${protocol}`).join(', ')],
      ['volumes', config.volumes.join(', ')],
      ['stop signal', config.stopSignal ?? ''],
      ['healthcheck', words(config.healthcheck?.test ?? null)],
    ]),
    ...listed('environment', config.environment),
    ...listed('labels', labels),
    ...(layers.length === 0 ? [] : ['  layers, bottom first']),
    ...layers.map((layer) => {
      const sharing = layer.layer.imageCount > 1 ? `  (in ${layer.layer.imageCount} images)` : '';
      return `    ${formatSize(layer.size).padStart(9)}  ${layer.digest.slice(0, 19)}  ${instruction(layer.createdBy)}${sharing}`;
    }),
  ];
}

/** A line for each that has something to say. */
function facts(pairs: readonly (readonly [name: string, value: string])[]): string[] {
  return pairs.filter(([, value]) => value !== '').map(([name, value]) => `  ${name.padEnd(13)}  ${plain(value)}`);
}

function listed(title: string, pairs: readonly NameAndValue[]): string[] {
  if (pairs.length === 0) return [];
  return [`  ${title}`, ...pairs.map(({ name, value }) => `    ${plain(name)}=${plain(value)}`)];
}

function words(list: readonly string[] | null): string {
  return list === null ? '' : JSON.stringify(list);
}

/** As it stood in the Dockerfile, without what builders put around it, on one line. */
function instruction(text: string | null): string {
  const bare = (text ?? '')
    .replace(/^\/bin\/sh -c #\(nop\)\s+/, '')
    .replace(/^(RUN )?\/bin\/sh -c /, 'RUN ')
    .replace(/\s*# buildkit$/, '')
    .replaceAll(/\s+/g, ' ');
  return plain(bare.length > 100 ? `${bare.slice(0, 99)}…` : bare);
}

/** Without the control characters with which an image could write anything to a terminal. */
function plain(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, '\u{fffd}');
}
