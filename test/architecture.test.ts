import { existsSync, globSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, relative } from 'node:path';
import ts from 'typescript';

// Which room may import which, by the path of its folder or file under src/. A file belongs to the longest path that
// fits it. What a room imports of itself needs no leave, and everybody may import domain/.
const ROOMS: Record<string, readonly string[]> = {
  domain: [],
  config: [],
  telemetry: [],
  http: ['telemetry'],
  hooks: [],
  inspect: [],
  postgres: [],
  queue: ['catalog/database.ts', 'telemetry'],
  probes: ['catalog/database.ts', 'telemetry'],
  registries: ['http', 'registries/registry.ts'],
  'registries/registry.ts': ['http'],
  runtimes: ['runtimes/runtime.ts'],
  'runtimes/runtime.ts': [],
  follow: ['runtimes/runtime.ts'],
  'catalog/database.ts': ['generated', 'telemetry'],
  'catalog/events.ts': ['catalog/database.ts'],
  'catalog/lock.ts': [],
  'catalog/marks.ts': [],
  'catalog/migrate.ts': ['catalog/lock.ts', 'catalog/schema-engine.ts', 'catalog/tag-version.ts'],
  'catalog/schema-engine.ts': [],
  'catalog/tag-version.ts': [],
  'catalog/vitals.ts': ['catalog/database.ts', 'telemetry'],
  'catalog/write': [
    'catalog/database.ts',
    'catalog/events.ts',
    'catalog/lock.ts',
    'catalog/marks.ts',
    'generated',
    'registries/registry.ts',
    'runtimes/runtime.ts',
  ],
  'catalog/read': ['catalog/database.ts', 'catalog/events.ts', 'catalog/marks.ts', 'generated', 'inspect'],
  sync: ['catalog/database.ts', 'catalog/write', 'inspect', 'registries/registry.ts', 'follow', 'runtimes/runtime.ts'],
  worker: [
    'catalog/database.ts',
    'catalog/events.ts',
    'catalog/lock.ts',
    'catalog/write',
    'http',
    'queue',
    'inspect',
    'registries/registry.ts',
    'follow',
    'runtimes/runtime.ts',
    'sync',
    'telemetry',
  ],
  agent: ['http', 'follow', 'runtimes/runtime.ts'],
  commands: [
    'catalog/database.ts',
    'catalog/events.ts',
    'catalog/write',
    'hooks',
    'http',
    'queue',
    'registries/registry.ts',
    'runtimes',
    'runtimes/runtime.ts',
  ],
  graphql: ['catalog/database.ts', 'catalog/events.ts', 'catalog/read', 'commands', 'generated', 'telemetry'],
  web: ['catalog/database.ts', 'commands', 'graphql', 'hooks', 'probes', 'telemetry'],
  generated: [],
  bin: [
    'agent',
    'catalog',
    'commands',
    'config',
    'graphql',
    'postgres',
    'probes',
    'queue',
    'registries',
    'runtimes',
    'telemetry',
    'web',
    'worker',
  ],
};

/** Files that other rooms import by their names; every other room is entered by its index.ts. */
const NAMED = /^(domain\/.*|generated\/.*|registries\/registry\.ts|runtimes\/runtime\.ts|catalog\/[a-z-]+\.ts)$/;

/** What a process must not load, however many imports away: the one that answers cannot crawl, and the other way. */
const NEVER: Record<string, readonly string[]> = {
  'bin/api.ts': ['sync', 'worker'],
  'bin/worker.ts': ['graphql', 'web', 'catalog/read'],
  'bin/agent.ts': ['catalog', 'commands', 'graphql', 'postgres', 'registries', 'sync', 'web', 'worker'],
};

/** All that the domain may have from outside. */
const DOMAIN_PACKAGES = ['@renovatebot/pep440', 'croner', 'node:crypto', 'packageurl-js', 'semver'];

/** Together they take more than a second and nearly 200 MB, half of it for that of Kubernetes. */
const CLOUDS = /^(@aws-sdk\/|@azure\/|google-auth-library$|@kubernetes\/|dockerode$)/;

interface Import {
  /** Path under src/, or the name of a package. */
  readonly target: string;
  readonly isPackage: boolean;
  /** Gone when the program runs. */
  readonly isTypeOnly: boolean;
  /** An import(), made when it is needed. */
  readonly isLate: boolean;
}

const SRC = join(import.meta.dirname, '../src');
const files = globSync('**/*.ts', { cwd: SRC }).filter((file) => !file.startsWith('generated/'));
const imports = new Map(files.map((file) => [file, importsOf(file)]));

test('there are files to look at, and every import of theirs leads to a file', () => {
  expect(files.length).toBeGreaterThan(20);
  const lost = [...imports].flatMap(([file, list]) =>
    list
      .filter(
        ({ target, isPackage }) => !isPackage && !target.startsWith('generated/') && !existsSync(join(SRC, target)),
      )
      .map(({ target }) => `${file} imports ${target}, which is not there`),
  );
  expect(lost).toEqual([]);
});

test('every file has its room', () => {
  expect(files.filter((file) => roomOf(file) === null)).toEqual([]);
});

