import type { PackageType } from '../domain/package.ts';
import type { ImageFile } from './image-file.ts';
import type { LayerDocument } from './layer-document.ts';
import type { StackedLayer } from './overlay.ts';
import type { ImagePackage } from './package-history.ts';

/** The bytes of an image by what they are there for; together those of its files, its manifest and its configuration. */
export interface ImageComposition {
  readonly operatingSystemSize: number;
  readonly dependencySize: number;
  readonly applicationSize: number;
  readonly metadataSize: number;
}

/** Which layers are the operating system's, and which add to it. */
export interface LayerParts {
  /** Position of the topmost layer of the base; -1 where the image has none. */
  readonly baseEnd: number;
  /** Of the layers above that installed packages of the operating system. */
  readonly installing: ReadonlySet<number>;
}

type Part = keyof ImageComposition;

/**
 * What a file is there for: metadata, by where it lies; the operating system, in the layers up to the first that has a
 * package database; a dependency, in the directories of language packages, and where a layer that installed packages of
 * the operating system puts them; and else the application.
 */
export function partOf({ path, layer }: Pick<ImageFile, 'path' | 'layer'>, { baseEnd, installing }: LayerParts): Part {
  if (METADATA.test(path)) return 'metadataSize';
  if (layer <= baseEnd) return 'operatingSystemSize';
  if (LANGUAGE_PACKAGES.test(path) || (installing.has(layer) && SYSTEM.test(path))) return 'dependencySize';
  return 'applicationSize';
}

export function layerParts(layers: readonly (StackedLayer | null)[], packages: readonly ImagePackage[]): LayerParts {
  const baseEnd = baseEndOf(layers);
  const installed = packages.filter(({ type, layer }) => isSystemPackage(type) && layer > baseEnd);
  return { baseEnd, installing: new Set(installed.map(({ layer }) => layer)) };
}

/** Package databases, documentation and licences. */
const METADATA =
  /^\/(usr\/)?lib\/(apk|rpm|sysimage\/rpm)\/|^\/var\/lib\/(apk|dnf|dpkg|pacman|rpm)\/|^\/usr\/(local\/)?share\/(doc|info|licenses|man)\//;

/** Where packages of languages are installed. */
const LANGUAGE_PACKAGES =
  /\/(node_modules|site-packages|dist-packages|\.m2\/repository|\.nuget\/packages|go\/pkg\/mod|\.cargo\/registry|gems|vendor)\/|\/lib\/[^/]+\.jar$/;

/** Where packages of an operating system are installed. */
const SYSTEM = /^\/(bin|boot|etc|lib\w*|sbin|usr(?!\/(local|src)\/)|var)\//;

const STATUS_FOLDER = 'var/lib/dpkg/status.d/';

/**
 * The base ends with the first layer that has a database of the operating system's packages, or, where none has, that
 * says which system it is. Distroless images have a layer for each package, which add to the database file by file.
 */
function baseEndOf(layers: readonly (StackedLayer | null)[]): number {
  const first = layers.findIndex((layer) => layer?.documents.some(isSystemDatabase));
  if (first < 0) return layers.findIndex((layer) => layer?.documents.some((document) => 'text' in document));
  let end = first;
  while (layers[end + 1]?.documents.some(({ path }) => path.startsWith(STATUS_FOLDER))) end++;
  return end;
}

function isSystemDatabase(document: LayerDocument): boolean {
  return 'packages' in document && document.packages.some(({ type }) => isSystemPackage(type));
}

function isSystemPackage(type: PackageType): boolean {
  return type === 'APK' || type === 'DEB' || type === 'RPM';
}
