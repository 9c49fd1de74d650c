import { annotatedBases, attestedBases, provenanceOf } from '../../src/domain/base-claim.ts';
import { digestOf } from '../../src/domain/digest.ts';
import { parseManifest, type ArtifactManifest } from '../../src/domain/manifest.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../../src/domain/media-type.ts';
import { anArtifact, anImage, anIndex } from '../support/content.ts';

const IMAGE = digestOf(Buffer.from('image'));
const BASE = digestOf(Buffer.from('base'));
const BASE_HEX = BASE.slice('sha256:'.length);
const ALPINE = { host: 'docker.io', repository: 'library/alpine', tag: '3.18' };
const KEYS = { digest: 'org.opencontainers.image.base.digest', name: 'org.opencontainers.image.base.name' };

describe('annotations', () => {
  const claims = (annotations: Record<string, string>) => {
    const content = anImage({ annotations });
    return annotatedBases(content.digest, parseManifest(content.raw, OCI_MANIFEST)).map(({ digest, name }) => ({
      digest,
      name,
    }));
  };

  test.each([
    ['digest and name', { [KEYS.digest]: BASE, [KEYS.name]: 'alpine:3.18' }, { digest: BASE, name: ALPINE }],
    ['a digest alone', { [KEYS.digest]: BASE }, { digest: BASE, name: null }],
    ['a name alone', { [KEYS.name]: 'docker.io/library/alpine:3.18' }, { digest: null, name: ALPINE }],
    ['a name without a tag', { [KEYS.name]: 'alpine' }, { digest: null, name: { ...ALPINE, tag: 'latest' } }],
    ['a name with the digest in it', { [KEYS.name]: `alpine:3.18@${BASE}` }, { digest: BASE, name: ALPINE }],
    ['a name that is a digest', { [KEYS.name]: `alpine@${BASE}` }, { digest: BASE, name: null }],
    [
      'a digest of no known form beside a name',
      { [KEYS.digest]: 'md5:1', [KEYS.name]: 'alpine:3.18' },
      { digest: null, name: ALPINE },
    ],
  ])('of an image are read: %s', (_, annotations, claim) => {
    expect(claims(annotations)).toEqual([claim]);
  });

  test.each([
    ['nothing', {}],
    ['another annotation', { 'org.opencontainers.image.title': 'alpine:3.18' }],
    ['a name that is none', { [KEYS.name]: 'Not A Name' }],
    ['the name that scratch goes by', { [KEYS.name]: '' }],
  ])('that name no base claim nothing: %s', (_, annotations) => {
    expect(claims(annotations)).toEqual([]);
  });

  test('of an index are about each image that it lists, and those of an entry go before', () => {
    const [one, two] = [anImage(), anImage({ architecture: 'arm64' })];
    const attestation = anArtifact('application/vnd.in-toto+json', null);
    const { raw } = anIndex([
      { content: one },
      { content: two, annotations: { [KEYS.name]: 'alpine:3.18' } },
      {
        content: attestation,
        annotations: {
          'vnd.docker.reference.type': 'attestation-manifest',
          'vnd.docker.reference.digest': one.digest,
        },
      },
    ]);
    const document = { ...(JSON.parse(raw.toString()) as object), annotations: { [KEYS.digest]: BASE } };
    const index = parseManifest(Buffer.from(JSON.stringify(document)), OCI_INDEX);
    expect(annotatedBases(IMAGE, index)).toEqual([
      { image: one.digest, evidence: 'ANNOTATION', digest: BASE, name: null },
      { image: two.digest, evidence: 'ANNOTATION', digest: null, name: ALPINE },
    ]);
  });
});

