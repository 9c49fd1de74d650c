import { createHash } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { packageReaders } from '../../src/inspect/packages/index.ts';
import type { FoundPackage } from '../../src/domain/package.ts';
import { documentsOfLayers } from '../support/image-documents.ts';
import { elf, goBuildInfo, machO, pe } from '../support/program-file.ts';
import { berkeleyDb, ndb, rpmHeader, sqlite } from '../support/rpm-database.ts';
import { describeImages, readExpected } from '../support/shared-images.ts';
import { zip, type ZipFile } from '../support/zip-file.ts';

const readerOf = (path: string) => packageReaders.find((reader) => reader.recognises(path));

/** What the reader that recognises the path, or else the first bytes, finds in a file. */
function read(path: string, file: Uint8Array | string): readonly FoundPackage[] {
  const bytes = typeof file === 'string' ? Buffer.from(file) : file;
  const reader = readerOf(path) ?? packageReaders.find((other) => other.recognisesContent?.(bytes.subarray(0, 512)));
  if (!reader) throw new Error(`no reader recognises ${path}`);
  return reader.read(path, bytes);
}

const purls = (path: string, file: Uint8Array | string) => read(path, file).map(({ purl }) => purl);

const json = (document: unknown) => JSON.stringify(document);

describeImages('the packages of the real images', () => {
  const documentsOf = documentsOfLayers((path) => readerOf(path) !== undefined);
  const { manifests } = readExpected();
  const images = Object.entries(manifests).flatMap(
    ([
      digest,
      {
        tagged_as: [name = digest],
        layers,
        contents,
      },
    ]) => {
      const packages = Object.entries(contents?.packages ?? {});
      return packages.length > 0 ? [{ name, layers: layers ?? [], packages }] : [];
    },
  );

  test('are of all three package managers', () => {
    const kinds = images.flatMap(({ packages }) => packages.map(([kind]) => kind));
    expect(new Set(kinds)).toEqual(new Set(['apk', 'deb', 'rpm']));
  });

  test.each(images)('are all found in $name', async ({ layers, packages }) => {
    const documents = await documentsOf(layers.map(({ digest }) => digest));
    const found = [...documents].flatMap(([path, bytes]) => read(path, bytes));
    for (const [kind, expected] of packages) {
      const lines = found
        .filter(({ type }) => type === kind.toUpperCase())
        .map(({ name, version }) => `${name} ${version}`);
      for (const { name, version } of expected.samples) expect(lines).toContain(`${name} ${version}`);
      expect(lines).toHaveLength(expected.count);
      const list = lines.map((line) => Buffer.from(`${line}\n`)).sort((a, b) => Buffer.compare(a, b));
      expect(createHash('sha256').update(Buffer.concat(list)).digest('hex')).toBe(expected.list_sha256);
    }
  });
});

describe('a path is recognised', () => {
  test.each([
    'lib/apk/db/installed',
    'usr/lib/apk/db/installed',
    'var/lib/dpkg/status',
    'var/lib/dpkg/status.d/base-files',
    'var/lib/rpm/Packages',
    'usr/lib/sysimage/rpm/Packages.db',
    'usr/lib/sysimage/rpm/rpmdb.sqlite',
    'app/node_modules/express/package.json',
    'node_modules/@babel/core/package.json',
    'app/node_modules/.pnpm/express@4.0.0/node_modules/express/package.json',
    'usr/lib/python3/dist-packages/pip-23.0.1.dist-info/METADATA',
    'usr/lib/python3/dist-packages/six.egg-info/PKG-INFO',
    'usr/lib/python3/dist-packages/six-1.16.0.egg-info',
    'opt/x.egg/EGG-INFO/PKG-INFO',
    'usr/share/java/commons-io-2.11.0.jar',
    'opt/app.war',
    'usr/lib/ruby/gems/3.1.0/specifications/rails-7.0.gemspec',
    'usr/lib/ruby/gems/3.1.0/specifications/default/json-2.6.gemspec',
    'app/Shop.Api.deps.json',
    'srv/vendor/composer/installed.json',
  ])('%s', (path) => expect(packageReaders.filter((reader) => reader.recognises(path))).toHaveLength(1));

  test.each([
    'etc/lib/apk/db/installed',
    'var/lib/dpkg/status-old',
    'var/lib/dpkg/status.d/base-files.md5sums',
    'var/lib/dpkg/status.d/a/b',
    'var/lib/rpm/Name',
    'var/lib/rpm/rpmdb.sqlite-wal',
    'app/package.json',
    'node_modules/express/test/package.json',
    'node_modules/@babel/package.json',
    'node_modules/.package-lock.json',
    'node_modules/.bin/package.json',
    'usr/lib/python3/METADATA',
    'usr/share/java/commons-io.jar.sha1',
    'app/rails.gemspec',
    'app/composer/installed.json.bak',
  ])('not %s', (path) => expect(readerOf(path)).toBeUndefined());

  test('never slowly', () => {
    const long = ['/', 'node_modules/', 'status.d/', '@a/', '.jar', 'x'].map((part) =>
      part.repeat(1_000_000 / part.length),
    );
    for (const path of long) expect(() => readerOf(path)).not.toThrow();
  });
});

