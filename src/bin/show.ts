import type { Logger } from 'pino';
import { createCommands } from '../commands/index.ts';
import type { Config } from '../config/index.ts';
import { CatalogError } from '../domain/errors.ts';
import { formatReference, parsePastedReference } from '../domain/reference.ts';
import { openGraph } from '../graphql/index.ts';
import { openProcessDatabase } from './database.ts';
import { describeManifest, MANIFEST_QUERY, type ShownManifest } from './manifest-text.ts';
import { registryKindsOf } from './registry-kinds.ts';
import { openStorage } from './storage.ts';

/** Prints what a reference names, as the catalog has it. Asks the same graph that clients ask. */
export async function show(text: string, config: Config, log: Logger): Promise<void> {
  const reference = parsePastedReference(text);
  const storage = await openStorage(config, log);
  const database = openProcessDatabase({ storage, log, poolSize: 4 });
  try {
    const commands = createCommands({ database, seal: storage.seal, kinds: registryKindsOf(config, log) });
    const graph = await openGraph({ database, commands, adminToken: '', log, drain: {} });
    const { body } = await graph.server
      .executeOperation<{ manifest: ShownManifest | null }>(
        { query: MANIFEST_QUERY, variables: { reference: formatReference(reference) } },
        { contextValue: graph.contextFor(undefined) },
      )
      .finally(() => graph.close());
    if (body.kind !== 'single' || body.singleResult.errors) {
      throw new Error(JSON.stringify(body.kind === 'single' ? body.singleResult.errors : body));
    }
    const manifest = body.singleResult.data?.manifest;
    if (!manifest) {
      throw new CatalogError(
        'INVALID_REFERENCE',
        `The catalog has no "${formatReference(reference)}": fetch it with stowage sync ${text}.`,
      );
    }
    process.stdout.write(describeManifest(formatReference(reference), manifest));
  } finally {
    await database.close();
    await storage.close();
  }
}
