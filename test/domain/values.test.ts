import { chainIds } from '../../src/domain/chain-id.ts';
import type { Digest } from '../../src/domain/digest.ts';
import { CatalogError, RegistryError, messageOf } from '../../src/domain/errors.ts';
import { cut, parseJsonObject, textMap } from '../../src/domain/json.ts';
import { isWildcard, likePattern, parsePattern } from '../../src/domain/pattern.ts';
import {
  bestFor,
  formatPlatform,
  isUnknownPlatform,
  parsePlatform,
  satisfies,
  type Platform,
} from '../../src/domain/platform.ts';
import { parseRepositorySelection, parseTagSelection } from '../../src/domain/selection.ts';
import { parseSchedule } from '../../src/domain/schedule.ts';
import { parseTimestamp } from '../../src/domain/timestamp.ts';
import { createGenerator } from '../support/generated.ts';
import { describeSamples, sampleJson } from '../support/samples.ts';

interface ChainVector {
  readonly note: string;
  readonly diffIds: Digest[];
  readonly chainIds: Digest[];
}

const chains = sampleJson<{ vectors: ChainVector[] }>('vectors-chainid.json')?.vectors ?? [];

describeSamples('the vectors of chain ids', () => {
  test('are there', () => expect(chains.length).toBeGreaterThan(0));

  for (const { note, diffIds, chainIds: expected } of chains) {
    test(note, () => expect(chainIds(diffIds)).toEqual(expected));
  }
});

describe('chain ids', () => {
  test('of a longer stack begin with those of the stack below', () => {
    const generator = createGenerator(2);
    const diffIds = Array.from({ length: 40 }, () => `sha256:${generator.text('0123456789abcdef', 64)}` as Digest);
    const whole = chainIds(diffIds);
    for (const length of [0, 1, 2, 17, 40]) expect(chainIds(diffIds.slice(0, length))).toEqual(whole.slice(0, length));
    expect(new Set(whole).size).toBe(40);
  });
});

describe('a platform', () => {
  test('is the same after writing and reading it', () => {
    const generator = createGenerator(3);
    for (let round = 0; round < 1000; round++) {
      const platform = {
        os: generator.oneOf(['linux', 'windows', 'freebsd']),
        architecture: generator.text('abc0_-.', 1 + generator.below(8)),
        variant: generator.oneOf([null, 'v7', 'v8']),
        osVersion: null,
      };
      expect(parsePlatform(formatPlatform(platform))).toEqual(platform);
    }
  });

  test('of Windows may name its build', () => {
    expect(parsePlatform('windows/amd64:10.0.20348')).toEqual({
      os: 'windows',
      architecture: 'amd64',
      variant: null,
      osVersion: '10.0.20348',
    });
  });

  test.each([
    '',
    'linux',
    'linux/',
    '/amd64',
    'linux/arm/v7/x',
    'linux/arm/',
    'linux amd64',
    'linux/amd64:',
    'a/b:1:2',
  ])('%j is refused', (text) => expect(() => parsePlatform(text)).toThrow(/is not a platform: write os\/architecture/));

  const runs: [have: string, wanted: string, answer: boolean][] = [
    ['linux/amd64', 'linux/amd64', true],
    ['linux/x86_64', 'linux/amd64', true],
    ['linux/aarch64', 'linux/arm64', true],
    ['linux/arm64/v8', 'linux/arm64', true],
    ['linux/arm64', 'linux/arm64/v8', true],
    ['linux/arm/v6', 'linux/arm', true],
    ['linux/arm/v6', 'linux/arm/v7', false],
    ['linux/arm', 'linux/arm/v7', true],
    ['linux/armhf', 'linux/arm/v7', true],
    ['linux/arm/v7', 'linux/armel', false],
    ['linux/arm/v6', 'linux/armel', true],
    ['linux/i386', 'linux/386', true],
    ['linux/amd64', 'linux/amd64/v1', true],
    ['linux/amd64/v3', 'linux/amd64/v2', false],
    ['linux/amd64', 'linux/arm64', false],
    ['windows/amd64', 'linux/amd64', false],
    ['LINUX/AMD64', 'linux/amd64', true],
    ['windows/amd64:10.0.20348.2402', 'windows/amd64:10.0.20348', true],
    ['windows/amd64:10.0.20348.2402', 'windows/amd64:10.0.20348.1', true],
    ['windows/amd64:10.0.17763.1', 'windows/amd64:10.0.20348', false],
    ['windows/amd64', 'windows/amd64:10.0.20348', false],
    ['linux/constructor', 'linux/amd64', false],
    ['linux/__proto__', 'linux/amd64', false],
  ];
  test.each(runs)('%s on a host that wants %s: %s', (have, wanted, answer) => {
    const platform: Platform = { ...parsePlatform(have), osFeatures: [] };
    expect(satisfies(platform, parsePlatform(wanted))).toBe(answer);
  });

  const choices: [lines: string[], wanted: string, got: string | null][] = [
    [['linux/arm/v6', 'linux/arm/v7'], 'linux/arm', 'linux/arm/v7'],
    [['linux/arm/v7', 'linux/arm/v6'], 'linux/arm/v6', 'linux/arm/v6'],
    [['linux/arm/v5', 'linux/arm/v6'], 'linux/arm', 'linux/arm/v5'],
    [['linux/arm/v6', 'linux/arm'], 'linux/arm', 'linux/arm'],
    [['linux/arm64/v9', 'linux/arm64/v8', 'linux/arm64'], 'linux/aarch64', 'linux/arm64/v8'],
    [['linux/amd64/v3', 'linux/amd64'], 'linux/amd64', 'linux/amd64'],
    [['linux/amd64/v3', 'linux/amd64/v2'], 'linux/amd64', 'linux/amd64/v3'],
    [['linux/s390x', 'linux/amd64'], 'linux/s390x', 'linux/s390x'],
    [['linux/amd64'], 'windows/amd64', null],
    [[], 'linux/amd64', null],
  ];
  test.each(choices)('of %j, a host that wants %s gets %s', (lines, wanted, got) => {
    const platforms = lines.map((line) => ({ platform: { ...parsePlatform(line), osFeatures: [] } }));
    const best = bestFor(platforms, parsePlatform(wanted));
    expect(best && formatPlatform(best.platform)).toBe(got);
  });

  test('unknown/unknown is none', () => {
    expect(isUnknownPlatform({ os: 'unknown', architecture: 'unknown' })).toBe(true);
    expect(isUnknownPlatform({ os: 'linux', architecture: 'amd64' })).toBe(false);
  });
});