describe('documents of package managers', () => {
  test('of apk are read to the last line, whatever ends it', () => {
    const text =
      'C:Q1x\r\nP:musl\r\nV:1.2.5-r0\r\nA:x86_64\r\nL:MIT\r\nF:lib\r\n\r\nP:no-version\n\n\nP:zlib\nV:1.3.1-r1\np:so:libz.so.1=1.3.1';
    expect(read('lib/apk/db/installed', text)).toEqual([
      { type: 'APK', name: 'musl', version: '1.2.5-r0', purl: 'pkg:apk/musl@1.2.5-r0?arch=x86_64', licenses: ['MIT'] },
      { type: 'APK', name: 'zlib', version: '1.3.1-r1', purl: 'pkg:apk/zlib@1.3.1-r1', licenses: [] },
    ]);
  });

  test('of dpkg have what is installed alone, for each architecture', () => {
    const stanza = (name: string, status: string, architecture: string) =>
      `Package: ${name}\nStatus: ${status}\nArchitecture: ${architecture}\nVersion: 1:2.3-4\nConffiles:\n /etc/x 0123\nDescription: text\n Version: 9\n`;
    const text = [
      stanza('libc6', 'install ok installed', 'amd64'),
      stanza('libc6', 'install ok installed', 'i386'),
      stanza('held', 'hold ok installed', 'all'),
      stanza('gone', 'deinstall ok config-files', 'amd64'),
      stanza('half', 'install reinstreq half-installed', 'amd64'),
    ];
    expect(purls('var/lib/dpkg/status', text.join('\n'))).toEqual([
      'pkg:deb/libc6@1:2.3-4?arch=amd64',
      'pkg:deb/libc6@1:2.3-4?arch=i386',
      'pkg:deb/held@1:2.3-4?arch=all',
    ]);
    expect(purls('var/lib/dpkg/status.d/tzdata', 'Package: tzdata\nVersion: 2024a')).toEqual(['pkg:deb/tzdata@2024a']);
  });

  test('have names that are cut, and no bytes that are no text', () => {
    const [found] = read('lib/apk/db/installed', Buffer.from(`P:${'\xe9'.repeat(2000)}\nV:1\0`, 'latin1'));
    expect([found?.name, found?.version]).toEqual(['\uFFFD'.repeat(512), '1\uFFFD']);
  });

  test('that do not end are refused', () => {
    const text = Array.from({ length: 100_001 }, (_, at) => `P:p${at}\nV:1\n\n`).join('');
    expect(() => read('lib/apk/db/installed', text)).toThrow('lib/apk/db/installed tells of more than 100000 packages');
    expect(read('lib/apk/db/installed', 'P:a\n'.repeat(2_000_000))).toEqual([]);
  });
});

