import type { Digest } from '../../domain/digest.ts';
import type { RegistryError } from '../../domain/errors.ts';
import type { RepositoryName, TagName } from '../../domain/reference.ts';
import type { FetchedManifest } from '../registry.ts';
import type { LayoutFile } from './files.ts';

/** What both forms of a layout come to. The names are those of the moment when it was opened. */
export interface Layout {
  readonly repositories: ReadonlyMap<RepositoryName, ReadonlyMap<TagName, NamedManifest>>;
  hasManifest(digest: Digest): Promise<boolean>;
  /** Null where the layout has no such manifest. */
  readManifest(digest: Digest, signal: AbortSignal): Promise<FetchedManifest | null>;
  /** Null where the layout has no such blob. */
  findBlob(digest: Digest): Promise<LayoutFile | null>;
}

export type NamedManifest =
  | { readonly digest: Digest; readonly previous: readonly Digest[] }
  /** The name stands there, what it names can't be read. */
  | { readonly fault: RegistryError };

/** Collects names in the order in which they stand in the layout. */
export class NameList {
  readonly repositories = new Map<RepositoryName, Map<TagName, NamedManifest>>();

  /** A name that stands several times is its history: the last one is what it names now. */
  add(repository: RepositoryName, tag: TagName, named: Digest | { readonly fault: RegistryError }): void {
    const tags = this.repositories.get(repository) ?? new Map<TagName, NamedManifest>();
    this.repositories.set(repository, tags);
    if (typeof named !== 'string') {
      tags.set(tag, named);
      return;
    }
    const before = tags.get(tag);
    if (before === undefined || 'fault' in before) tags.set(tag, { digest: named, previous: [] });
    else if (before.digest !== named) tags.set(tag, { digest: named, previous: [...before.previous, before.digest] });
  }
}