describe('provenance', () => {
  const statement = (predicate: unknown) => Buffer.from(JSON.stringify({ predicate }));
  const claims = (...materials: unknown[]) =>
    attestedBases(IMAGE, statement({ materials })).map(({ digest, name }) => ({ digest, name }));

  test('is heard in both versions of the format', () => {
    const material = { uri: 'pkg:docker/alpine@3.18?platform=linux%2Famd64', digest: { sha256: BASE_HEX } };
    const claim = { image: IMAGE, evidence: 'PROVENANCE', digest: BASE, name: ALPINE };
    expect(attestedBases(IMAGE, statement({ materials: [material] }))).toEqual([claim]);
    expect(attestedBases(IMAGE, statement({ buildDefinition: { resolvedDependencies: [material] } }))).toEqual([claim]);
  });

  test.each([
    ['a tag', { uri: 'pkg:docker/alpine@3.18?platform=linux%2Famd64' }, { digest: null, name: ALPINE }],
    ['a digest among the qualifiers', { uri: `pkg:docker/alpine@3.18?digest=${BASE}` }, { digest: BASE, name: ALPINE }],
    ['a digest for a version', { uri: `pkg:docker/alpine@${encodeURIComponent(BASE)}` }, { digest: BASE, name: null }],
    ['no version', { uri: 'pkg:docker/alpine' }, { digest: null, name: { ...ALPINE, tag: 'latest' } }],
    [
      'a registry in the name',
      { uri: 'pkg:docker/localhost%3A5000/org/app@v1' },
      { digest: null, name: { host: 'localhost:5000', repository: 'org/app', tag: 'v1' } },
    ],
    [
      'a registry among the qualifiers',
      { uri: 'pkg:docker/org/app@v1?repository_url=ghcr.io' },
      { digest: null, name: { host: 'ghcr.io', repository: 'org/app', tag: 'v1' } },
    ],
    [
      'the type oci',
      { uri: `pkg:oci/alpine@${encodeURIComponent(BASE)}?repository_url=docker.io/library/alpine&tag=3.18` },
      { digest: BASE, name: ALPINE },
    ],
  ])('names an image by %s', (_, material, claim) => {
    expect(claims(material)).toEqual([claim]);
  });

  test.each([
    ['sources', { uri: 'https://github.com/org/app.git#main', digest: { sha1: 'ab' } }],
    ['packages of other kinds', { uri: 'pkg:github/org/app@v1', digest: { sha256: BASE_HEX } }],
    ['what is no URI', { uri: 7 }],
    ['what is no material', 'alpine'],
    ['broken escapes of no name', { uri: 'pkg:docker/%E0%A4%A@1' }],
  ])('says nothing of images with %s', (_, material) => {
    expect(claims(material)).toEqual([]);
  });

  test.each([
    [{}],
    [{ predicate: null }],
    [{ predicate: { materials: 'alpine' } }],
    [{ predicate: { buildDefinition: [] } }],
  ])('without materials says nothing: %j', (document) => {
    expect(attestedBases(IMAGE, Buffer.from(JSON.stringify(document)))).toEqual([]);
  });

  test('of more images than any build takes in is heard to a bound', () => {
    const many = Array.from({ length: 2000 }, (_, at) => ({ uri: `pkg:docker/alpine@${at}` }));
    expect(claims(...many)).toHaveLength(50);
  });

  test('that is not JSON is refused', () => {
    expect(() => attestedBases(IMAGE, Buffer.from('<html>'))).toThrow('the provenance is not JSON');
  });

  test('is looked for in the blobs that say that they hold it', () => {
    const blob = (mediaType: string, predicateType: string) => ({
      mediaType,
      digest: digestOf(Buffer.from(predicateType)),
      size: 1,
      urls: [],
      artifactType: null,
      annotations: { 'in-toto.io/predicate-type': predicateType },
    });
    const wanted = blob('application/vnd.in-toto+json', 'https://slsa.dev/provenance/v0.2');
    const blobs = [
      blob('application/vnd.in-toto+json', 'https://spdx.dev/Document'),
      wanted,
      blob('text/plain', 'https://slsa.dev/provenance/v1'),
    ];
    expect(provenanceOf({ blobs } as unknown as ArtifactManifest)).toEqual([wanted]);
  });
});
