import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** An ssh that leads to a socket of this machine, whatever host it is asked for. */
export interface FakeSsh {
  /** For the PATH. */
  readonly folder: string;
  /** What it was called with, each time. */
  calls(): Promise<string[][]>;
}

/** Puts it into a folder. Where there is no socket, it refuses as ssh does whose key is not taken. */
export async function writeFakeSsh(folder: string, socket: string | null): Promise<FakeSsh> {
  const log = join(folder, 'calls');
  const refusal = 'ops@build.example.com: Permission denied (publickey).';
  const program = `#!${process.execPath}
const { appendFileSync } = require('node:fs');
appendFileSync(${JSON.stringify(log)}, JSON.stringify(process.argv.slice(2)) + '\\n');
const socket = ${JSON.stringify(socket)};
if (socket === null) {
  console.error('Warning: a line before it.\\n${refusal}');
  process.exit(255);
}
const connection = require('node:net').connect(socket);
process.stdin.pipe(connection).pipe(process.stdout);
`;
  await writeFile(join(folder, 'ssh'), program);
  await chmod(join(folder, 'ssh'), 0o755);
  return {
    folder,
    async calls() {
      const lines = (await readFile(log, 'utf8')).trim().split('\n');
      return lines.map((line) => JSON.parse(line) as string[]);
    },
  };
}
