import { createHash } from 'node:crypto';
import { algorithmOf, isDigest, type Digest } from '../../domain/digest.ts';
import { RegistryError } from '../../domain/errors.ts';
import type { RegistryHost, RepositoryName, TagName } from '../../domain/reference.ts';
import type { FetchedManifest, ListedTag, OpenRegistry } from '../registry.ts';
import type { Layout, NamedManifest } from './layout.ts';

const PAGE = 1000;

/** Answers for a layout as a registry would. Each document or blob that is read counts as one request. */
export function registryOfLayout(host: RegistryHost, layout: Layout, close: () => Promise<void>): OpenRegistry {
  const traffic = { requests: 0, bytes: 0 };

  function tagsOf(repository: RepositoryName): ReadonlyMap<TagName, NamedManifest> {
    const tags = layout.repositories.get(repository);
    if (tags === undefined) throw new RegistryError('NOT_FOUND', `the layout holds nothing named ${repository}`);
    return tags;
  }

  function digestOfTarget(repository: RepositoryName, target: TagName | Digest): Digest | null {
    if (isDigest(target)) return target;
    const named = tagsOf(repository).get(target);
    if (named === undefined) return null;
    if ('fault' in named) throw named.fault;
    return named.digest;
  }

  async function readManifest(digest: Digest, signal: AbortSignal): Promise<FetchedManifest | null> {
    signal.throwIfAborted();
    const manifest = await layout.readManifest(digest, signal);
    traffic.requests++;
    traffic.bytes += manifest?.raw.length ?? 0;
    return manifest;
  }

  return {
    host,
    traffic,
    close,

    async *listRepositories(_prefix, signal) {
      yield* pagesOf([...layout.repositories.keys()], signal);
    },

    async *listTags(repository, signal) {
      yield* pagesOf([...tagsOf(repository)].map(listedTag), signal);
    },

    async resolveManifest(repository, target, signal) {
      signal.throwIfAborted();
      const digest = digestOfTarget(repository, target);
      return digest !== null && (await layout.hasManifest(digest)) ? digest : null;
    },

    async fetchManifest(repository, target, signal) {
      const digest = digestOfTarget(repository, target);
      const manifest = digest === null ? null : await readManifest(digest, signal);
      if (manifest === null)
        throw new RegistryError('NOT_FOUND', `${repository} has no manifest ${target} in the layout`);
      return manifest;
    },

    async *fetchBlob(_repository, digest, size, signal) {
      signal.throwIfAborted();
      const file = await layout.findBlob(digest);
      if (file === null) throw new RegistryError('NOT_FOUND', `the layout has no blob ${digest}`);
      if (file.size !== size) {
        throw new RegistryError('DIGEST_MISMATCH', `${digest} has ${file.size} bytes, its manifest says ${size}`);
      }
      traffic.requests++;
      const hash = createHash(algorithmOf(digest));
      for await (const chunk of file.chunks()) {
        signal.throwIfAborted();
        hash.update(chunk);
        traffic.bytes += chunk.length;
        yield chunk;
      }
      if (`${algorithmOf(digest)}:${hash.digest('hex')}` !== digest) {
        throw new RegistryError('DIGEST_MISMATCH', `the bytes of ${digest} in the layout are not those of its name`);
      }
    },
  };
}

function listedTag([name, named]: [TagName, NamedManifest]): ListedTag {
  return 'fault' in named ? { name } : { name, digest: named.digest, previous: named.previous };
}

function* pagesOf<T>(all: readonly T[], signal: AbortSignal): Generator<readonly T[]> {
  for (let at = 0; at < all.length; at += PAGE) {
    signal.throwIfAborted();
    yield all.slice(at, at + PAGE);
  }
}
