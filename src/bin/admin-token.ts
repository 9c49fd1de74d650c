import type { Config } from '../config/index.ts';
import { keptSecret, type KeptSecret } from './kept-secret.ts';

/** Whoever sends it may change the catalog. A null file means that the environment sets it. */
export type AdminToken = KeptSecret | { readonly text: string; readonly file: null };

/** The token of the environment, or of the data directory, where one is made the first time. */
export async function adminTokenOf({ adminToken, dataDirectory }: Config): Promise<AdminToken> {
  return adminToken === null ? keptSecret(dataDirectory, 'admin-token', 'stowage_') : { text: adminToken, file: null };
}
