import fc from 'fast-check';
import { PACKAGE_TYPES, type PackageType } from '../../src/domain/package.ts';
import { comparePackageVersions } from '../../src/domain/package-version.ts';
import { parsePackageVersionRange } from '../../src/domain/package-version-range.ts';

/** From the oldest to the newest; those of one line are the same version. */
const ORDERS: Readonly<Record<PackageType, readonly string[][]>> = {
  DEB: [
    ['0~~', '0:0~~'],
    ['0~~a'],
    ['0~'],
    ['0', '0:0', '0-0', '00', ''.padEnd(40, '0')],
    ['0+'],
    ['1.0~beta1~svn1245'],
    ['1.0~beta1'],
    ['1.0', '1.0-0', '1.00'],
    ['1.0-1'],
    ['1.0-1+b1'],
    ['1.0-1.1'],
    ['1.0a'],
    ['1.0+dfsg-1'],
    ['1.0.1'],
    ['1.2.3', '1.02.3'],
    ['1.10'],
    ['3.0.11-1~deb12u2'],
    ['3.0.14-1~deb12u1'],
    ['3.0.14-1~deb12u2'],
    ['3.0.14-1'],
    ['99999999999999999999999'],
    ['1:0.1'],
    ['2:1.2-3-4'],
  ],
  RPM: [
    ['1.0~~'],
    ['1.0~rc1'],
    ['1.0~rc1^git1'],
    ['1.0~rc2'],
    ['1.0', '0:1.0', '1_0', '1.0.', '1..0', '1.00'],
    ['1.0-1.el8'],
    ['1.0-1.el8_4'],
    ['1.0-1.el9'],
    ['1.0^'],
    ['1.0^20200101~rc1'],
    ['1.0^20200101'],
    ['1.0^20210101'],
    ['1.0a', '1.0.a'],
    ['1.0aa'],
    ['1.0ab'],
    ['1.0.1', '1.0.01'],
    ['1.0.10', '1.0.010'],
    ['2.32.1-42.el8_8'],
    ['5.5p1'],
    ['5.5p10'],
    ['10xyz'],
    ['10.1xyz'],
    ['1:0.1-1'],
  ],
  APK: [
    ['0.1.0_alpha_pre2'],
    ['0.1.0_alpha'],
    ['0.1.0_alpha1'],
    ['0.1.0_alpha2'],
    ['0.1.0_beta'],
    ['0.1.0_pre1'],
    ['0.1.0_rc1'],
    ['0.1.0'],
    ['0.1.0-r0'],
    ['0.1.0-r1'],
    ['0.1.0-r10'],
    ['0.1.0_git20200101'],
    ['0.1.0_p1'],
    ['0.1.0_p1-r2'],
    ['0.1.0_p2'],
    ['0.1.0b'],
    ['0.1.0c_p1'],
    ['0.1.0.1'],
    ['1.0'],
    ['1.01'],
    ['1.09'],
    ['1.1'],
    ['1.1.1t-r2'],
    ['1.1.1u-r0'],
    ['1.10'],
    ['3.1.4-r5'],
    ['3.3.3_p1-r3'],
    ['20240226', '020240226'],
  ],
  NPM: [
    ['1.0.0-alpha', 'v1.0.0-alpha'],
    ['1.0.0-alpha.1'],
    ['1.0.0-alpha.beta'],
    ['1.0.0-beta'],
    ['1.0.0-beta.2'],
    ['1.0.0-beta.11'],
    ['1.0.0-rc.1'],
    ['1.0.0', '1.0.0+build.5', '=1.0.0', '1.0', '1'],
    ['1.0.1'],
    ['1.2.0'],
    ['1.10.0'],
    ['2.0.0-0'],
  ],
  CARGO: [['0.2.0-pre.0'], ['0.2.0', '0.2.0+1.1.1'], ['0.10.0']],
  GO: [
    ['v0.0.0-20191109021931-daa7c04131f5'],
    ['v0.0.0-20220722155217-630584e8d5aa'],
    ['v0.0.1'],
    ['v1.2.3-pre'],
    ['v1.2.3-pre.0.20191109021931-daa7c04131f5'],
    ['v1.2.3', '1.2.3'],
    ['v1.2.4-0.20191109021931-daa7c04131f5'],
    ['v1.2.4'],
    ['1.21beta1', 'go1.21beta1'],
    ['1.21rc2'],
    ['1.21rc10'],
    ['1.21', '1.21.0', 'v1.21'],
    ['v2.0.0+incompatible', 'v2.0.0'],
  ],
  PYPI: [
    ['1.0.dev1'],
    ['1.0a1.dev1'],
    ['1.0a1', '1.0.alpha1', '1.0-a.1', 'V1.0A1'],
    ['1.0b2'],
    ['1.0b2.post345.dev456'],
    ['1.0b2.post345'],
    ['1.0rc1', '1.0c1', '1.0.preview1'],
    ['1.0', '1', '1.0.0', 'v1.0'],
    ['1.0+abc.5'],
    ['1.0+abc.7'],
    ['1.0+5'],
    ['1.0.post456.dev34'],
    ['1.0.post456', '1.0-456', '1.0.rev456'],
    ['1.1.dev1'],
    ['2024.2.2'],
    ['1!0.1'],
  ],
  MAVEN: [
    ['1-alpha', '1.0.alpha', '1.0-alpha', '1.alpha'],
    ['1-alpha-1', '1-a1', '1a1', '1.0.a1', '1-alpha1'],
    ['1-beta'],
    ['1-milestone', '1.0-MILESTONE'],
    ['1-m3', '1-milestone-3'],
    ['1-rc', '1-cr', '1.0.CR'],
    ['1-snapshot', '1.0-SNAPSHOT'],
    ['1', '1.0', '1.0.0', '1-ga', '1.ga', '1-0', '1-final', '1.0.0.Final', '1.0.RELEASE', '1.0.0-0.0.0'],
    ['1-sp', '1.0-SP'],
    ['1-foo', '1.foo', '1.0.0-foo.0.0'],
    ['1-foo2'],
    ['1-foo10'],
    ['1-jre'],
    ['1-1', '1-ga-1'],
    ['1.1'],
    ['1.2.17'],
    ['1.10'],
    ['2.0.1-xyz'],
    ['2.0.1-123'],
    ['31.1-android'],
    ['31.1-jre'],
    ['20030203.000550'],
  ],
  GEM: [
    ['0.9'],
    ['1.a'],
    ['1.0.a.2', '1.a.2'],
    ['1.0.b1', '1.b1', '1.b.1'],
    ['1.0.0.pre1', '1.0.0-1', '1.pre.1'],
    ['1.0.0.rc1'],
    ['1', '1.0', '1.0.0'],
    ['1.8.2.a10'],
    ['1.8.2'],
    ['1.8.10'],
    ['2.0.beta'],
    ['2'],
  ],
  NUGET: [
    ['1.0.0-alpha', '1.0-ALPHA', 'v1.0.0.0-Alpha'],
    ['1.0.0-alpha.1'],
    ['1.0.0-alpha.10'],
    ['1.0.0-Beta'],
    ['1.0.0', '1', '1.0', '1.0.0.0', '1.0.0+sha', '01.0.0'],
    ['1.0.0.1-rc'],
    ['1.0.0.1'],
    ['1.0.1'],
    ['13.0.3'],
  ],
  COMPOSER: [
    ['1.0.0-dev', '1.0-dev'],
    ['1.0.0-alpha1', '1.0a1', '1.0.0-ALPHA.1'],
    ['1.0.0-beta2-dev'],
    ['1.0.0-beta2', '1.0.0b2'],
    ['1.0.0-beta10'],
    ['1.0.0-RC1', 'v1.0.0rc1'],
    ['1.0.0', '1.0', '1', 'v1.0.0.0', '1.0.0-stable', '1.0.0+meta'],
    ['1.0.0-patch1', '1.0.0-p1', '1.0.0pl1'],
    ['1.0.1-dev'],
    ['1.0.1'],
    ['2010.01.02'],
  ],
};

