import { EVERY_TAG, knownRepositories, recordImageContents } from '../../src/catalog/write/index.ts';
import { OCI_CONFIG, OCI_EMPTY, OCI_MANIFEST } from '../../src/domain/media-type.ts';
import type { RepositoryName } from '../../src/domain/reference.ts';
import { syncRepository, type RepositoryReport } from '../../src/sync/index.ts';
import { anImage, anIndex, document, type Content } from '../support/content.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { MemoryRegistry } from '../support/memory-registry.ts';

const WEB = 'app/web' as RepositoryName;
const SPDX = 'application/spdx+json';
const IN_TOTO = 'application/vnd.in-toto+json';

let database: TestDatabase;
let registry: MemoryRegistry;
let registryId: number;

beforeEach(async () => {
  database = await createTestDatabase();
  registry = new MemoryRegistry();
  registry.hasReferrersApi = true;
  const row = { host: registry.host, kind: 'OCI', url: 'https://registry.example.com', managedBy: 'API' };
  registryId = (await database.prisma.registry.create({ data: row })).id;
});

afterEach(() => database.close());

async function sync(inspectContents = false): Promise<RepositoryReport> {
  return syncRepository({
    database,
    registry,
    scope: { registryId, repositories: WEB, ...EVERY_TAG },
    name: WEB,
    before: (await knownRepositories(database, registryId, [WEB])).get(WEB) ?? null,
    inspectContents,
    signal: new AbortController().signal,
    now: () => new Date('2026-06-01T00:00:00Z'),
  });
}

/** An SPDX document, or what is to be one, in an artifact about an image. */
function sbomOf(subject: Content, value: object): Content {
  return artifact(
    [{ blob: document(SPDX, value, []) }],
    { artifactType: SPDX, subject: descriptor(subject) },
    OCI_EMPTY,
  );
}

/** As BuildKit writes it: beside the image in an index, with statements of several kinds. */
function attested(image: Content, predicates: Readonly<Record<string, object>>): Content {
  const statements = Object.entries(predicates).map(([predicateType, predicate]) => ({
    blob: document(IN_TOTO, { _type: 'https://in-toto.io/Statement/v0.1', predicateType, predicate }, []),
    annotations: { 'in-toto.io/predicate-type': predicateType },
  }));
  const attestation = artifact(statements, {}, OCI_CONFIG);
  const annotations = {
    'vnd.docker.reference.type': 'attestation-manifest',
    'vnd.docker.reference.digest': image.digest,
  };
  return anIndex([
    { content: image, platform: { os: 'linux', architecture: 'amd64' } },
    { content: attestation, platform: { os: 'unknown', architecture: 'unknown' }, annotations },
  ]);
}

function artifact(
  layers: readonly { readonly blob: Content; readonly annotations?: object }[],
  more: object,
  configType: string,
): Content {
  const config = document(configType, { os: 'unknown', architecture: 'unknown', rootfs: { diff_ids: [] } }, []);
  return document(
    OCI_MANIFEST,
    {
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: descriptor(config),
      layers: layers.map(({ blob, annotations }) => ({ ...descriptor(blob), ...(annotations && { annotations }) })),
      ...more,
    },
    [config, ...layers.map(({ blob }) => blob)],
  );
}

function descriptor({ digest, mediaType, raw }: Content): object {
  return { digest, mediaType, size: raw.length };
}

function spdx(...purls: string[]): object {
  const referenceOf = (referenceLocator: string) => ({ referenceType: 'purl', referenceLocator });
  return {
    spdxVersion: 'SPDX-2.3',
    packages: purls.map((purl) => ({ name: purl, externalRefs: [referenceOf(purl)], licenseDeclared: 'MIT' })),
  };
}

async function contents() {
  return database.run(
    `select c.origin, c.package_layers as layers, array(
       select p.purl from package_set_entry e join package p on p.id = e.package_id
       where e.set_id = c.package_set_id order by p.purl
     ) as packages from image_contents c order by c.image_id`,
    [],
  );
}

const MUSL = 'pkg:apk/alpine/musl@1.2.5-r0?arch=x86_64';
const REACT = 'pkg:npm/react@18.3.1';

test('the packages that an SBOM about an image names are its packages', async () => {
  const image = anImage();
  registry.push(WEB, '1', image);
  registry.push(WEB, null, sbomOf(image, spdx(MUSL, REACT)));
  expect((await sync()).faults).toEqual([]);
  expect(await contents()).toEqual([{ origin: 'SBOM', layers: null, packages: [MUSL, REACT] }]);
  expect(await database.prisma.imageInspection.count()).toBe(0);
});

test('of the statements of an attestation the SBOM is read, once, and no other', async () => {
  const image = anImage();
  const predicates = { 'https://spdx.dev/Document': spdx(MUSL), 'https://example.com/scan': { spdxVersion: '?' } };
  registry.push(WEB, '1', attested(image, predicates));
  expect((await sync()).faults).toEqual([]);
  expect(await contents()).toEqual([{ origin: 'SBOM', layers: null, packages: [MUSL] }]);
  const asked = registry.countAsked('blob');
  await sync();
  expect(registry.countAsked('blob')).toBe(asked);
});

test('one that is none is a fault of its artifact, and another one is read', async () => {
  const image = anImage();
  const broken = sbomOf(image, { spdx: 'no' });
  registry.push(WEB, '1', image);
  registry.push(WEB, null, broken);
  registry.push(WEB, null, sbomOf(image, spdx()));
  registry.push(WEB, null, sbomOf(image, spdx(REACT)));
  const { faults } = await sync();
  expect(faults.map(({ reference, error }) => [reference, error.message])).toEqual([
    [`${registry.host}/${WEB}@${broken.digest}`, 'the SBOM is neither SPDX nor CycloneDX'],
  ]);
  expect(await contents()).toEqual([{ origin: 'SBOM', layers: null, packages: [REACT] }]);
});

test('none is read where the layers tell, or are to', async () => {
  const image = anImage();
  registry.push(WEB, '1', image);
  registry.push(WEB, null, sbomOf(image, spdx(MUSL)));
  await sync(true);
  expect(await contents()).toEqual([]);
  expect(registry.asked.filter((asked) => asked.startsWith('blob'))).toHaveLength(1);

  const [{ id = 0 } = {}] = await database.run<{ id: number }>('select manifest_id as id from image', []);
  const found = { origin: 'LAYERS', operatingSystem: null, packages: [], files: null } as const;
  await database.transaction((connection) => recordImageContents(connection, id, found, new Date()));
  registry.push(WEB, '2', anImage({ architecture: 'arm64' }));
  await sync();
  expect(await contents()).toEqual([{ origin: 'LAYERS', layers: null, packages: [] }]);
});