test('a room imports only the rooms that it may', () => {
  const breaches = links().filter(({ from, to }) => {
    const room = roomOf(from);
    const other = roomOf(to);
    if (room === null || other === null || room === other || other === 'domain') return false;
    return !(ROOMS[room] ?? []).some((allowed) => other === allowed || other.startsWith(`${allowed}/`));
  });
  expect(breaches.map(({ from, to }) => `${from} -> ${to}: ${roomOf(from)} may not import ${roomOf(to)}`)).toEqual([]);
});

test('a room is entered by its door', () => {
  const breaches = links().filter(({ from, to }) => {
    const room = roomOf(to);
    const isInside = room === roomOf(from) || (room !== null && dirname(from).startsWith(room));
    return !isInside && !NAMED.test(to) && to !== `${room}/index.ts`;
  });
  expect(breaches.map(({ from, to }) => `${from} -> ${to}: enter ${roomOf(to)} by its index.ts`)).toEqual([]);
});

test('the domain is pure', () => {
  const breaches = files
    .filter((file) => file.startsWith('domain/'))
    .flatMap((file) =>
      (imports.get(file) ?? [])
        .filter(({ target, isPackage }) =>
          isPackage ? !DOMAIN_PACKAGES.includes(target) : !target.startsWith('domain/'),
        )
        .map(({ target }) => `${file} -> ${target}`),
    );
  expect(breaches).toEqual([]);
});

test('only the catalog and its migrations know Prisma', () => {
  const breaches = [...imports]
    .filter(([file]) => !file.startsWith('catalog/'))
    .filter(([, list]) => list.some(({ target, isPackage }) => isPackage && /^@?prisma/.test(target)))
    .map(([file]) => file);
  expect(breaches).toEqual([]);
});

test('every package that is imported is a dependency that production has', () => {
  const { dependencies } = JSON.parse(readFileSync(join(SRC, '../package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  const missing = [...imports].flatMap(([file, list]) =>
    list
      .filter(({ target, isPackage, isTypeOnly }) => isPackage && !isTypeOnly && !isBuiltin(target))
      .map(({ target }) => target.split('/', target.startsWith('@') ? 2 : 1).join('/'))
      .filter((name) => !(name in dependencies))
      .map((name) => `${file} imports ${name}`),
  );
  expect(missing).toEqual([]);
});

test('the libraries of clouds, clusters and engines are loaded by whoever needs them, and not at the start', () => {
  const used = [...imports].flatMap(([file, list]) =>
    list
      .filter(({ target, isTypeOnly }) => CLOUDS.test(target) && !isTypeOnly)
      .map(({ target, isLate }) => ({ file, target, isLate })),
  );
  expect(new Set(used.map(({ target }) => target)).size).toBe(6);
  expect(used.filter(({ isLate }) => !isLate)).toEqual([]);
});

test('neither process loads the other half', () => {
  const breaches = Object.entries(NEVER).flatMap(([process, rooms]) =>
    rooms.map((room) => chainTo(process, (file) => file.startsWith(`${room}/`))),
  );
  expect(breaches.filter((chain) => chain !== null)).toEqual([]);
});

test('no import leads back to where it began', () => {
  const cycles = files.map((file) => chainTo(file, (other) => other === file)).filter((chain) => chain !== null);
  expect(cycles).toEqual([]);
});

function roomOf(file: string): string | null {
  const fitting = Object.keys(ROOMS).filter((room) => file === room || file.startsWith(`${room}/`));
  return fitting.sort((a, b) => b.length - a.length)[0] ?? null;
}

function links(): { from: string; to: string }[] {
  return [...imports].flatMap(([from, list]) =>
    list.filter(({ isPackage }) => !isPackage).map(({ target }) => ({ from, to: target })),
  );
}

/** The shortest way by imports from a file to one that is `sought`, as text; null where there is none. */
function chainTo(start: string, sought: (file: string) => boolean): string | null {
  const queue: string[][] = [[start]];
  const seen = new Set<string>();
  for (const path of queue) {
    for (const { target, isPackage, isTypeOnly } of imports.get(path.at(-1) ?? '') ?? []) {
      if (isPackage || isTypeOnly || seen.has(target)) continue;
      const longer = [...path, target];
      if (sought(target)) return longer.join(' -> ');
      seen.add(target);
      queue.push(longer);
    }
  }
  return null;
}

/** Imports, re-exports and import() of a plain text. */
function importsOf(file: string): Import[] {
  const source = ts.createSourceFile(file, readFileSync(join(SRC, file), 'utf8'), ts.ScriptTarget.Latest, true);
  const found: Import[] = [];
  const add = (specifier: ts.Node | undefined, isTypeOnly: boolean, isLate = false) => {
    if (!specifier || !ts.isStringLiteral(specifier)) return;
    const isPackage = !specifier.text.startsWith('.');
    const target = isPackage ? specifier.text : relative(SRC, join(SRC, dirname(file), specifier.text));
    found.push({ target, isPackage, isTypeOnly, isLate });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, isTypeImport(node));
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly);
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node.arguments[0], false, true);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function isTypeImport({ importClause }: ts.ImportDeclaration): boolean {
  if (!importClause) return false;
  if (importClause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const { name, namedBindings } = importClause;
  return (
    !name && !!namedBindings && ts.isNamedImports(namedBindings) && namedBindings.elements.every((e) => e.isTypeOnly)
  );
}