const NO_VERSIONS: Readonly<Record<PackageType, readonly string[]>> = {
  APK: ['1.0_gamma', '1.0B', 'a', '1.0-1', '1.0-r', '1..0'],
  DEB: ['a:1', ':1', '1.0_1', '1.0-', '1 0'],
  RPM: ['x:1', '1.0-', '1.0-1:2', '1 0'],
  NPM: ['latest', '1.2.3.4', '1.x', '99999999999999999999.0.0'],
  CARGO: ['1.2.3.4'],
  GO: ['(devel)', 'master', 'v1.2.3.4', '1.21gamma1'],
  PYPI: ['1.0-x', '1.0 final', 'dev'],
  MAVEN: ['1 0'],
  GEM: ['1..0', 'a', '1.0 '],
  NUGET: ['1.0.0.0.0', '1.0-', '[1.0]'],
  COMPOSER: ['dev-main', '1.0.x-dev', '1.0.0-7'],
};

describe.each(PACKAGE_TYPES)('versions of %s', (type) => {
  test('are in the order of their ecosystem, whichever is asked first', () => {
    const ranked = ORDERS[type].flatMap((same, rank) => same.map((version) => ({ version, rank })));
    const wrong = ranked.flatMap((a) =>
      ranked
        .filter(
          (b) => Math.sign(comparePackageVersions(type, a.version, b.version) ?? NaN) !== Math.sign(a.rank - b.rank),
        )
        .map((b) => `${a.version} ${'>=<'[Math.sign(b.rank - a.rank) + 1]} ${b.version}`),
    );
    expect(wrong).toEqual([]);
  });

  test('that are none there are equal to themselves alone', () => {
    const valid = ORDERS[type][0]?.[0] ?? '';
    for (const text of [...NO_VERSIONS[type], '', `1.${'0'.repeat(512)}`]) {
      expect([text, comparePackageVersions(type, text, text)]).toEqual([text, 0]);
      expect([text, comparePackageVersions(type, text, valid)]).toEqual([text, null]);
      expect([text, comparePackageVersions(type, valid, text)]).toEqual([text, null]);
    }
  });

  test('are read in time whatever they are', () => {
    for (const piece of ['1', '1.', '.1', '-1', 'a', '-a', '_p1', '~', '0', 'beta1', '-rc.1', ':1']) {
      const text = `1.0-beta${piece.repeat(480 / piece.length)}`;
      for (const odd of [text, `${text}!`]) {
        const difference = comparePackageVersions(type, odd, '1');
        expect(comparePackageVersions(type, '1', odd)).toBe(difference === null ? null : 0 - difference);
      }
    }
  });

  test('made of all that their order looks at are in one order', () => {
    const words = [
      '0',
      '00',
      '1',
      '01',
      '10',
      'a',
      'b1',
      'rc',
      'alpha',
      'dev',
      'p',
      'sp',
      'ga',
      'Final',
      'snapshot',
      'x',
    ];
    const separators = ['.', '-', '_', '~', '^', '+', ':', '-r', ''];
    const piece = fc.tuple(fc.constantFrom(...separators), fc.constantFrom(...words)).map(([a, b]) => a + b);
    const known = ORDERS[type].flat();
    const version = fc.oneof(
      { weight: 1, arbitrary: fc.constantFrom(...known) },
      {
        weight: 4,
        arbitrary: fc
          .tuple(fc.constantFrom('1', '0', '1.0'), fc.array(piece, { maxLength: 4 }))
          .map(([a, b]) => a + b.join('')),
      },
    );
    const valid = version.filter((text) => comparePackageVersions(type, text, known[0] ?? '') !== null);
    const sign = (a: string, b: string) => Math.sign(comparePackageVersions(type, a, b) ?? NaN);
    fc.assert(
      fc.property(valid, valid, valid, (a, b, c) => {
        expect(sign(b, a)).toBe(0 - sign(a, b) + 0);
        const [low, middle, high] = [a, b, c].sort(sign) as [string, string, string];
        expect(sign(low, high)).toBeLessThanOrEqual(0);
        expect(sign(low, middle)).toBeLessThanOrEqual(0);
        if (sign(low, high) === 0) expect([sign(low, middle), sign(middle, high)]).toEqual([0, 0]);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a range of package versions', () => {
  const holds = (range: string, type: PackageType, version: string) =>
    parsePackageVersionRange(range, 'filter.package.version').matches(type, version);

  test.each<[string, PackageType, string[], string[]]>([
    [
      '<3.0.14',
      'DEB',
      ['3.0.11-1~deb12u2', '3.0.14~rc1-1', '1.1.1w-0+deb11u1'],
      ['3.0.14-1~deb12u2', '1:1.0', '3.0.14'],
    ],
    ['<3.0.14', 'APK', ['3.0.12-r4', '3.0.14_rc1'], ['3.0.14-r0', '3.1.4-r5']],
    ['>=1.2 <2', 'NPM', ['1.2.0', '1.9.9', '2.0.0-rc.1'], ['1.2.0-rc.1', '2.0.0', 'latest']],
    ['>=1.2,<2', 'GO', ['v1.2.0', 'v1.2.1-0.20191109021931-daa7c04131f5'], ['v2.0.0+incompatible', '(devel)']],
    ['<1 || >= 2.0', 'PYPI', ['0.9', '2.0+local', '1.0rc1'], ['1.0', '1.5']],
    ['=3.0.7', 'RPM', ['3.0.7-18.el9', '3.0.7', '0:3.0.7-1'], ['3.0.7.1-1', '1:3.0.7-18.el9']],
    ['<=3.0.7', 'RPM', ['3.0.7-18.el9', '3.0.1-1'], ['3.0.8-1']],
    ['<3.0.7-20', 'RPM', ['3.0.7-18.el9'], ['3.0.7-20.el9']],
    ['=2.1', 'PYPI', ['2.1+cu118', '2.1.0'], ['2.1.post1']],
    ['2.1+cu118', 'PYPI', ['2.1+cu118'], ['2.1', '2.1+cu117']],
    ['1:2.3-4', 'DEB', ['1:2.3-4'], ['2.3-4', '1:2.3-5']],
    ['3.0.*', 'DEB', ['3.0.11-1~deb12u2', '3.0.'], ['3.1.0', '13.0.1']],
    ['*', 'COMPOSER', ['dev-main', '1.0'], []],
    ['*-SNAPSHOT', 'MAVEN', ['1.0-SNAPSHOT'], ['1.0']],
    ['1.?.0 >1.1', 'NUGET', ['1.2.0'], ['1.1.0', '1.10.0']],
    ['dev-main', 'COMPOSER', ['dev-main'], ['1.0']],
    ['>=dev-main', 'COMPOSER', ['dev-main'], ['1.0', 'dev-next']],
    ['>0', 'GEM', ['0.0.1'], ['0', 'x']],
  ])('%s of %s', (range, type, inside, outside) => {
    expect(inside.filter((version) => !holds(range, type, version))).toEqual([]);
    expect(outside.filter((version) => holds(range, type, version))).toEqual([]);
  });

  test.each([
    ['', 'there is no condition at character 1'],
    ['  ', 'there is no condition at character 1'],
    ['>=1 ||', 'there is no condition at character 7'],
    ['>=', 'there is no condition at character 1'],
    ['>=1 ^2', 'there is no condition at character 5'],
    ['!=1', 'there is no condition at character 1'],
    ['<1.*', 'there is a pattern after an operator at character 1'],
    ['1|2', 'there is no condition at character 1'],
  ])('is not %j', (text, fault) => {
    expect(() => parsePackageVersionRange(text, 'version')).toThrow(
      `version "${text}" is not a range of package versions: ${fault}`,
    );
  });

  test('has 200 characters at most', () => {
    expect(() => parsePackageVersionRange('1'.repeat(201), 'version')).toThrow('version has 201 characters');
  });
});
