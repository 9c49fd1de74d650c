import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CatalogError, messageOf } from '../domain/errors.ts';

/** A secret that lies in the data directory, for nobody but the user who runs Stowage. */
export interface KeptSecret {
  readonly text: string;
  readonly file: string;
  /** True when it was made just now. */
  readonly isNew: boolean;
}

/** Reads the secret `name`, or makes one of 32 random bytes in base64url. Throws INVALID_CONFIGURATION. */
export async function keptSecret(directory: string, name: string, prefix: string): Promise<KeptSecret> {
  const file = join(directory, name);
  try {
    const isNew = await make(directory, file, `${prefix}${randomBytes(32).toString('base64url')}`);
    const text = (await readFile(file, 'utf8')).trim();
    if (text === '') throw new Error('it is empty');
    return { text, file, isNew };
  } catch (error) {
    throw new CatalogError(
      'INVALID_CONFIGURATION',
      `The secret in ${file} cannot be used (${messageOf(error)}): make the file readable, or remove it to get a new one.`,
      { cause: error },
    );
  }
}

/** Whole under another name first: of two processes that start together one makes it, and neither reads half of it. */
async function make(directory: string, file: string, text: string): Promise<boolean> {
  await mkdir(directory, { recursive: true });
  const partial = `${file}.${process.pid}`;
  const handle = await open(partial, 'w', 0o600);
  await handle.writeFile(`${text}\n`);
  await handle.close();
  try {
    await link(partial, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(partial, { force: true });
  }
}
