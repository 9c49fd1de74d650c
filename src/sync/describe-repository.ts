import * as catalog from '../catalog/write/index.ts';
import type { Look } from './look.ts';

/** Writes down what the registry says of the repository itself. That it says nothing is no fault of the tags. */
export async function describeRepository(look: Look): Promise<void> {
  const { registry, database, name, signal } = look.sync;
  if (registry.describeRepository === undefined) return;
  try {
    const description = await registry.describeRepository(name, signal);
    if (description !== null) await catalog.recordDescription(database, look.place, description);
  } catch (error) {
    look.blame(' (description)', error);
  }
}