describe('a pattern', () => {
  const cases: [pattern: string, name: string, answer: boolean][] = [
    ['*', 'library/alpine', true],
    ['*', '', true],
    ['library/*', 'library/alpine', true],
    ['library/*', 'library', false],
    ['*/api', 'team/a/api', true],
    ['a*c*e', 'abcde', true],
    ['a*c*e', 'abcd', false],
    ['a**b', 'ab', true],
    ['v?.?', 'v1.2', true],
    ['v?.?', 'v1x2', false],
    ['v?', 'v', false],
    ['1.2', '1x2', false],
    ['a+b', 'aab', false],
    ['a+b', 'a+b', true],
    ['alpine', 'alpine:3', false],
    ['*-alpine', '3.20-alpine-alpine', true],
  ];
  test.each(cases)('%s and %s: %s', (pattern, name, answer) => {
    expect(parsePattern(pattern, 'tags').matches(name)).toBe(answer);
  });

  test('of many wildcards is decided at once', () => {
    const pattern = parsePattern('*a'.repeat(120) + 'b', 'repositories');
    const before = performance.now();
    expect(pattern.matches('a'.repeat(255))).toBe(false);
    expect(pattern.matches('a'.repeat(254) + 'b')).toBe(true);
    expect(performance.now() - before).toBeLessThan(1000);
  });

  test.each(['', 'a b', 'a[b]', 'ä', 'x'.repeat(256)])('%j is refused', (text) => {
    expect(() => parsePattern(text, 'repositories')).toThrow(/^repositories ".*" is not a pattern: write a name/);
  });

  test('tells a wildcard, and says it as LIKE', () => {
    expect([isWildcard('a*'), isWildcard('a?'), isWildcard('a')]).toEqual([true, true, false]);
    expect(likePattern('a_b%\\*x?')).toBe('a\\_b\\%\\\\%x_');
  });
});

