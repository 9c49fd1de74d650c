import fc from 'fast-check';
import {
  classifyTag,
  keyOfStage,
  newerTags,
  parseTagVersion,
  sortedByVersion,
  versionColumns,
  versionKey,
  type TagVersion,
} from '../../src/domain/version.ts';
import { parseVersionRange } from '../../src/domain/version-range.ts';
import { describeSamples, sampleJson } from '../support/samples.ts';
import type { NewerTagVectors } from '../support/newer-tag-vectors.ts';

/** The first thing that differs between two versions of a group, as the vectors call it. */
function levelBetween(older: TagVersion, newer: TagVersion): string {
  if (older.kind === 'date') return 'date';
  const place = older.numbers.findIndex((number, at) => number !== newer.numbers[at]);
  if (place >= 0) return place === 0 ? 'major' : place === 1 ? 'minor' : 'patch';
  return keyOfStage(older.prerelease) === keyOfStage(newer.prerelease) ? 'build' : 'prerelease';
}

const named = (names: readonly string[]) => names.map((name) => ({ name }));

describe('the kind of a tag', () => {
  test.each([
    ['1.27', 'version'],
    ['v1', 'version'],
    ['jdk-17.0.9', 'version'],
    ['1234567', 'version'],
    ['20240105', 'date'],
    ['2024-01-05.2', 'date'],
    ['nightly-202401051530', 'date'],
    ['20240230', 'version'],
    ['20241301', 'version'],
    ['202401052561', 'version'],
    ['2024.01.05', 'version'],
    ['latest', 'word'],
    ['3.20-', 'version'],
    ['0a1b2c3', 'commit'],
    ['g0a1b2c3', 'commit'],
    ['sha-1234567', 'commit'],
    [`sha256-${'0'.repeat(64)}`, 'artifact'],
    ['1.2.3.sbom', 'artifact'],
    ['a b', 'invalid'],
    ['1'.repeat(129), 'invalid'],
  ])('%s is a %s', (name, kind) => expect(classifyTag(name).kind).toBe(kind));

  test('tells what stands beside the version from it', () => {
    expect(parseTagVersion('jdk-V17.0.9_9-RC.1.2-alpine3.18-r4')).toEqual({
      kind: 'version',
      prefix: 'jdk-',
      numbers: [17n, 0n, 9n],
      shape: '3',
      prerelease: { rank: 5, numbers: [1n, 2n] },
      builds: [9n, 4n],
      flavour: '#-alpine3.18-r#',
    });
    expect(parseTagVersion('1.0.0.Final')).toMatchObject({ numbers: [1n, 0n, 0n], flavour: '', prerelease: null });
    expect(parseTagVersion('1.0-b')).toMatchObject({ flavour: 'b', prerelease: null });
    expect(parseTagVersion('1.0-beta-3-rc')).toMatchObject({
      flavour: 'rc',
      prerelease: { rank: 2, numbers: [3n] },
    });
  });
});

describeSamples('newer tags, by the vectors', () => {
  const vectors = sampleJson<NewerTagVectors>('vectors-newer-tags.json')?.vectors ?? [];

  test('are as many as they were', () => expect(vectors).toHaveLength(42));

  test.each(vectors.map((vector) => [vector.current, vector] as const))('of %s', (current, { tags, expected }) => {
    if ('none' in expected) {
      expect(classifyTag(current).kind).toBe(expected.none);
      expect(newerTags(current, named(tags))).toEqual([]);
    } else {
      const version = parseTagVersion(current) as TagVersion;
      const found = newerTags(current, named(tags)).map(({ name }) => ({
        tag: name,
        level: levelBetween(version, parseTagVersion(name) as TagVersion),
      }));
      expect(found).toEqual(expected.newer);
    }
  });
});

describe('newer tags', () => {
  test.each([
    ['v1.2.0', ['1.3.0', 'v1.3.0', 'V1.3.0'], ['v1.3.0']],
    ['1.2.0', ['V1.3.0', 'v1.3.0'], ['V1.3.0']],
    ['1.2', ['1.03', '1.3'], ['1.03']],
    ['999.1', ['1989.1', '1990.1', '20240.1'], ['1989.1']],
    ['1000.1', ['1990.1'], ['1990.1']],
    ['20240105', ['20240106', '20240106.1', '202401060000', '2024-01-06'], ['20240106']],
  ])('of %s among %j are %j', (current, tags, expected) => {
    expect(newerTags(current, named(tags)).map(({ name }) => name)).toEqual(expected);
  });
});

