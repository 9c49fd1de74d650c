import type { Database } from '../catalog/database.ts';
import * as catalog from '../catalog/write/index.ts';
import type { Digest } from '../domain/digest.ts';
import { formatReference, tagNamed, type Reference } from '../domain/reference.ts';
import type { RegistryDeletion } from './registry-deletion.ts';
import { invalid, notFound, refused, type UserError } from './user-error.ts';

export interface DeleteImageInput {
  readonly digest: Digest;
  /** Where; everywhere when null. */
  readonly repository?: Reference | null;
  readonly deleteFromRegistry?: boolean | null;
}

export interface DeleteTagInput {
  readonly reference: Reference;
  readonly deleteFromRegistry?: boolean | null;
}

export interface DeleteImageOutcome {
  readonly deletedDigest: Digest | null;
  readonly freedSize: number | null;
  readonly userErrors: UserError[];
}

export interface DeletionCommands {
  deleteImage(input: DeleteImageInput): Promise<DeleteImageOutcome>;
  deleteTag(input: DeleteTagInput): Promise<{ removedId: number | null; userErrors: UserError[] }>;
}

export function createDeletionCommands(
  database: Database,
  registries: RegistryDeletion,
  now: () => Date,
): DeletionCommands {
  /** In the registry first: what is gone there and still here is noticed by the next sync, the reverse comes back. */
  async function deleteInRegistries(plan: catalog.DeletionPlan, { digest, repositoryId }: catalog.DeletionRequest) {
    const holders = await catalog.holdersOf(database, plan.manifestId, repositoryId, MAX_REPOSITORIES + 1);
    if (holders.length > MAX_REPOSITORIES) {
      const message = `More than ${MAX_REPOSITORIES} repositories hold it: name one at a time.`;
      return invalid('repository', message);
    }
    return registries.deleteManifest(holders, digest).then(
      () => null,
      (error: unknown) => refused('deleteFromRegistry', error),
    );
  }

  return {
    async deleteImage({ digest, repository, deleteFromRegistry }) {
      const stored = repository ? await catalog.findRepository(database, repository) : null;
      if (repository && stored === null) return nothing(unknownRepository('repository', repository));
      const repositoryId = stored?.id ?? null;
      const request = { digest, repositoryId, takesIndexes: !deleteFromRegistry };
      const missing = () => {
        const where = repository ? formatName(repository) : 'The catalog';
        return nothing(notFound('digest', `${where} has no image, index or artifact ${digest}.`));
      };

      if (deleteFromRegistry) {
        const plan = await catalog.planDeletion(database, request);
        if (plan === null) return missing();
        const fault = plan.heldBy.length > 0 ? held(plan) : await deleteInRegistries(plan, request);
        if (fault !== null) return nothing(fault);
      }
      return database.transaction(async (connection) => {
        await catalog.holdContent(connection);
        const plan = await catalog.planDeletion(connection, request);
        if (plan === null) return missing();
        if (plan.heldBy.length > 0) return nothing(held(plan));
        const freedSize = await catalog.deletePlanned(connection, plan, repositoryId, now());
        return { deletedDigest: digest, freedSize, userErrors: [] };
      });
    },

    async deleteTag({ reference, deleteFromRegistry }) {
      const refuse = (error: UserError) => ({ removedId: null, userErrors: [error] });
      if (reference.digest !== null) {
        const message = `"${formatReference(reference)}" names a digest: name a tag, or use deleteImage.`;
        return refuse(invalid('reference', message));
      }
      const name = tagNamed(reference);
      const tag = await catalog.findTag(database, reference, name);
      if (tag === null) {
        return refuse(notFound('reference', `The catalog has no tag "${formatName(reference)}:${name}" now.`));
      }
      const { id, place, digest } = tag;
      let isManifestGone = false;
      if (deleteFromRegistry) {
        const others = await catalog.namesBeside(database, tag);
        try {
          isManifestGone = await registries.deleteTag({ place, name, digest }, others);
        } catch (error) {
          return refuse(refused('deleteFromRegistry', error));
        }
      }
      await database.transaction(async (connection) => {
        const at = now();
        await Promise.all([
          catalog.holdContent(connection),
          catalog.lockCounts(connection),
          catalog.touchRepository(connection, place, at),
          catalog.forgetTags(connection, place, [name], at),
          isManifestGone && catalog.recordAbsence(connection, place, [digest], at),
          catalog.recountRepository(connection, place),
        ]);
      });
      return { removedId: id, userErrors: [] };
    },
  };
}

/** That one request asks to delete an image. */
const MAX_REPOSITORIES = 100;

function nothing(error: UserError): DeleteImageOutcome {
  return { deletedDigest: null, freedSize: null, userErrors: [error] };
}

function held({ kind, heldBy }: catalog.DeletionPlan): UserError {
  const what = kind === 'IMAGE' ? 'The image' : kind === 'INDEX' ? 'The index' : 'The artifact';
  const message = `${what} is listed by ${heldBy.join(', ')}: delete that index, and what only it lists goes with it.`;
  return invalid('digest', message);
}

function unknownRepository(path: string, reference: Reference): UserError {
  return notFound(path, `The catalog has no repository "${formatName(reference)}".`);
}

function formatName({ host, repository }: Reference): string {
  return `${host}/${repository}`;
}
