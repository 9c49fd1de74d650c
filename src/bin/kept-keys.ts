import { KEY_FORM, parseKeys, type CredentialKeys } from '../config/index.ts';
import { CatalogError } from '../domain/errors.ts';
import { keptSecret } from './kept-secret.ts';

/** The keys of stored credentials in the data directory, a line for each; one is made the first time. */
export async function keptKeys(dataDirectory: string): Promise<CredentialKeys> {
  const { text, file } = await keptSecret(dataDirectory, 'credential-key', '');
  const keys = parseKeys(text);
  if (keys) return keys;
  throw new CatalogError('INVALID_CONFIGURATION', `${file} has a line that is not a key: write ${KEY_FORM}.`);
}