describe('a selection', () => {
  test.each([
    ['team-a/*, !team-a/tmp-*', 'team-a/web', true],
    ['team-a/*, !team-a/tmp-*', 'team-a/tmp-1', false],
    ['!team-a/tmp-*,team-a/*', 'team-a/tmp-1', false],
    ['!tmp/*', 'team-a/web', true],
    ['!tmp/*', 'tmp/web', false],
    ['a, b/*', 'a', true],
    ['a, b/*', 'b/c', true],
    ['a, b/*', 'c', false],
  ])('%s and %s: %s', (text, name, answer) => {
    expect(parseRepositorySelection(text).matches(name)).toBe(answer);
  });

  test('tells what is named in full, and how all else begins that has to be listed', () => {
    const told = (text: string) => {
      const { names, prefixes } = parseRepositorySelection(text);
      return { names, prefixes };
    };
    expect(told('library/alpine, redis,redis')).toEqual({ names: ['library/alpine', 'redis'], prefixes: [] });
    expect(told('team-a/*, team-b/w?b, redis')).toEqual({ names: ['redis'], prefixes: ['team-a/', 'team-b/w'] });
    expect(told('team-*, team-a/*, !team-a/tmp-*')).toEqual({ names: [], prefixes: ['team-'] });
    expect(told('!tmp/*')).toEqual({ names: [], prefixes: [''] });
    expect(told('a, b, !b')).toEqual({ names: ['a'], prefixes: [] });
    expect(parseTagSelection(' 1.* ,!*-rc*').text).toBe('1.*, !*-rc*');
  });

  test.each([
    ['', /^repositories "" is not a pattern: write a name/],
    ['a,,b', /^repositories "a,,b" has a comma with no pattern beside it: write team-a\/\*, !team-a\/tmp-\*\.$/],
    ['a/*, !', /^repositories "" is not a pattern/],
    ['a/* b/*', /^repositories "a\/\* b\/\*" is not a pattern/],
    ['!!a', /^repositories "!a" is not a pattern/],
    ['a, !a', /^repositories "a, !a" leaves out all that it chooses/],
    ['Upper, a/*', /Upper/],
    [
      Array.from({ length: 51 }, () => 'a*').join(),
      /^repositories has 51 patterns in 152 characters: write 50 in 4000/,
    ],
    [
      Array.from({ length: 20 }, () => `${'a'.repeat(240)}*`).join(),
      /^repositories has 20 patterns in 4839 characters/,
    ],
  ])('%j is refused, with the right form', (text, message) => {
    expect(() => parseRepositorySelection(text)).toThrow(message);
  });

  test('of tags is refused where a part is neither a tag nor a pattern', () => {
    expect(() => parseTagSelection('1.*, :x')).toThrow(
      /^tags ":x" is neither a tag nor a pattern: write a tag such as/,
    );
  });
});

describe('a schedule', () => {
  const after = new Date('2026-01-31T05:59:59Z');
  test.each([
    ['0 */6 * * *', '2026-01-31T06:00:00.000Z'],
    ['*/15 * * * *', '2026-01-31T06:00:00.000Z'],
    ['0 0 * * MON', '2026-02-02T00:00:00.000Z'],
    ['30 4 1 * *', '2026-02-01T04:30:00.000Z'],
    ['0 0 29 2 *', '2028-02-29T00:00:00.000Z'],
    ['0 0 30 2 *', undefined],
  ])('%s comes next at %s', (text, expected) => {
    expect(parseSchedule(text).next(after)?.toISOString()).toBe(expected);
  });

  test.each(['', '* * * *', '* * * * * *', '60 * * * *', 'a b c d e', '@daily', '12:00', '2030-01-01T00:00:00Z'])(
    '%j is refused',
    (text) => {
      expect(() => parseSchedule(text)).toThrow(CatalogError);
      expect(() => parseSchedule(text)).toThrow(/write a cron line of five fields in UTC/);
    },
  );
});

describe('a timestamp', () => {
  test.each([
    ['2026-08-19T18:00:00Z', '2026-08-19T18:00:00.000Z'],
    ['2026-08-19T18:00:00.123456789Z', '2026-08-19T18:00:00.123Z'],
    ['2018-07-10T15:03:09.8411592-07:00', '2018-07-10T22:03:09.841Z'],
    ['2026-08-19T18:00:00+0200', '2026-08-19T16:00:00.000Z'],
    ['2026-08-19T18:00:00.5', '2026-08-19T18:00:00.500Z'],
    ['2026-08-19 18:00:00', '2026-08-19T18:00:00.000Z'],
    ['2026-08-19t18:00:00z', '2026-08-19T18:00:00.000Z'],
    ['1970-01-01T00:00:00Z', '1970-01-01T00:00:00.000Z'],
    ['1980-01-01T00:00:01Z', '1980-01-01T00:00:01.000Z'],
    ['9999-12-31T23:59:59Z', '9999-12-31T23:59:59.000Z'],
  ])('%s is %s', (text, expected) => expect(parseTimestamp(text)?.toISOString()).toBe(expected));

  test.each([
    '0001-01-01T00:00:00Z',
    '0001-01-01T00:00:00+05:00',
    '10000-01-01T00:00:00Z',
    '9999-12-31T23:59:59-05:00',
    '2026-13-01T00:00:00Z',
    '2026-08-19',
    'Tue, 19 Aug 2026 18:00:00 +0000',
    '1787162400',
    '',
    1787162400,
    1787162400000.5,
    null,
    undefined,
    {},
    '2026-08-19T18:00:00Z'.repeat(10),
  ])('%j says nothing', (value) => expect(parseTimestamp(value)).toBeNull());
});

