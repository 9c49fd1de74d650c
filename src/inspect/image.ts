import { layerParts, partOf, type ImageComposition, type LayerParts } from './composition.ts';
import { TREE_LIMITS, TreeLimitReached, type TreeLimits } from './file-tree.ts';
import { imageFiles, type ImageFile } from './image-file.ts';
import { kernelsOf } from './kernels.ts';
import { Notes } from './notes.ts';
import { operatingSystemOf, windowsOf, type OperatingSystem } from './operating-system.ts';
import { Overlay, type StackedLayer } from './overlay.ts';
import type { ImagePackage } from './package-history.ts';
import { packageManagersOf, shellsOf, type Program } from './programs.ts';

/** What the configuration and the manifest of an image say that its layers do not. */
export interface ImageClaim {
  readonly os: string;
  readonly osVersion: string | null;
  readonly env: readonly string[];
  /** Bytes of the manifest and the configuration. */
  readonly documentsSize: number;
}

/** What an image holds. Positions of layers count from 0, the bottom. */
export interface ImageContents {
  /** Why more of the image is there than is told here, as a sentence; null when it is all. */
  readonly reason: string | null;
  /** Null where nothing tells which it is. */
  readonly operatingSystem: OperatingSystem | null;
  readonly shells: readonly Program[];
  readonly packageManagers: readonly Program[];
  readonly kernels: readonly string[];
  readonly packages: readonly ImagePackage[];
  /** Of regular files, each counted once whatever names it has. */
  readonly fileCount: number;
  readonly fileBytes: number;
  /** Up to 100, largest first. */
  readonly largestFiles: readonly ImageFile[];
  /** Bytes that one layer wrote, and a later one replaced or took away. */
  readonly wastedSize: number;
  readonly composition: ImageComposition;
  /** What was left out while the layers were put on one another. */
  readonly notes: readonly string[];
  /** See `imageFiles`. */
  files(): Iterable<ImageFile>;
}

/** Puts layers on one another, bottom first; null for one of which nothing is known. */
export function overlayImage(
  layers: readonly (StackedLayer | null)[],
  { os, osVersion, env, documentsSize }: ImageClaim,
  limits: TreeLimits = TREE_LIMITS,
): ImageContents {
  const notes = new Notes();
  const overlay = new Overlay(limits, notes);
  const reasons = layers.flatMap((layer, position) => incompleteness(layer, position));
  try {
    for (const [position, layer] of layers.entries()) if (layer !== null) overlay.add(layer, position);
  } catch (error) {
    if (!(error instanceof TreeLimitReached)) throw error;
    reasons.push(error.message);
  }
  const { tree, packages, wastedSize } = overlay;
  const operatingSystem = os === 'windows' ? windowsOf(osVersion) : operatingSystemOf((path) => textAt(overlay, path));
  const found = packages.list(operatingSystem?.id ?? null);
  return {
    reason: reasons.length > 0 ? reasons.slice(0, MAX_REASONS).join(' ') : null,
    operatingSystem,
    shells: shellsOf(tree, env),
    packageManagers: packageManagersOf(tree, env),
    kernels: kernelsOf(tree),
    packages: found,
    ...measure(imageFiles(tree), layerParts(layers, found), documentsSize),
    wastedSize,
    notes: notes.list(),
    files: () => imageFiles(tree),
  };
}

const LARGEST = 100;
const MAX_REASONS = 10;

function incompleteness(layer: StackedLayer | null, position: number): string[] {
  if (layer === null) return [`Nothing is known of layer ${position}.`];
  return layer.reason === null ? [] : [`Layer ${position}: ${layer.reason}`];
}

function textAt({ tree, documents }: Overlay, path: string): string | null {
  const place = tree.find(path);
  const document = place === null ? undefined : documents.get(place.node);
  return document !== undefined && 'text' in document ? document.text : null;
}

function measure(files: Iterable<ImageFile>, parts: LayerParts, documentsSize: number) {
  const composition = { operatingSystemSize: 0, dependencySize: 0, applicationSize: 0, metadataSize: documentsSize };
  let largestFiles: ImageFile[] = [];
  let fileCount = 0;
  let fileBytes = 0;
  for (const file of files) {
    if (file.type !== 'FILE') continue;
    fileCount++;
    fileBytes += file.size;
    composition[partOf(file, parts)] += file.size;
    largestFiles.push(file);
    if (largestFiles.length > 10 * LARGEST) largestFiles = largest(largestFiles);
  }
  return { fileCount, fileBytes, largestFiles: largest(largestFiles), composition };
}

function largest(files: readonly ImageFile[]): ImageFile[] {
  return files.toSorted((a, b) => b.size - a.size || (a.path < b.path ? -1 : 1)).slice(0, LARGEST);
}
