import fc from 'fast-check';
import { comparePackages, type ComparablePackage } from '../../src/domain/package-diff.ts';
import type { PackageType } from '../../src/domain/package.ts';

const packagesOf = (text: string): ComparablePackage[] =>
  text.split(' ').flatMap((each) => {
    const [type, name, version] = each.split('/');
    return name === undefined || version === undefined ? [] : [{ type: type as PackageType, name, version }];
  });

const told = (from: string, to: string) =>
  comparePackages(packagesOf(from), packagesOf(to)).map(({ kind, type, name, before, after }) =>
    [kind, type, name, before, after].join(' '),
  );

test.each([
  ['APK/a/1-r0', 'APK/a/1-r0', []],
  ['', 'APK/a/1-r0', ['ADDED APK a  1-r0']],
  ['APK/a/1-r0', '', ['REMOVED APK a 1-r0 ']],
  ['APK/a/1-r9', 'APK/a/1-r10', ['UPGRADED APK a 1-r9 1-r10']],
  ['DEB/a/1.0', 'DEB/a/1.0~rc1', ['DOWNGRADED DEB a 1.0 1.0~rc1']],
  ['NPM/a/1.0.0', 'NPM/a/file', ['CHANGED NPM a 1.0.0 file']],
  ['DEB/a/1.0', 'DEB/a/0:1.0', ['CHANGED DEB a 1.0 0:1.0']],
  ['APK/a/1-r0', 'DEB/a/1-1', ['REMOVED APK a 1-r0 ', 'ADDED DEB a  1-1']],
])('from "%s" to "%s"', (from, to, changes) => {
  expect(told(from, to)).toEqual(changes);
});

test('of versions side by side those that stay are no change, and the newest is compared with the newest', () => {
  expect(told('NPM/a/1.0.0 NPM/a/2.0.0', 'NPM/a/1.0.0 NPM/a/2.1.0')).toEqual(['UPGRADED NPM a 2.0.0 2.1.0']);
  expect(told('NPM/a/1.9.0 NPM/a/1.10.0', 'NPM/a/2.0.0')).toEqual([
    'UPGRADED NPM a 1.10.0 2.0.0',
    'REMOVED NPM a 1.9.0 ',
  ]);
  expect(told('NPM/a/3.0.0', 'NPM/a/2.0.0 NPM/a/1.0.0')).toEqual([
    'ADDED NPM a  1.0.0',
    'DOWNGRADED NPM a 3.0.0 2.0.0',
  ]);
});

test('what changes on the way there changes back on the way back', () => {
  const packages = fc.array(
    fc.record({
      type: fc.constantFrom('NPM', 'DEB'),
      name: fc.constantFrom('a', 'b'),
      version: fc.constantFrom('1.0.0', '1.1.0', '1.10.0', '2.0.0', 'odd'),
    }),
    { maxLength: 8 },
  );
  const backwards = {
    ADDED: 'REMOVED',
    REMOVED: 'ADDED',
    UPGRADED: 'DOWNGRADED',
    DOWNGRADED: 'UPGRADED',
    CHANGED: 'CHANGED',
  } as const;
  fc.assert(
    fc.property(packages, packages, (from, to) => {
      const back = comparePackages(to, from).map(({ kind, before, after, ...rest }) => ({
        ...rest,
        kind: backwards[kind],
        before: after,
        after: before,
      }));
      const changes = comparePackages(from, to);
      expect(changes).toHaveLength(back.length);
      expect(changes).toEqual(expect.arrayContaining(back));
    }),
  );
});
