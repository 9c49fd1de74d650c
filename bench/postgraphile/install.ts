import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const FOLDER = fileURLToPath(new URL('.', import.meta.url));

/** Puts PostGraphile beside this file unless it is there: nobody needs it who measures nothing. */
export async function installPostgraphile(): Promise<void> {
  if (existsSync(`${FOLDER}node_modules/postgraphile`)) return;
  process.stderr.write('Installing PostGraphile below bench/postgraphile ...\n');
  await promisify(execFile)('npm', ['ci', '--ignore-scripts'], { cwd: FOLDER });
}
