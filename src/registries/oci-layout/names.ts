import { basename } from 'node:path';
import { CatalogError } from '../../domain/errors.ts';
import {
  isTagName,
  parseReference,
  parseRepositoryName,
  tagNamed,
  type RepositoryName,
  type TagName,
} from '../../domain/reference.ts';

/** A name in a layout. Whatever host it was written with is dropped: what a layout holds belongs to its own host. */
export interface LayoutName {
  readonly repository: RepositoryName;
  readonly tag: TagName;
}

/**
 * The name of an entry of index.json; null where it has none that can be read. containerd's annotation is a full
 * reference; the other one is `repository:tag`, a full reference, or a tag alone, which belongs to `fallback`.
 * https://github.com/opencontainers/image-spec/blob/main/annotations.md#pre-defined-annotation-keys
 */
export function nameOfEntry(annotations: Record<string, string>, fallback: RepositoryName): LayoutName | null {
  const full = annotations['io.containerd.image.name'];
  const fromContainerd = full === undefined ? null : nameOfReference(full);
  if (fromContainerd !== null) return fromContainerd;
  const written = annotations['org.opencontainers.image.ref.name'];
  if (written === undefined) return null;
  if (isTagName(written)) return { repository: fallback, tag: written };
  const name = nameOfReference(written);
  // Only Docker's own tools mean library/alpine when they write alpine.
  return name === null || written.includes('/') ? name : { ...name, repository: withoutLibrary(name.repository) };
}

/** A reference as Docker writes it: `alpine:3.20` is in library/alpine. Null where it names no tag. */
export function nameOfReference(text: string): LayoutName | null {
  try {
    const reference = parseReference(text);
    if (reference.tag === null && reference.digest !== null) return null;
    return { repository: reference.repository, tag: tagNamed(reference) };
  } catch (error) {
    if (error instanceof CatalogError) return null;
    throw error;
  }
}

/** `/srv/My Images.tar` holds the repository my-images, as far as its entries name none. */
export function repositoryOfPath(path: string): RepositoryName {
  const name = basename(path)
    .toLowerCase()
    .replace(/(\.oci|\.docker)?\.tar$/, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 200);
  return parseRepositoryName(name.replace(/-+$/, '') || 'layout');
}

function withoutLibrary(repository: RepositoryName): RepositoryName {
  return parseRepositoryName(repository.replace(/^library\//, ''));
}
