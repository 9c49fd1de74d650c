// Generates what is never committed: the Prisma client, the resolver types, and the reference of the schema.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { referenceText } from './reference.ts';

run('prisma', ['generate'], {
  // Prisma asks for its engine first, which it does not need to generate and which may not be downloadable here. Any
  // program will do. Never set this for anything else: `prisma migrate` would do nothing and say that all is well.
  PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
});
run('graphql-codegen', ['--config', 'codegen.ts'], {});
mkdirSync('docs', { recursive: true });
writeFileSync('docs/reference.md', referenceText(readFileSync('schema.graphql', 'utf8')));

function run(command: string, args: string[], environment: Record<string, string>): void {
  const { status, stdout, stderr } = spawnSync(`node_modules/.bin/${command}`, args, {
    env: { ...process.env, ...environment },
    encoding: 'utf8',
  });
  if (status === 0) return;
  process.stderr.write(`${command} failed\n${stdout}${stderr}\n`);
  process.exit(1);
}