describe('documents of languages', () => {
  test.each<[string, string, string, FoundPackage | null]>([
    [
      'npm',
      'app/node_modules/@acme/shop/package.json',
      json({ name: '@acme/shop', version: '1.0.0-rc.1', license: '(MIT OR Apache-2.0)' }),
      {
        type: 'NPM',
        name: '@acme/shop',
        version: '1.0.0-rc.1',
        purl: 'pkg:npm/%40acme/shop@1.0.0-rc.1',
        licenses: ['(MIT OR Apache-2.0)'],
      },
    ],
    [
      'npm of old',
      'node_modules/old/package.json',
      json({ name: 'old', version: '0.1.0', licenses: [{ type: 'MIT', url: 'x' }, { type: 'BSD' }, 7] }),
      { type: 'NPM', name: 'old', version: '0.1.0', purl: 'pkg:npm/old@0.1.0', licenses: ['MIT', 'BSD'] },
    ],
    ['npm without a version', 'node_modules/a/package.json', json({ name: 'a' }), null],
    [
      'Python',
      'usr/lib/python3/Jinja2-3.1.dist-info/METADATA',
      'Metadata-Version: 2.4\nName: Jinja2\nVersion: 3.1\nLicense: text\nLicense-Expression: BSD-3-Clause\n\nName: other\n',
      { type: 'PYPI', name: 'Jinja2', version: '3.1', purl: 'pkg:pypi/jinja2@3.1', licenses: ['BSD-3-Clause'] },
    ],
    [
      'Python with the text of a licence',
      'x/a.egg-info',
      'Name: a\nVersion: 1\nLicense: Copyright\n        all of it\n',
      { type: 'PYPI', name: 'a', version: '1', purl: 'pkg:pypi/a@1', licenses: [] },
    ],
    [
      'Ruby',
      'gems/specifications/nokogiri-1.15.4-x86_64-linux.gemspec',
      '# -*- encoding: utf-8 -*-\n# stub: nokogiri 1.15.4 x86_64-linux lib\nGem::Specification.new do |s|\n  s.name = "other".freeze\n  s.licenses = ["MIT".freeze, "Ruby".freeze]\nend\n',
      { type: 'GEM', name: 'nokogiri', version: '1.15.4', purl: 'pkg:gem/nokogiri@1.15.4', licenses: ['MIT', 'Ruby'] },
    ],
    [
      'Ruby without the comment',
      'gems/specifications/default/json-2.6.3.gemspec',
      "Gem::Specification.new do |s|\n  s.name = 'json'\n  s.version = Gem::Version.new(\"2.6.3\")\n  s.license = 'Ruby'\nend\n",
      { type: 'GEM', name: 'json', version: '2.6.3', purl: 'pkg:gem/json@2.6.3', licenses: ['Ruby'] },
    ],
    [
      '.NET',
      'app/Shop.deps.json',
      json({
        libraries: {
          'Shop/1.0.0': { type: 'project' },
          'Newtonsoft.Json/13.0.3': { type: 'package' },
          odd: { type: 'package' },
        },
      }),
      {
        type: 'NUGET',
        name: 'Newtonsoft.Json',
        version: '13.0.3',
        purl: 'pkg:nuget/Newtonsoft.Json@13.0.3',
        licenses: [],
      },
    ],
    [
      'Composer',
      'app/vendor/composer/installed.json',
      json({ packages: [{ name: 'symfony/console', version: 'v6.4.1', license: ['MIT'] }, null, { name: 'x' }] }),
      {
        type: 'COMPOSER',
        name: 'symfony/console',
        version: 'v6.4.1',
        purl: 'pkg:composer/symfony/console@v6.4.1',
        licenses: ['MIT'],
      },
    ],
    [
      'Composer of old',
      'app/vendor/composer/installed.json',
      json([{ name: 'a/b', version: 'dev-main' }]),
      { type: 'COMPOSER', name: 'a/b', version: 'dev-main', purl: 'pkg:composer/a/b@dev-main', licenses: [] },
    ],
  ])('of %s', (_what, path, text, found) => expect(read(path, text)).toEqual(found === null ? [] : [found]));

  test('of Ruby are read in time whatever they are', () => {
    expect(read('specifications/a.gemspec', '\n'.repeat(1_000_000) + 's.name'.repeat(100_000))).toEqual([]);
  });

  test.each([
    ['node_modules/a/package.json', '{"name": "a"', 'node_modules/a/package.json is not JSON'],
    ['node_modules/a/package.json', '[]', 'node_modules/a/package.json is not a JSON object'],
    [
      'vendor/composer/installed.json',
      '['.repeat(100),
      'vendor/composer/installed.json is JSON nested more than 64 deep',
    ],
  ])('that are none are refused: %s of %s', (path, text, message) => expect(() => read(path, text)).toThrow(message));
});

