import { createHash } from 'node:crypto';
import {
  describeRegistry,
  readExpected,
  startRegistry,
  type Expected,
  type ExpectedContents,
  type ExpectedManifest,
  type RealRegistry,
} from '../support/shared-images.ts';
import { startStowage, type RunningStowage } from '../support/stowage.ts';

/**
 * Of every kind: each form of package database, every compression, whiteouts, many layers and none, foreign ones. All images
 * are laid over one another in test/inspect/images.test.ts.
 */
const REPOSITORIES =
  'odd/.*|ubi8/.*|amazonlinux/.*|distroless/.*|dive/.*|snyk/java-war|library/(hello-world|debian|nginx|busybox)';

describeRegistry('what real images in a real registry hold', () => {
  let registry: RealRegistry;
  let stowage: RunningStowage;
  let expected: Expected;
  let images: ExpectedManifest[];

  beforeAll(async () => {
    expected = readExpected();
    images = Object.values(expected.manifests).filter(
      ({ kind, in_repositories: places }) =>
        kind === 'image' && places.some((place) => new RegExp(`^(${REPOSITORIES})$`).test(place)),
    );
    [registry, stowage] = await Promise.all([startRegistry(), startStowage()]);
    await registry.loadOnly(`^(${REPOSITORIES}):`);
    const source = await stowage.follow(registry.host, '*');
    await stowage.ask(INSPECT, { source });
    expect(await stowage.sync(source)).toMatchObject({ status: 'SUCCEEDED', errors: { nodes: [] } });
    while ((await stowage.database.prisma.imageInspection.count({ where: { status: 'QUEUED' } })) > 0) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }, 300_000);

  afterAll(async () => {
    await stowage.close();
    await registry.stop();
  });

  test('is what other programs say of each image that a tag reaches', async () => {
    const reached = images.filter(({ digest }) => isReached(expected, digest));
    const known = reached.filter(({ contents }) => contents);
    expect(known.length).toBeGreaterThan(25);
    for (const { digest, contents, size, config } of known) {
      const { image } = await stowage.ask<{ image: ToldImage }>(IMAGE, { digest });
      const { composition, packageCount, ...told } = image.contents ?? NOTHING;
      const packages = await packagesOf(stowage, digest);
      expect({ digest, status: image.contentsStatus, ...told, packages: byType(packages) }).toEqual({
        digest,
        status: 'INSPECTED',
        ...asTold(contents as ExpectedContents),
      });
      expect(packageCount).toBe(packages.length);
      const documents = size + (config?.size ?? 0);
      const bytes = Object.values(composition).reduce((sum, part) => sum + part, 0);
      expect(bytes).toBe((contents as ExpectedContents).regular_bytes + documents);
    }
  }, 120_000);

  test('is told as far as it goes where a layer is not to be had', async () => {
    const incomplete = images.filter(({ digest, contents }) => contents === null && isReached(expected, digest));
    expect(incomplete.length).toBeGreaterThan(0);
    for (const { digest, platform } of incomplete) {
      const { image } = await stowage.ask<{ image: ToldImage }>(IMAGE, { digest });
      expect(['PARTIAL', 'TOO_LARGE']).toContain(image.contentsStatus);
      if (platform?.os === 'windows') expect(image.contents?.operatingSystem?.id).toBe('windows');
    }
  });

  test('took each layer once, whatever it is packed in', () => {
    const diffIds = new Map(
      images.flatMap(({ layers = [] }) => layers.map((layer) => [layer.digest, layer.diff_id] as const)),
    );
    const downloads = registry
      .requests()
      .flatMap((line) => /^GET .*\/blobs\/(\S+)$/.exec(line)?.[1] ?? [])
      .flatMap((digest) => diffIds.get(digest) ?? []);
    expect(downloads.length).toBeGreaterThan(150);
    expect(downloads).toHaveLength(new Set(downloads).size);
  });
});

interface ToldImage {
  readonly contentsStatus: string;
  readonly contents: ToldContents | null;
}

interface ToldContents {
  readonly operatingSystem: { readonly id: string; readonly versionId: string; readonly prettyName: string } | null;
  readonly shells: readonly string[];
  readonly packageManagers: readonly string[];
  readonly kernels: readonly string[];
  readonly fileCount: number;
  readonly packageCount: number;
  readonly composition: Record<string, number>;
}

interface ToldPackage {
  readonly type: string;
  readonly name: string;
  readonly version: string;
}

const NOTHING = { composition: {}, packageCount: 0 };

const INSPECT = `mutation ($source: ID!) {
  updateSyncSource(input: { id: $source, inspectContents: true }) { source { inspectContents } userErrors { message } }
}`;
const IMAGE = `query ($digest: Digest!) {
  image(digest: $digest) {
    contentsStatus
    contents {
      operatingSystem { id versionId prettyName } shells packageManagers kernels fileCount packageCount
      composition { operatingSystemSize dependencySize applicationSize metadataSize }
    }
  }
}`;
const PACKAGES = `query ($digest: Digest!, $after: String) {
  image(digest: $digest) {
    contents { packages(first: 100, after: $after) { nodes { type name version } pageInfo { hasNextPage endCursor } } }
  }
}`;

async function packagesOf(stowage: RunningStowage, digest: string): Promise<ToldPackage[]> {
  const found: ToldPackage[] = [];
  let after: string | null = null;
  do {
    const answer: PackageAnswer = await stowage.ask<PackageAnswer>(PACKAGES, { digest, after });
    const { nodes, pageInfo } = answer.image.contents.packages;
    found.push(...nodes);
    after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
  } while (after !== null);
  return found;
}

interface PackageAnswer {
  readonly image: {
    readonly contents: {
      readonly packages: {
        readonly nodes: readonly ToldPackage[];
        readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string };
      };
    };
  };
}

/** Those of operating systems, as the other programs list them: without the keys that rpm keeps like packages. */
function byType(packages: readonly ToldPackage[]) {
  const types = Map.groupBy(
    packages.filter(({ type, name }) => ['APK', 'DEB', 'RPM'].includes(type) && name !== 'gpg-pubkey'),
    ({ type }) => type.toLowerCase(),
  );
  return Object.fromEntries(
    [...types].map(([type, list]) => {
      const lines = list.map(({ name, version }) => `${name} ${version}\n`).sort();
      return [type, [lines.length, createHash('sha256').update(lines.join('')).digest('hex')]];
    }),
  );
}

function asTold({ os_release: os, packages, ...contents }: ExpectedContents) {
  const pathsOf = (programs: ExpectedContents['shells']) => programs.map(({ path }) => path);
  return {
    operatingSystem: os && { id: os.id, versionId: os.version_id, prettyName: os.pretty_name },
    shells: pathsOf(contents.shells),
    packageManagers: pathsOf(contents.package_manager_paths.filter((program) => program.busybox_applet !== true)),
    kernels: contents.kernel.paths,
    fileCount: contents.regular_files,
    packages: Object.fromEntries(
      Object.entries(packages).map(([type, { count, list_sha256: list }]) => [type, [count, list]]),
    ),
  };
}

/** Whether a tag names the image now, or an index that lists it. */
function isReached({ manifests }: Expected, digest: string): boolean {
  if ((manifests[digest]?.tagged_as.length ?? 0) > 0) return true;
  const indexes = Object.values(manifests).filter(({ members = [] }) => members.some((each) => each.digest === digest));
  return indexes.some((index) => isReached({ manifests } as Expected, index.digest));
}
