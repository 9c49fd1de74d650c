import type { Database } from '../catalog/database.ts';
import * as catalog from '../catalog/write/index.ts';
import type { RegistryHost } from '../domain/reference.ts';
import { parseRepositorySelection, parseTagSelection } from '../domain/selection.ts';
import type { Mention } from '../hooks/index.ts';
import { enqueueRuns } from '../queue/index.ts';

/** Where a registry says that something changed. */
export interface Webhook {
  readonly registryId: number;
  /** What its notifications are known by. */
  readonly secret: string;
}

export interface NotificationCommands {
  /** Null where the catalog follows no such registry, or takes no notifications from it. */
  findWebhook(host: RegistryHost): Promise<Webhook | null>;
  /**
   * Has the repositories looked at that sources follow, as those would. However often one is named before that begins,
   * it is looked at once. False where nobody follows any of them.
   */
  lookAt(webhook: Webhook, mentions: readonly Mention[]): Promise<boolean>;
}

export function createNotificationCommands(database: Database, seal: catalog.Seal): NotificationCommands {
  return {
    async findWebhook(host) {
      const stored = await catalog.findRegistry(database, { host });
      if (!stored?.webhookSecret) return null;
      return { registryId: stored.id, secret: seal.open(stored.webhookSecret, host) };
    },

    async lookAt({ registryId }, mentions) {
      if (mentions.length === 0) return false;
      const sources = await catalog.followingSources(database, registryId);
      const notified = sources.flatMap((source) => followedBy(source, mentions));
      if (notified.length === 0) return false;
      const others = await catalog.remindNotifiedRuns(database, notified);
      if (others.length === 0) return true;
      await database.transaction(async (connection) => {
        await enqueueRuns(connection, await catalog.queueNotifiedRuns(connection, others));
      });
      return true;
    },
  };
}

/** What the source would look at; a tag that it leaves out is no reason to. */
function followedBy(
  { id, repositories, tags }: catalog.FollowingSource,
  mentions: readonly Mention[],
): catalog.NotifiedRepository[] {
  const followed = parseRepositorySelection(repositories);
  const wanted = tags === null ? null : parseTagSelection(tags);
  const names = mentions
    .filter(({ repository, tag }) => followed.matches(repository) && (tag === null || (wanted?.matches(tag) ?? true)))
    .map(({ repository }) => repository);
  return [...new Set(names)].map((name) => ({ sourceId: id, name }));
}