describe('programs of Go', () => {
  const modules = [
    'path\tacme.org/shop/cmd',
    'mod\tacme.org/shop\t(devel)\t',
    'dep\tgolang.org/x/net\tv0.17.0\th1:abc=',
    'dep\tgithub.com/old/fork\tv1.0.0',
    '=>\tgithub.com/new/fork\tv1.0.1\th1:def=',
    'dep\tgithub.com/here/local\tv0.0.0-20220722155217-630584e8d5aa',
    '=>\t./local\t(devel)\t',
    'build\tCGO_ENABLED=0',
    '',
  ];
  const info = goBuildInfo('go1.22.3 X:nocoverage', modules.join('\n'));
  const expected = [
    'pkg:golang/stdlib@1.22.3',
    'pkg:golang/acme.org/shop@%28devel%29',
    'pkg:golang/golang.org/x/net@v0.17.0',
    'pkg:golang/github.com/new/fork@v1.0.1',
    'pkg:golang/github.com/here/local@v0.0.0-20220722155217-630584e8d5aa',
  ];
  const aligned = (before: Buffer) => Buffer.concat([before, Buffer.alloc((16 - (before.length % 16)) % 16), info]);

  test.each([
    ['ELF', elf('.text', Buffer.alloc(40))],
    ['PE', pe('.text', Buffer.alloc(40))],
    ['Mach-O', machO('__text', Buffer.alloc(40))],
  ])('tell of the modules that they were built from, in %s', (_format, program) => {
    expect(purls('usr/bin/shop', aligned(program))).toEqual(expected);
  });

  test('that hold the mark of build info as data are read at the place where it is one', () => {
    const mark = Buffer.from('\xff Go buildinf:', 'latin1');
    const decoys = Buffer.concat([
      elf('.text', mark),
      Buffer.alloc(7),
      mark,
      Buffer.from([8, 2]),
      Buffer.alloc(16, 0xff),
      mark,
    ]);
    expect(purls('usr/bin/go', aligned(aligned(decoys).subarray(0, -info.length)))).toEqual(expected);
  });

  test('that end within it tell nothing', () => {
    const whole = aligned(elf('.text', Buffer.alloc(40)));
    for (let cut = 1; cut < info.length; cut++) expect(read('bin/x', whole.subarray(0, -cut))).toEqual([]);
  });

  test('are not looked for in what is no program', () => {
    const recognised = (head: string) =>
      packageReaders.some((reader) => reader.recognisesContent?.(Buffer.from(head, 'latin1')));
    expect(['#!/bin/sh\n'.padEnd(512), '\xca\xfe\xba\xbe'.padEnd(512, '\0'), '\x7fELF', ''].filter(recognised)).toEqual(
      [],
    );
  });
});

describe('programs of Rust', () => {
  const crates = {
    packages: [
      { name: 'serde', version: '1.0.197', source: 'crates.io', dependencies: [1] },
      { name: 'cc', version: '1.0.0', source: 'crates.io', kind: 'build' },
      { name: 'shop', version: '0.1.0', source: 'local', root: true },
    ],
  };
  const section = deflateSync(json(crates));

  test.each([
    ['ELF', elf('.dep-v0', section)],
    ['ELF of 32 bits, most significant byte first', elf('.dep-v0', section, { is64: false, isBig: true })],
    ['PE', pe('.dep-v0', section)],
    ['Mach-O', machO('.dep-v0', section)],
  ])('tell of the crates in them, in %s', (_format, program) => {
    expect(purls('usr/bin/shop', program)).toEqual(['pkg:cargo/serde@1.0.197', 'pkg:cargo/shop@0.1.0']);
    for (let cut = 1; cut < 300; cut += 7)
      expect(() => attempt('usr/bin/shop', program.subarray(0, -cut))).not.toThrow();
  });

  test('that unpack to more than any would are refused', () => {
    expect(() => read('bin/x', elf('.dep-v0', deflateSync(Buffer.alloc(9 * 1024 * 1024))))).toThrow('larger than');
  });
});

/** Reads, or fails as a reader may. */
function attempt(path: string, bytes: Uint8Array): readonly FoundPackage[] | { readonly error: unknown } {
  try {
    return read(path, bytes);
  } catch (error) {
    return { error };
  }
}

