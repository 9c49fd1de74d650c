import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Rows of the tables of docs/security.md that name tests, each with what it names. */
const rows = readFileSync(join(import.meta.dirname, '../docs/security.md'), 'utf8')
  .split('\n')
  .map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim()))
  .filter((cells) => /^`[\w/-]+` ./.test(cells.at(-2) ?? ''))
  .map((cells) => ({ what: cells.slice(1, -2).join(': '), tests: (cells.at(-2) ?? '').split('<br>') }));

test('there is a line for each limit, each rule, and all that may happen', () => {
  const numbers = rows.flatMap(({ what }) => /^(\d+): /.exec(what)?.[1] ?? []);
  expect(numbers).toEqual(Array.from({ length: 60 }, (_, at) => String(at + 1)));
  expect(rows.length).toBe(16 + 8 + 60 + 10);
});

test.each(rows)('$what: its tests are there', ({ tests }) => {
  const missing = tests.filter((named) => {
    const [, file = '', title = ''] = /^`([\w/-]+)` (.+)$/.exec(named) ?? [];
    return title === '' || !titlesOf(file).includes(title.replaceAll('\\', ''));
  });
  expect(missing).toEqual([]);
});

/** Texts that are titles of tests, or of groups of them. */
function titlesOf(file: string): string[] {
  const path = join(import.meta.dirname, file);
  const source = ['.test.ts', '.ts'].map((ending) => readOrNull(path + ending)).find((text) => text !== null) ?? '';
  return [...source.matchAll(/(?:\b(?:test|describe)|\))\(\s*(['"`])((?:\\.|(?!\1).)+)\1/g)].map(([, , title = '']) =>
    title.replaceAll('\\', ''),
  );
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
