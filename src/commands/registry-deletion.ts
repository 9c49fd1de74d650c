import type { Database } from '../catalog/database.ts';
import * as catalog from '../catalog/write/index.ts';
import type { Digest } from '../domain/digest.ts';
import { RegistryError } from '../domain/errors.ts';
import type { TagName } from '../domain/reference.ts';
import { openPacedGate } from '../http/index.ts';
import type { DeletesManifests, OpenRegistry } from '../registries/registry.ts';
import type { RegistryKinds } from './registry.ts';

/** Deletes in registries, which is all that mutations ask of them. */
export interface RegistryDeletion {
  /**
   * Deletes a manifest, by digest, in these repositories, one after the other; the first refusal ends it. Rejects with a
   * RegistryError, as does what follows.
   */
  deleteManifest(holders: readonly catalog.RepositoryPlace[], digest: Digest): Promise<void>;
  /**
   * Deletes a tag by its name, or, where the registry does no such thing, the manifest that it names. True when the
   * manifest is not there any more; null where it would go and is in use, so that the tag stays.
   */
  deleteTag(tag: RegistryTag, manifest: NamedManifest): Promise<boolean | null>;
}

export interface RegistryTag {
  readonly place: catalog.RepositoryPlace;
  readonly name: TagName;
  /** What it names, as far as the catalog knows. */
  readonly digest: Digest;
}

/** What a tag names. */
export interface NamedManifest {
  /** What else goes with it, in words; where there is anything, it stays, and so does the tag. */
  readonly others: readonly string[];
  /** Containers were created from images that go with it. */
  readonly isInUse: boolean;
}

export function createRegistryDeletion(database: Database, seal: catalog.Seal, kinds: RegistryKinds): RegistryDeletion {
  /** Hands `work` a registry that can delete, for so long at most. */
  async function use<T>(id: number, work: (registry: Deleting, signal: AbortSignal) => Promise<T>): Promise<T> {
    const stored = await catalog.findRegistry(database, { id });
    if (stored === null) throw new RegistryError('NOT_FOUND', 'the catalog does not follow the registry any more');
    const { kind, host, url, credential } = stored;
    const gate = openPacedGate(catalog.pacesOfRegistry(database, id), stored.limits);
    const registry = await kinds.open(kind, {
      host,
      url: new URL(url),
      credential: credential && seal.open(credential, host),
      gate,
    });
    const signal = AbortSignal.timeout(LONGEST);
    try {
      if (!canDelete(registry)) {
        throw new RegistryError('UNSUPPORTED', `${host} is read from files, and Stowage deletes nothing in them`);
      }
      return await work(registry, signal);
    } catch (error) {
      if (error !== signal.reason) throw error;
      throw new RegistryError('TIMEOUT', `${host} took longer than ${LONGEST / 1000} s to delete`, { cause: error });
    } finally {
      await registry.close();
      await gate.close();
    }
  }

  return {
    async deleteManifest(holders, digest) {
      const deleted: string[] = [];
      try {
        for (const [registryId, places] of Map.groupBy(holders, (place) => place.registryId)) {
          await use(registryId, async (registry, signal) => {
            for (const { name } of places) {
              await registry.deleteManifest(name, digest, signal);
              deleted.push(`${registry.host}/${name}`);
            }
          });
        }
      } catch (error) {
        throw deleted.length > 0 && error instanceof RegistryError ? afterOthers(error, deleted) : error;
      }
    },

    deleteTag: ({ place, name, digest }, { others, isInUse }) =>
      use(place.registryId, async (registry, signal) => {
        try {
          await registry.deleteManifest(place.name, name, signal);
        } catch (error) {
          if (!(error instanceof RegistryError) || !deletesNoTags(error)) throw error;
          if (await isAlone(registry, { place, name, digest }, others, error, signal)) {
            if (isInUse) return null;
            await registry.deleteManifest(place.name, digest, signal);
            return true;
          }
        }
        // Many keep nothing that has no tag. That this can't be found out is no fault of the deletion.
        const left = registry.resolveManifest(place.name, digest, signal);
        return left.then(
          (found) => found === null,
          () => false,
        );
      }),
  };
}

/** Deletions of one request at one registry, with all waiting. */
const LONGEST = 60_000;

/**
 * How registries say that they delete no tags by name, of which some are known; 404 while the tag is there. Amazon answers
 * with 400 whatever is wrong, also to who may not delete, or has asked too often.
 */
function deletesNoTags({ code, status }: RegistryError): boolean {
  if (status === null) return code === 'UNSUPPORTED';
  return CANNOT.has(status) && (code === 'UNSUPPORTED' || code === 'NOT_FOUND');
}

const CANNOT: ReadonlySet<number> = new Set([400, 404, 405]);

/** Tags of a repository that are asked what they name, before a manifest is deleted in place of one of them. */
const MOST_ASKED = 1_000;

type Deleting = OpenRegistry & DeletesManifests;

function canDelete(registry: OpenRegistry): registry is Deleting {
  return registry.deleteManifest !== undefined;
}

/**
 * Refuses where the manifest is more than what this tag names, there or here. False where the tag is gone already: then
 * nothing is left to delete, and the manifest may be what others name.
 */
async function isAlone(
  registry: OpenRegistry,
  { place, name, digest }: RegistryTag,
  others: readonly string[],
  refusal: RegistryError,
  signal: AbortSignal,
): Promise<boolean> {
  const because = (reason: string) => {
    const { status, registryCode } = refusal;
    const message = `${registry.host} deletes no tags by name, and the manifest itself is not deleted because ${reason}`;
    const details = {
      cause: refusal,
      ...(status !== null && { status }),
      ...(registryCode !== null && { registryCode }),
    };
    return new RegistryError('UNSUPPORTED', message, details);
  };
  const found = await registry.resolveManifest(place.name, name, signal);
  if (found === null) return false;
  if (found !== digest) throw because(`${name} names another one there by now: sync it first`);
  if (others.length > 0) throw because(`it is also ${others.join(', ')}`);

  // The catalog need not follow every tag of the repository, and a deletion can't be taken back.
  let asked = 0;
  for await (const tags of registry.listTags(place.name, signal)) {
    for (const tag of tags) {
      if (tag.name === name) continue;
      if (tag.digest === undefined && ++asked > MOST_ASKED) {
        throw because(`the repository has too many tags to be sure that none of them names it too`);
      }
      const named = tag.digest ?? (await registry.resolveManifest(place.name, tag.name, signal));
      if (named === digest) throw because(`it is also ${tag.name} there`);
    }
  }
  return true;
}

function afterOthers(
  { code, message, status, registryCode }: RegistryError,
  deleted: readonly string[],
): RegistryError {
  const text = `${message}; it was deleted in ${deleted.join(', ')} before, which the next sync will notice`;
  return new RegistryError(code, text, {
    ...(status !== null && { status }),
    ...(registryCode !== null && { registryCode }),
  });
}