describe('Java archives', () => {
  const pom = (group: string, artifact: string, version: string): ZipFile => ({
    name: `META-INF/maven/${group}/${artifact}/pom.properties`,
    bytes: `#Generated by Maven\nversion=${version}\ngroupId=${group}\nartifactId = ${artifact}\n`,
  });
  const manifest = (text: string): ZipFile => ({
    name: 'META-INF/MANIFEST.MF',
    bytes: `Manifest-Version: 1.0\r\n${text}\r\n\r\nName: x\r\nBundle-Version: 9\r\n`,
  });

  test('tell of all that was put together in them', () => {
    const bytes = zip([
      pom('org.acme', 'shop', '1.0'),
      pom('com.shaded', 'inner', '2.0'),
      manifest('Bundle-License: MIT'),
    ]);
    expect(read('app/shop.jar', bytes)).toMatchObject([
      { type: 'MAVEN', name: 'org.acme:shop', version: '1.0', purl: 'pkg:maven/org.acme/shop@1.0', licenses: [] },
      { name: 'com.shaded:inner', version: '2.0' },
    ]);
    expect(
      read('a.jar', zip([pom('a', 'b', '1'), manifest('Bundle-License: "Apache-2.0";link="https://x"')])),
    ).toMatchObject([{ licenses: ['Apache-2.0'] }]);
  });

  test.each([
    ['lib/commons-io-2.11.0.jar', '', 'pkg:maven/commons-io/commons-io@2.11.0'],
    ['lib/jakarta.el-api.jar', 'Bundle-Version: 4.0.0', 'pkg:maven/jakarta.el-api/jakarta.el-api@4.0.0'],
    [
      'lib/x.jar',
      `Implementation-Vendor-Id: org.acme.very.long.\r\n name\r\nImplementation-Version: 1.2`,
      'pkg:maven/org.acme.very.long.name/x@1.2',
    ],
    ['lib/log4j-1.2-api-2.17.1.jar', '', 'pkg:maven/log4j-1.2-api/log4j-1.2-api@2.17.1'],
    ['lib/guava-31.1-jre.jar', '', 'pkg:maven/guava/guava@31.1-jre'],
    ['lib/a-b-1.0-20200101.123456-1.jar', '', 'pkg:maven/a-b/a-b@1.0-20200101.123456-1'],
    ['lib/nothing.jar', '', null],
  ])('without Maven are named by manifest and file: %s', (path, text, purl) => {
    expect(purls(path, zip([manifest(text)]))).toEqual(purl === null ? [] : [purl]);
  });

  test('are read in time whatever their names and texts are', () => {
    const slow = { ...pom('a', 'b', '1'), bytes: `version=${' '.repeat(900_000)}x\ngroupId=a\nartifactId=b` };
    const [, named] = read('a.jar', zip([slow, { name: `${'-1'.repeat(30_000)}.jar`, bytes: zip([]) }]));
    expect(named?.version).toMatch(/^[1-]{240,255}$/);
  });

  const nested = (depth: number): Buffer =>
    zip([
      pom('d', `d${depth}`, '1'),
      ...(depth === 5
        ? []
        : [{ name: `WEB-INF/lib/d${depth + 1}.jar`, bytes: nested(depth + 1), isStored: depth % 2 === 0 }]),
    ]);

  test('are read three deep', () => {
    expect(read('app.war', nested(0)).map(({ name }) => name)).toEqual(['d:d0', 'd:d1', 'd:d2', 'd:d3']);
  });

  test('are read behind a script, and with long places', () => {
    expect(purls('a.jar', zip([pom('a', 'b', '1')], { before: '#!/bin/sh\nexec java -jar $0\n' }))).toEqual([
      'pkg:maven/a/b@1',
    ]);
    expect(purls('a.jar', zip([pom('a', 'b', '1')], { isZip64: true }))).toEqual(['pkg:maven/a/b@1']);
    const commented = Buffer.concat([
      zip([pom('a', 'b', '1')]).subarray(0, -2),
      Buffer.from([3, 0]),
      Buffer.from('abc'),
    ]);
    expect(purls('a.jar', commented)).toEqual(['pkg:maven/a/b@1']);
  });

  test('that are broken inside are read but for that', () => {
    const bytes = zip([
      pom('a', 'b', '1'),
      { name: 'lib/broken.jar', bytes: 'no archive' },
      { name: 'lib/c-1.0.jar', bytes: zip([]) },
    ]);
    expect(purls('a.jar', bytes)).toEqual(['pkg:maven/a/b@1', 'pkg:maven/c/c@1.0']);
  });

  test('that are none, or lead elsewhere, are refused', () => {
    expect(() => read('a.jar', 'no archive')).toThrow('a.jar is no zip archive');
    const bytes = zip([pom('a', 'b', '1')]);
    bytes.writeUInt32LE(0, 0);
    expect(() => read('a.jar', bytes)).toThrow('a.jar has a file at byte 0, which is not there');
  });

  test('that say less than they unpack to are stopped at what they say', () => {
    const bomb = { ...pom('a', 'b', '1'), bytes: Buffer.alloc(50_000_000), claimedSize: 100 };
    expect(() => read('a.jar', zip([bomb]))).toThrow('larger than 100 bytes');
  });

  test('that unpack to more than 256 MiB are refused', () => {
    const files = Array.from({ length: 5 }, (_, at) => ({
      name: `${at}.jar`,
      bytes: '',
      claimedSize: 60 * 1024 * 1024,
    }));
    expect(() => read('a.jar', zip(files))).toThrow('a.jar unpacks to more than 268435456 bytes');
  });

  test('with millions of files are refused', () => {
    const entry = zip([{ name: '', bytes: '', isStored: true }]).subarray(30, 76);
    const directory = Buffer.alloc(46 * 1_000_001);
    for (let at = 0; at < directory.length; at += 46) entry.copy(directory, at);
    const end = zip([]);
    end.writeUInt32LE(directory.length, 12);
    expect(() => read('a.jar', Buffer.concat([directory, end]))).toThrow('a.jar has more than 1000000 files');
    end.writeUInt32LE(0xffffffff, 12);
    expect(() => read('a.jar', Buffer.concat([directory, end]))).toThrow('a.jar is no zip archive');
  });

  test('with one archive for ten thousand names are refused', () => {
    const files = Array.from({ length: 10_001 }, (_, at) => ({ name: `${at}.jar`, bytes: '', isStored: true }));
    expect(() => read('a.jar', zip(files))).toThrow('a.jar holds more than 10000 archives');
  });
});

