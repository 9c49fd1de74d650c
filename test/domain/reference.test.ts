import { CatalogError } from '../../src/domain/errors.ts';
import {
  InvalidReference,
  familiarName,
  formatReference,
  isTagName,
  parsePastedReference,
  parseReference,
  parseRegistryHost,
  parseRepositoryName,
  type Reference,
} from '../../src/domain/reference.ts';
import { digestOf, isDigest, parseDigest, verifies, algorithmOf, digestBytes } from '../../src/domain/digest.ts';
import { createGenerator } from '../support/generated.ts';
import { describeSamples, sampleJson } from '../support/samples.ts';

interface Expected {
  readonly domain?: string;
  readonly path?: string;
  readonly tag?: string;
  readonly digest?: string;
  readonly error?: string;
}

interface Vector {
  readonly input: string;
  readonly library: Expected;
  readonly ours?: Expected;
}

const vectors = sampleJson<{ vectors: Vector[] }>('vectors-reference.json')?.vectors ?? [];

function outcome(text: string): Expected {
  try {
    const { host, repository, tag, digest } = parseReference(text);
    return { domain: host, path: repository, ...(tag && { tag }), ...(digest && { digest }) };
  } catch (error) {
    if (error instanceof InvalidReference) return { error: error.fault };
    throw error;
  }
}

describeSamples('the vectors of references', () => {
  test('there are 60 of them', () => expect(vectors.length).toBeGreaterThanOrEqual(59));

  for (const { input, library, ours } of vectors) {
    test(`reads ${JSON.stringify(input.slice(0, 70))} (${input.length} characters)`, () => {
      expect(outcome(input)).toEqual(ours ?? library);
    });
  }
});

describe('a reference', () => {
  test('is the same after writing and reading it, for 5,000 generated ones', () => {
    const generator = createGenerator(1);
    for (let round = 0; round < 5000; round++) {
      const reference = aReference();
      expect(parseReference(formatReference(reference))).toEqual(reference);
    }

    function aReference(): Reference {
      const hex = generator.text('0123456789abcdef', 128);
      const digest = generator.oneOf([null, `sha256:${hex.slice(64)}`, `sha512:${hex}`]);
      const host = generator.oneOf([
        'docker.io',
        'localhost',
        'localhost:5000',
        'ghcr.io',
        '[2001:db8::1]:5000',
        '10.0.0.1:80',
        `${generator.text('abc-x', 3).replace(/^-|-$/g, 'y')}.example.com`,
      ]);
      const part = () =>
        generator.text('abz019', 1 + generator.below(5)) +
        generator.oneOf(['', '.x', '_y', '__z', '-0', '---1']) +
        generator.text('qr7', generator.below(3));
      const path = Array.from({ length: 2 + generator.below(3) }, part).join('/');
      const tag =
        generator.oneOf(['', '_', 'v', 'V', '9']) + generator.text('aZ0_.-', generator.oneOf([0, 1, 20, 127]));
      return {
        host: parseRegistryHost(host),
        repository: parseRepositoryName(path),
        tag: isTagName(tag) ? tag : null,
        digest: digest === null ? null : parseDigest(digest),
      };
    }
  });

  test('of the greatest length can be read', () => {
    const host = `${'h.'.repeat(120)}example:65535`;
    const text = `${host}/${'p'.repeat(255)}:${'t'.repeat(128)}@sha512:${'0'.repeat(128)}`;
    expect(formatReference(parseReference(text))).toBe(text);
  });

  test('that is longer is refused at once, and the message shows its beginning only', () => {
    const text = `x.io/${'a/'.repeat(100_000)}b`;
    expect(outcome(text)).toEqual({ error: 'toolong' });
    expect(() => parseReference(text)).toThrow(/^"x\.io\/a.{190,210}" is not an image reference: /);
  });

  test('has a message that says what to write', () => {
    expect(() => parseReference('ghcr.io/Owner/app')).toThrow(
      '"ghcr.io/Owner/app" is not an image reference: a repository name is lower-case.',
    );
    expect(() => parseReference('a b')).toThrow(/write \[host\/]path\[:tag]\[@digest], such as nginx:1\.27/);
  });

  test.each([
    [' https://ghcr.io/a/b:1 ', 'ghcr.io/a/b:1'],
    ['docker://quay.io/x/y', 'quay.io/x/y'],
    ['docker-pullable://nginx@sha256:' + '0'.repeat(64), `docker.io/library/nginx@sha256:${'0'.repeat(64)}`],
    ['alpine\n', 'docker.io/library/alpine'],
  ])('pasted as %j is %s', (pasted, expected) => {
    expect(formatReference(parsePastedReference(pasted))).toBe(expected);
  });

  test.each([
    ['docker.io', 'library/alpine', 'alpine'],
    ['docker.io', 'library/foo/bar', 'library/foo/bar'],
    ['docker.io', 'bitnami/nginx', 'bitnami/nginx'],
    ['ghcr.io', 'library/alpine', 'ghcr.io/library/alpine'],
  ])('%s/%s is called %s', (host, repository, name) => {
    expect(familiarName(host, repository)).toBe(name);
    expect(parseReference(name)).toMatchObject({ host, repository });
  });
});

describe('a registry host', () => {
  test.each([
    ['index.docker.io', 'docker.io'],
    ['registry-1.docker.io', 'docker.io'],
    ['GHCR.io:443', 'ghcr.io'],
    ['registry.example.com:5000', 'registry.example.com:5000'],
    ['[::1]:5000', '[::1]:5000'],
  ])('%s is %s', (text, host) => expect(parseRegistryHost(text)).toBe(host));

  test.each([
    '',
    'https://ghcr.io',
    'ghcr.io/',
    'a b',
    'foo_bar.com',
    '[fe80::1%eth0]',
    'x.io:123456',
    `${'a'.repeat(300)}.io`,
  ])('%j is refused, with the form that is right', (text) =>
    expect(() => parseRegistryHost(text)).toThrow(/is not a registry host: write a name and perhaps a port/),
  );
});

describe('a digest', () => {
  const hex = 'ab'.repeat(32);

  test.each([`sha256:${hex}`, `sha512:${hex}${hex}`])('%s is one', (text) => {
    const digest = parseDigest(text);
    expect(digest).toBe(text);
    expect(`${algorithmOf(digest)}:${digestBytes(digest).toString('hex')}`).toBe(text);
  });

  test.each([
    '',
    hex,
    `sha256:${hex.toUpperCase()}`,
    `sha256:${hex}0`,
    `sha512:${hex}`,
    `SHA256:${hex}`,
    `md5:${hex}`,
    `sha256:${hex}\n`,
  ])('%j is none', (text) => {
    expect(isDigest(text)).toBe(false);
    expect(() => parseDigest(text)).toThrow(CatalogError);
  });

  test('names bytes, and no others', () => {
    const bytes = Buffer.from('{}');
    const digest = digestOf(bytes);
    expect(digest).toBe('sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a');
    expect(verifies(digest, bytes)).toBe(true);
    expect(verifies(digestOf(bytes, 'sha512'), bytes)).toBe(true);
    expect(verifies(digest, Buffer.from('{} '))).toBe(false);
  });
});
