import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sampleLayout } from './samples/images.ts';

// Writes samples/, the layout that a catalog with nothing configured shows: the same bytes every time.
const folder = fileURLToPath(new URL('../samples/', import.meta.url));
const files = await sampleLayout();

await rm(folder, { recursive: true, force: true });
for (const [path, bytes] of files) {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), bytes);
}
const size = [...files.values()].reduce((sum, bytes) => sum + bytes.length, 0);
process.stdout.write(`${files.size} files with ${size} bytes in samples/\n`);