describe('JSON from outside', () => {
  const read = (text: string | Uint8Array) => parseJsonObject(Buffer.from(text), 'the answer');

  test('may begin with a byte order mark and hold broken UTF-8', () => {
    expect(read('\uFEFF{"a":1}')).toEqual({ a: 1 });
    expect(read(Buffer.from([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xff, 0x22, 0x7d]))).toEqual({ a: '\uFFFD' });
  });

  test('loses what PostgreSQL cannot hold, in names too', () => {
    expect(read('{"a\\u0000":["\\u0000","\\ud800x","\\ud83d\\ude00"],"b":{"c":"\\uDC00"}}')).toEqual({
      'a\uFFFD': ['\uFFFD', '\uFFFDx', '😀'],
      b: { c: '\uFFFD' },
    });
  });

  test('may have members named like those of every object', () => {
    const document = read('{"__proto__":{"x":"1"},"constructor":"2","labels":{"__proto__":"3","toString":"4"}}');
    expect(Object.keys(document)).toEqual(['__proto__', 'constructor', 'labels']);
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
    expect(Object.entries(textMap(document['labels']))).toEqual([
      ['__proto__', '3'],
      ['toString', '4'],
    ]);
  });

  test('may be 64 deep, and not deeper; brackets in strings do not count', () => {
    expect(read(`${'{"a":'.repeat(63)}{}${'}'.repeat(63)}`)).toBeDefined();
    expect(() => read(`${'{"a":'.repeat(64)}{}${'}'.repeat(64)}`)).toThrow(/nested more than 64 deep/);
    expect(() => read(`{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`)).toThrow(/nested more than 64 deep/);
    expect(read(`{"a":"${'['.repeat(1000)}\\"${'{'.repeat(1000)}\\\\"}`)).toBeDefined();
  });

  test.each(['', '[]', 'null', '"x"', '{"a":1}x', '<html>', '{"a":}'])('%j is refused by name', (text) => {
    expect(() => read(text)).toThrow(RegistryError);
    expect(() => read(text)).toThrow(/^the answer is not (JSON|a JSON object)$/);
  });

  test('gives labels as text, in order, cut where they are too long', () => {
    expect(textMap({ b: 1, a: true, c: null, d: { e: 1 }, ['n'.repeat(1025)]: 'x' })).toEqual({ a: 'true', b: '1' });
    expect(textMap(null)).toEqual({});
    const many = Object.fromEntries(Array.from({ length: 600 }, (_, at) => [`n${at}`, 'x']));
    expect(Object.keys(textMap(many))).toHaveLength(500);
    const text = textMap({ long: `x${'😀'.repeat(40_000)}` })['long'] ?? '';
    expect(text).toHaveLength(64 * 1024);
    expect(text.isWellFormed()).toBe(true);
    expect(cut('abc', 3)).toBe('abc');
  });
});

describe('an error', () => {
  test('says whether trying again may help', () => {
    const codes = ['RATE_LIMITED', 'UNAVAILABLE', 'TIMEOUT', 'NOT_FOUND', 'DIGEST_MISMATCH', 'MALFORMED'] as const;
    expect(codes.filter((code) => new RegistryError(code, 'x').isTransient)).toEqual([
      'RATE_LIMITED',
      'UNAVAILABLE',
      'TIMEOUT',
    ]);
    expect(new RegistryError('NOT_FOUND', 'x', { status: 404 })).toMatchObject({ status: 404, registryCode: null });
    expect([messageOf(new Error('a')), messageOf('b')]).toEqual(['a', 'b']);
  });
});