describe('the order of tags', () => {
  test('has versions by their numbers, then dates, then all others', () => {
    const ordered = [
      '123456789012345678901234567890',
      '1234567890',
      '123456789',
      '2-bookworm',
      '2',
      '2-rc',
      '1.10',
      '1.2',
      'v1.0.1',
      '1.0.0-r2',
      '1.0.0-slim',
      '1.0.0-alpine',
      '1.0.0',
      '1.0.0-rc1',
      '1.0.0-beta.11',
      '1.0.0-beta.2',
      'v1.0.0-alpha',
      '0.9',
      'jdk-0.0.1',
      '0.0',
      '0.0.0-rc1',
      'nightly-20260101',
      '202512312359',
      '20251231',
      'sha-0123456',
      'latest',
      'edge',
    ];
    expect(sortedByVersion(named(ordered.toSorted())).map(({ name }) => name)).toEqual(ordered);
  });

  test('is that of the numbers, however many and however long they are', () => {
    const segments = fc.array(fc.bigInt({ min: 0n, max: 10n ** 25n }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(segments, segments, (a, b) => {
        const [left, right] = [a, b].map((numbers) =>
          versionKey(parseTagVersion(`v${numbers.join('.')}`) as TagVersion),
        );
        const at = [0, 1, 2, 3].find((place) => (a[place] ?? 0n) !== (b[place] ?? 0n));
        const expected = at === undefined ? 0 : (a[at] ?? 0n) < (b[at] ?? 0n) ? -1 : 1;
        expect((left as string) < (right as string) ? -1 : left === right ? 0 : 1).toBe(expected);
      }),
    );
  });
});

describe('a range of versions', () => {
  const matches = (range: string, name: string) => {
    const { key } = versionColumns(name);
    return parseVersionRange(range, 'version').some(
      ({ from, to, hasPrereleases }) => key >= from && key < to && (hasPrereleases || !key.includes('-')),
    );
  };

  test.each([
    [
      '>=1.24 <2',
      ['1.24', '1.24.0', 'v1.30', '1.25-alpine', 'jdk-1.99.9'],
      ['1.23.9', '2', '2.0.0', '2-rc1', '1.25-rc1'],
    ],
    ['>=1.24, <2', ['1.24'], ['2']],
    ['> 1.24', ['1.25', '2'], ['1.24', '1.24.7']],
    ['<=1.24', ['1.24', '1.24.7', '0'], ['1.25']],
    ['<1.24.0', ['1.23'], ['1.24', '1.24.0-rc1']],
    ['1.24', ['1.24', '1.24.7', '1.24.0.1-slim'], ['1.240', '1.25', '1']],
    ['=1.24.*', ['1.24', '1.24.7'], ['1.25']],
    ['1.x', ['1', '1.9.9'], ['2', '0.9']],
    ['1.0', ['1', '1.0.5'], ['1.1', '0.9']],
    ['0', ['0.0.0', '0.9'], ['1', '0.0.0-rc1']],
    ['*', ['0', '99.1', 'v3'], ['20240105', 'latest', '0a1b2c3', '1.2-rc1']],
    ['^1.2', ['1.2', '1.99'], ['1.1', '2']],
    ['^0.2.3', ['0.2.3', '0.2.9'], ['0.2.2', '0.3']],
    ['^0.0.3', ['0.0.3'], ['0.0.4', '0.0.2']],
    ['~1.2', ['1.2', '1.2.9'], ['1.3', '1.1']],
    ['~1.2.3', ['1.2.3', '1.2.9'], ['1.3', '1.2.2']],
    ['~1', ['1', '1.9'], ['2']],
    ['<1 || >=2 <3', ['0.9', '2.5'], ['1', '3']],
    ['>=1.25-rc1 <2', ['1.25-rc1', '1.25-rc2', '1.25', '1.26-beta1'], ['1.25-beta9', '2-rc1']],
    ['>=1.25 <1.27-rc2', ['1.25', '1.26-rc1', '1.27-rc1'], ['1.25-rc1', '1.27-rc2']],
    ['1.25-rc', ['1.25-rc', '1.25.0-rc'], ['1.25']],
    ['>1.25-rc1', ['1.25-rc2', '1.25'], ['1.25-rc1']],
    ['>2 <1', [], ['0.5', '1', '1.5', '2', '3']],
    ['18.04', ['18.04', '18.4'], ['18.10']],
  ])('%s has %j and not %j', (range, inside, outside) => {
    expect(inside.filter((name) => !matches(range, name))).toEqual([]);
    expect(outside.filter((name) => matches(range, name))).toEqual([]);
  });

  test.each([
    ['', 'there is no condition at character 1'],
    ['1.2 || ', 'there is no condition at character 7'],
    ['>=1.24 <x', 'there is no condition at character 8'],
    ['  latest', 'there is no condition at character 3'],
    ['>=1.24 1.25-alpine', 'there is a version with more than numbers and a prerelease'],
    ['1.*.3', ' at character 1'],
    ['>=', 'there is no condition at character 1'],
    ['1.2.', 'at character 1'],
  ])('is not "%s"', (range, message) => {
    expect(() => parseVersionRange(range, 'filter.version')).toThrow(
      expect.objectContaining({
        code: 'INVALID_ARGUMENT',
        message: expect.stringContaining(message) as string,
      }) as Error,
    );
    expect(() => parseVersionRange(range, 'filter.version')).toThrow(
      /^filter\.version ".*" is not a version range: .*Write/,
    );
  });

  test('has 200 characters at most, and reads no text without end', () => {
    expect(() => parseVersionRange('1 '.repeat(101), 'version')).toThrow(/^version has 202 characters/);
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'12.*x-<>=^~| rc,v'), maxLength: 200 }), (text) => {
        try {
          expect(parseVersionRange(text, 'version').length).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' });
        }
      }),
    );
  });
});
