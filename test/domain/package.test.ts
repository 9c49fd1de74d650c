import fc from 'fast-check';
import { foundPackage, inDistribution, PACKAGE_TYPES, type PackageType } from '../../src/domain/package.ts';
import { formatPackageUrl, parsePackageUrl } from '../../src/domain/package-url.ts';
import { parseSbom } from '../../src/domain/sbom.ts';

const bytes = (document: unknown) => Buffer.from(JSON.stringify(document));

describe('a package', () => {
  test.each<[PackageType, string, string, string | null, string, string | null]>([
    ['APK', 'openssl', '3.1.4-r5', 'alpine', 'pkg:apk/alpine/openssl@3.1.4-r5?arch=x86_64', 'x86_64'],
    ['DEB', 'zlib1g', '1:1.2.13.dfsg-1', 'debian', 'pkg:deb/debian/zlib1g@1:1.2.13.dfsg-1?arch=amd64', 'amd64'],
    ['DEB', 'libstdc++6', '12.2.0-14+deb12u1', 'ubuntu', 'pkg:deb/ubuntu/libstdc%2B%2B6@12.2.0-14%2Bdeb12u1', null],
    ['DEB', 'base-files', '9.9~x', null, 'pkg:deb/base-files@9.9~x', null],
    [
      'RPM',
      'bind-utils',
      '32:9.16.23-14.el9',
      'rhel',
      'pkg:rpm/redhat/bind-utils@9.16.23-14.el9?arch=noarch&epoch=32',
      'noarch',
    ],
    ['RPM', 'zypper', '1.14-1', 'opensuse-leap', 'pkg:rpm/opensuse/zypper@1.14-1', null],
    ['NPM', '@babel/core', '7.24.0', null, 'pkg:npm/%40babel/core@7.24.0', null],
    ['NPM', 'left-pad', '1.3.0', 'alpine', 'pkg:npm/left-pad@1.3.0', null],
    ['PYPI', 'Jinja_Two', '3.1', null, 'pkg:pypi/jinja-two@3.1', null],
    ['GO', 'golang.org/x/net', 'v0.17.0', null, 'pkg:golang/golang.org/x/net@v0.17.0', null],
    ['GO', 'stdlib', '1.22.3', null, 'pkg:golang/stdlib@1.22.3', null],
    [
      'MAVEN',
      'org.apache.logging.log4j:log4j-core',
      '2.14.1',
      null,
      'pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1',
      null,
    ],
    ['GEM', 'rails', '7.1.0', null, 'pkg:gem/rails@7.1.0', null],
    ['CARGO', 'serde', '1.0.197', null, 'pkg:cargo/serde@1.0.197', null],
    ['NUGET', 'Newtonsoft.Json', '13.0.3', null, 'pkg:nuget/Newtonsoft.Json@13.0.3', null],
    ['COMPOSER', 'symfony/console', 'v6.4.1', null, 'pkg:composer/symfony/console@v6.4.1', null],
  ])('of %s, %s %s, has its URL', (type, name, version, distribution, purl, architecture) => {
    const found = foundPackage({ type, name, version, architecture });
    expect(found && inDistribution(found, distribution ?? '')).toEqual({ type, name, version, purl, licenses: [] });
  });

  test('has texts that are cut, and that PostgreSQL holds', () => {
    const found = foundPackage({
      type: 'CARGO',
      name: ` a\u0000b\ud800${'x'.repeat(600)}`,
      version: '1\n2',
      licenses: ['MIT', '', ' MIT ', `${'y'.repeat(511)}\u{1f600}`],
    });
    expect(found).toMatchObject({ version: '1\uFFFD2', licenses: ['MIT', `${'y'.repeat(511)}\uFFFD`] });
    expect(found?.name).toBe(`a\uFFFDb\uFFFD${'x'.repeat(508)}`);
  });

  test.each([
    [{ type: 'NPM', name: '', version: '1' }],
    [{ type: 'NPM', name: 'a', version: ' ' }],
    [{ type: 'MAVEN', name: 'without-a-group', version: '1' }],
    [{ type: 'GO', name: 'example.org/x', version: 'v1-not-semantic' }],
  ] as const)('is none of %j', (facts) => expect(foundPackage(facts)).toBeNull());
});

