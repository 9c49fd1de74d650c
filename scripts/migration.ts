// Prints the SQL that makes prisma/schema.prisma from nothing. CONTRIBUTING.md tells how to use it.
import { readFile } from 'node:fs/promises';
import { withSchemaEngine } from '../src/catalog/schema-engine.ts';

const path = 'prisma/schema.prisma';
const content = await readFile(path, 'utf8');
const { stdout } = await withSchemaEngine(process.argv[2] ?? '', (engine) =>
  engine.diff({
    from: { tag: 'empty' },
    to: { tag: 'schemaDatamodel', files: [{ path, content }] },
    script: true,
    exitCode: null,
    filters: { externalTables: [], externalEnums: [] },
  }),
);
process.stdout.write(stdout ?? '');
