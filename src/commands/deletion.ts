import type { Connection, Database } from '../catalog/database.ts';
import * as catalog from '../catalog/write/index.ts';
import type { Digest } from '../domain/digest.ts';
import { formatReference, tagNamed, type Reference } from '../domain/reference.ts';
import type { RegistryDeletion } from './registry-deletion.ts';
import { inUse, invalid, notFound, refused, type UserError } from './user-error.ts';

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

  /** What of the catalog would go at the registry with a tag, if its manifest does. */
  function beginWithTag({ digest, repositoryId }: catalog.StoredTag) {
    return database.transaction(async (connection) => {
      await catalog.holdContent(connection);
      const plan = await catalog.planDeletion(connection, { digest, repositoryId, takesIndexes: false });
      const { doomed, inUse } = plan ?? { doomed: [], inUse: [] };
      if (inUse.length === 0) await catalog.beginDeletion(connection, doomed);
      return { doomed, inUse };
    });
  }

  return {
    async deleteImage({ digest, repository, deleteFromRegistry }) {
      const stored = repository ? await catalog.findRepository(database, repository) : null;
      if (repository && stored === null) return nothing(unknownRepository('repository', repository));
      const repositoryId = stored?.id ?? null;
      const request = { digest, repositoryId, takesIndexes: !deleteFromRegistry };
      const where = repository ? formatName(repository) : 'The catalog';
      const missing = notFound('digest', `${where} has no image, index or artifact ${digest}.`);

      const deleteHere = () =>
        database.transaction(async (connection): Promise<DeleteImageOutcome> => {
          const plan = await planned(connection, request);
          if (plan === null) return nothing(missing);
          if ('fault' in plan) return nothing(plan.fault);
          const freedSize = await catalog.deletePlanned(connection, plan, repositoryId, now());
          return { deletedDigest: digest, freedSize, userErrors: [] };
        });
      if (!deleteFromRegistry) return deleteHere();

      const begun = await database.transaction(async (connection) => {
        const plan = await planned(connection, request);
        if (plan !== null && !('fault' in plan)) await catalog.beginDeletion(connection, plan.doomed);
        return plan;
      });
      if (begun === null) return nothing(missing);
      if ('fault' in begun) return nothing(begun.fault);
      try {
        const fault = await deleteInRegistries(begun, request);
        return fault === null ? await deleteHere() : nothing(fault);
      } finally {
        await catalog.endDeletion(database, begun.doomed);
      }
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
      const deleteHere = (isManifestGone: boolean) =>
        database.transaction(async (connection) => {
          const at = now();
          await Promise.all([
            catalog.holdContent(connection),
            catalog.lockCounts(connection),
            catalog.touchRepository(connection, place, at),
            catalog.forgetTags(connection, place, [name], at),
            isManifestGone && catalog.recordAbsence(connection, place, [digest], at),
            catalog.recountRepository(connection, place),
          ]);
          return { removedId: id, userErrors: [] };
        });
      if (!deleteFromRegistry) return deleteHere(false);

      const manifest = await beginWithTag(tag);
      try {
        const others = await catalog.namesBeside(database, tag);
        const isManifestGone = await registries.deleteTag(
          { place, name, digest },
          {
            others,
            isInUse: manifest.inUse.length > 0,
          },
        );
        if (isManifestGone !== null) return await deleteHere(isManifestGone);
        const what = `The registry deletes no tags by name, and what ${name} names`;
        return refuse(inUse('deleteFromRegistry', what, manifest.inUse));
      } catch (error) {
        return refuse(refused('deleteFromRegistry', error));
      } finally {
        await catalog.endDeletion(database, manifest.doomed);
      }
    },
  };
}

/** That one request asks to delete an image. */
const MAX_REPOSITORIES = 100;

/** In a transaction that is to delete, or to begin it; null where there is nothing to delete. */
async function planned(
  connection: Connection,
  request: catalog.DeletionRequest,
): Promise<catalog.DeletionPlan | { readonly fault: UserError } | null> {
  await catalog.holdContent(connection);
  const plan = await catalog.planDeletion(connection, request);
  if (plan === null) return null;
  if (plan.inUse.length > 0) return { fault: inUse('digest', KINDS[plan.kind], plan.inUse) };
  return plan.heldBy.length > 0 ? { fault: held(plan) } : plan;
}

const KINDS = { IMAGE: 'The image', INDEX: 'The index', ARTIFACT: 'The artifact' } as const;

function nothing(error: UserError): DeleteImageOutcome {
  return { deletedDigest: null, freedSize: null, userErrors: [error] };
}

function held({ kind, heldBy }: catalog.DeletionPlan): UserError {
  const message = `${KINDS[kind]} is listed by ${heldBy.join(', ')}: delete that index, and what only it lists goes with it.`;
  return invalid('digest', message);
}

function unknownRepository(path: string, reference: Reference): UserError {
  return notFound(path, `The catalog has no repository "${formatName(reference)}".`);
}

function formatName({ host, repository }: Reference): string {
  return `${host}/${repository}`;
}