describe('a package URL', () => {
  test('says again what it was made of', () => {
    const word = fc.string({ unit: fc.constantFrom(...'abZ09.-_~+@%?#& é:'.split('')), minLength: 1, maxLength: 8 });
    const name = word.map((text) => `a${text}z`.toLowerCase().replaceAll('_', '-').replaceAll(':', '.'));
    const version = word.map((text) => `1${text}2`);
    fc.assert(
      fc.property(
        fc.constantFrom(...PACKAGE_TYPES.filter((type) => type !== 'GO')),
        name,
        name,
        version,
        (type, group, own, text) => {
          const isSystem = ['APK', 'DEB', 'RPM'].includes(type);
          const separator = { NPM: '/', MAVEN: ':', COMPOSER: '/' }[type as string];
          const url = {
            type,
            name: separator ? `${group}${separator}${own}` : own,
            version: type === 'RPM' ? text.replaceAll(':', '.') : text,
            namespace: isSystem ? group : null,
            architecture: isSystem ? 'x86_64' : null,
          };
          expect(parsePackageUrl(formatPackageUrl(url) ?? '')).toEqual(url);
        },
      ),
    );
  });

  test.each([
    [
      'pkg:deb/debian/curl@7.88.1-10%2Bdeb12u5?arch=amd64&distro=debian-12',
      { name: 'curl', version: '7.88.1-10+deb12u5', namespace: 'debian' },
    ],
    ['pkg:rpm/fedora/curl@7.50.3-1.fc25?epoch=1', { name: 'curl', version: '1:7.50.3-1.fc25' }],
    ['pkg:npm/@scope/name@1.0.0', { name: '@scope/name', version: '1.0.0' }],
    ['pkg://MAVEN/a.b/c@1', { type: 'MAVEN', name: 'a.b:c' }],
    ['PKG:golang/github.com/x/y@v1.0.0#cmd', { type: 'GO', name: 'github.com/x/y', version: 'v1.0.0' }],
  ])('is read from %s', (text, parts) => expect(parsePackageUrl(text)).toMatchObject(parts));

  test.each([
    '',
    'pkg:npm/left-pad',
    'pkg:npm/@1',
    'pkg:generic/a@1',
    'https://a/b@1',
    'pkg:npm/%E0%A4%A@1',
    `pkg:npm/${'a'.repeat(5000)}@1`,
  ])('is none of %j', (text) => expect(parsePackageUrl(text)).toBeNull());
});

describe('a bill of materials', () => {
  const spdx = {
    spdxVersion: 'SPDX-2.3',
    packages: [
      {
        name: 'openssl',
        licenseConcluded: 'Apache-2.0',
        licenseDeclared: 'NOASSERTION',
        externalRefs: [
          { referenceType: 'cpe23Type', referenceLocator: 'cpe:2.3:a:x' },
          { referenceType: 'purl', referenceLocator: 'pkg:apk/alpine/openssl@3.1.4-r5?distro=3.19' },
        ],
      },
      { name: 'twice', externalRefs: [{ referenceType: 'purl', referenceLocator: 'pkg:apk/alpine/openssl@3.1.4-r5' }] },
      { name: 'without' },
      null,
      { name: 'odd', externalRefs: [{ referenceType: 'purl', referenceLocator: 'pkg:oci/image@sha256:00' }, 5] },
    ],
  };
  const openssl = {
    type: 'APK',
    name: 'openssl',
    version: '3.1.4-r5',
    purl: 'pkg:apk/alpine/openssl@3.1.4-r5',
    licenses: ['Apache-2.0'],
  };

  test('of SPDX 2 has the packages whose URLs it knows, each once', () => {
    expect(parseSbom(bytes(spdx))).toEqual([openssl]);
  });

  test('in a statement is read as by itself', () => {
    const statement = {
      _type: 'https://in-toto.io/Statement/v1',
      predicateType: 'https://spdx.dev/Document',
      predicate: spdx,
    };
    expect(parseSbom(bytes(statement))).toEqual([openssl]);
  });

  test('of SPDX 3 has its packages by either form of their URLs', () => {
    const document = {
      '@context': 'https://spdx.org/rdf/3.0.1/spdx-context.jsonld',
      '@graph': [
        { type: 'SpdxDocument' },
        { type: 'software_Package', name: 'a', software_packageUrl: 'pkg:npm/a@1.0.0' },
        {
          type: 'software_Package',
          name: 'b',
          externalIdentifier: [{ externalIdentifierType: 'packageUrl', identifier: 'pkg:gem/b@2.0' }],
        },
        { type: 'software_File', software_packageUrl: 'pkg:npm/c@1.0.0' },
      ],
    };
    expect(parseSbom(bytes(document)).map(({ purl }) => purl)).toEqual(['pkg:npm/a@1.0.0', 'pkg:gem/b@2.0']);
  });

  test('of CycloneDX has its components, and what they are made of', () => {
    const document = {
      bomFormat: 'CycloneDX',
      specVersion: '1.5',
      components: [
        {
          purl: 'pkg:npm/%40a/b@1.0.0',
          licenses: [{ license: { id: 'MIT' } }, { license: { name: 'Own Licence' } }],
          components: [{ purl: 'pkg:pypi/Inner@2', licenses: [{ expression: 'MIT OR Apache-2.0' }] }],
        },
        { name: 'app', type: 'application' },
      ],
    };
    expect(parseSbom(bytes(document))).toEqual([
      { type: 'NPM', name: '@a/b', version: '1.0.0', purl: 'pkg:npm/%40a/b@1.0.0', licenses: ['MIT', 'Own Licence'] },
      { type: 'PYPI', name: 'inner', version: '2', purl: 'pkg:pypi/inner@2', licenses: ['MIT OR Apache-2.0'] },
    ]);
  });

  test('that is none is refused', () => {
    expect(() => parseSbom(bytes({ packages: [] }))).toThrow('the SBOM is neither SPDX nor CycloneDX');
    expect(() => parseSbom(bytes([spdx]))).toThrow('the SBOM is not a JSON object');
    expect(() => parseSbom(bytes({ spdxVersion: 'SPDX-2.3', packages: {} }))).toThrow(
      'packages of the SBOM is not a list',
    );
  });

  test('that does not end is refused', () => {
    const many = Array.from({ length: 100_001 }, () => ({}));
    expect(() => parseSbom(bytes({ spdxVersion: 'SPDX-2.3', packages: many }))).toThrow(
      '100001 entries, more than 100000',
    );
    expect(() => parseSbom(bytes({ bomFormat: 'CycloneDX', components: many }))).toThrow('more than 100000 components');
  });
});