describe('the database of RPM', () => {
  const [NAME, VERSION, RELEASE, EPOCH, LICENSE, ARCHITECTURE] = [1000, 1001, 1002, 1003, 1014, 1022];
  const header = (name: string, more: Record<number, string | number> = {}) =>
    rpmHeader({ [NAME]: name, [VERSION]: '1.2', [RELEASE]: '3.el9', [ARCHITECTURE]: 'x86_64', ...more });
  const headers = [
    header('bash', { [EPOCH]: 0, [LICENSE]: 'GPLv3+' }),
    header('gpg-pubkey'),
    header('long', { [LICENSE]: 'MIT', 1005: 'x'.repeat(2000) }),
    header('bind', { [EPOCH]: 32 }),
  ];
  const expected = [
    {
      type: 'RPM',
      name: 'bash',
      version: '0:1.2-3.el9',
      purl: 'pkg:rpm/bash@1.2-3.el9?arch=x86_64',
      licenses: ['GPLv3+'],
    },
    { type: 'RPM', name: 'long', version: '1.2-3.el9', purl: 'pkg:rpm/long@1.2-3.el9?arch=x86_64', licenses: ['MIT'] },
    {
      type: 'RPM',
      name: 'bind',
      version: '32:1.2-3.el9',
      purl: 'pkg:rpm/bind@1.2-3.el9?arch=x86_64&epoch=32',
      licenses: [],
    },
  ];
  const TABLE = 'CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL);';
  const [BDB, NDB, SQLITE] = ['var/lib/rpm/Packages', 'var/lib/rpm/Packages.db', 'usr/lib/sysimage/rpm/rpmdb.sqlite'];

  test.each([
    ['a Berkeley DB', BDB, berkeleyDb(headers)],
    ['a Berkeley DB of another machine', BDB, berkeleyDb(headers, { isBig: true })],
    ['its own form', NDB, ndb(headers)],
    ['SQLite', SQLITE, sqlite(TABLE, headers)],
  ])('is read as %s', (_form, path, bytes) => expect(read(path, bytes)).toEqual(expected));

  test('of SQLite is read as one that was written with a log', () => {
    const bytes = sqlite(TABLE, headers);
    bytes.set([2, 2], 18);
    expect(read(SQLITE, bytes)).toEqual(expected);
  });

  test.each<[string, string, Uint8Array, string]>([
    ['has pages in a circle', BDB, circle(berkeleyDb([headers[2] ?? Buffer.alloc(0)])), 'its pages lead in a circle'],
    [
      'has a value of four gigabytes',
      BDB,
      patched(berkeleyDb([headers[2] ?? Buffer.alloc(0)]), 1024 - 5 - 5 - 5 - 4, 0xffffffff),
      'ends after',
    ],
    ['has pages of 3 bytes', BDB, patched(berkeleyDb(headers), 20, 3), 'its pages are of 3 bytes'],
    ['is of another kind', BDB, patched(berkeleyDb(headers), 12, 0x053162), 'it has no hash'],
    ['is encrypted', BDB, patched(berkeleyDb(headers), 24, 0x0801), 'it is encrypted'],
    ['is empty', BDB, Buffer.alloc(0), 'it is too short'],
    ['is of zeros', NDB, Buffer.alloc(8192), 'is no database of RPM'],
    ['has a package outside of it', NDB, patched(ndb(headers), 32 + 8, 0xffffffff), 'has no package 1 in its place'],
    ['has one of four gigabytes', NDB, patched(ndb(headers), 4096 + 12, 0xffffffff), 'has no package 1 in its place'],
    ['has one package in many places', NDB, repeated(ndb(headers.slice(0, 1))), 'has no package 1 in its place'],
    ['has packages without a header', SQLITE, sqlite(TABLE, [Buffer.from('none')]), "whose header can't be read"],
    [
      'has headers that are longer than they are',
      SQLITE,
      sqlite(TABLE, [Buffer.alloc(8, 0xff)]),
      "whose header can't be read",
    ],
    [
      'has numbers',
      SQLITE,
      sqlite(`${TABLE} INSERT INTO Packages (blob) VALUES (7)`),
      'it has a package without a header',
    ],
    ['has no table', SQLITE, sqlite('CREATE TABLE Other (blob)'), 'it has no table Packages'],
    ['is no database', SQLITE, Buffer.alloc(4096, 'x'), 'is no database that can be read'],
    [
      'has a view that does not end',
      SQLITE,
      sqlite(
        'CREATE VIEW Packages AS WITH RECURSIVE a(blob) AS (SELECT 1 UNION ALL SELECT blob + 1 FROM a) SELECT blob FROM a',
      ),
      'it has no table Packages',
    ],
    [
      'has a column that computes',
      SQLITE,
      sqlite("CREATE TABLE Packages (a, blob AS (printf('%.*c', 900000000, 'x'))); INSERT INTO Packages VALUES (1)"),
      'is no database that can be read',
    ],
  ])('that %s is refused', (_what, path, bytes, message) => expect(() => read(path, bytes)).toThrow(message));

  test('whatever it was damaged to, is read or refused', () => {
    const whole = [
      [BDB, berkeleyDb(headers)],
      [NDB, ndb(headers)],
      [SQLITE, Buffer.from(sqlite(TABLE, headers))],
      [
        'a.jar',
        zip([
          { name: 'lib/a-1.jar', bytes: zip([]) },
          { name: 'META-INF/MANIFEST.MF', bytes: 'Bundle-Version: 1' },
        ]),
      ],
      ['bin/x', elf('.dep-v0', deflateSync(json({ packages: [{ name: 'a', version: '1' }] })))],
    ] as const;
    fc.assert(
      fc.property(
        fc.constantFrom(...whole),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 8 }),
        fc.nat(),
        (form, faults, end) => {
          const [path, bytes] = form;
          const damaged = Buffer.from(bytes);
          for (const [at, byte] of faults) damaged[at % damaged.length] = byte;
          const cut = end % 4 === 0 ? damaged.subarray(0, end % damaged.length) : damaged;
          const found = attempt(path, cut);
          if (Array.isArray(found)) expect(found.length).toBeLessThan(10);
        },
      ),
      { numRuns: 1500 },
    );
  });
});

/** The first page of a long value, which has no end in sight, names itself as the next. */
function circle(database: Buffer): Buffer {
  return patched(patched(database, 2 * 512 + 16, 2), 1024 - 5 - 5 - 5 - 4, 1_000_000);
}

function patched(bytes: Buffer, at: number, value: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt32LE(value >>> 0, at);
  return copy;
}

/** All slots are as the first. */
function repeated(database: Buffer): Buffer {
  const copy = Buffer.from(database);
  for (let slot = 48; slot + 16 <= 4096; slot += 16) copy.copy(copy, slot, 32, 48);
  return copy;
}
