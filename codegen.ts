import type { CodegenConfig } from '@graphql-codegen/cli';

const CONNECTED: Record<string, string> = {
  Artifact: 'ArtifactRecord',
  BlockedImage: 'BlockedImageRecord',
  Container: 'ContainerRecord',
  ContainerEvent: 'ContainerEventRecord',
  Image: 'ImageRecord',
  ImageIndex: 'ImageIndexRecord',
  ImageFile: 'ImageFileRecord',
  Layer: 'LayerRecord',
  Package: 'PackageRecord',
  Registry: 'RegistryRecord',
  Repository: 'RepositoryRecord',
  Runtime: 'RuntimeRecord',
  SyncError: 'SyncErrorRecord',
  SyncRun: 'SyncRunRecord',
  SyncSource: 'SyncSourceRecord',
  Tag: 'TagRecord',
  TagEvent: 'TagEventRecord',
};

const READS = '../catalog/read/index.ts';
const BLOCKER = `import('../graphql/types/deletion.ts').Blocker`;
const USER_ERROR = `import('../commands/index.ts').UserError`;

const config: CodegenConfig = {
  schema: 'schema.graphql',
  importExtension: '.ts',
  generates: {
    'src/generated/resolvers.ts': {
      plugins: ['typescript', 'typescript-resolvers'],
      config: {
        contextType: '../graphql/context.ts#GraphQLContext',
        enumsAsTypes: true,
        useTypeImports: true,
        immutableTypes: true,
        avoidOptionals: { defaultValue: true },
        defaultScalarType: 'unknown',
        scalars: {
          ID: { input: 'string', output: 'string' },
          DateTime: { input: 'Date', output: 'Date' },
          Digest: { input: '../domain/digest.ts#Digest', output: 'string' },
          ImageReference: { input: '../domain/reference.ts#Reference', output: 'string' },
          SafeInt: { input: 'number', output: 'number' },
        },
        mappers: {
          ...Object.fromEntries(Object.entries(CONNECTED).map(([type, record]) => [type, `${READS}#${record}`])),
          ...Object.fromEntries(
            Object.entries(CONNECTED).map(([type, record]) => [
              `${type}Connection`,
              `import('../graphql/connection.ts').ConnectionOf<import('${READS}').${record}>`,
            ]),
          ),
          BaseImageCandidate: `${READS}#BaseImageRecord`,
          CatalogStatistics: `${READS}#StatisticsRecord`,
          CatalogMetadata: `${READS}#MetadataRecord`,
          BaseOfImages: BLOCKER,
          ContainerDrift: `${READS}#ContainerDriftRecord`,
          DeletionSimulation: `import('../graphql/types/deletion.ts').Simulation`,
          HistoryEntry: `${READS}#HistoryEntryRecord`,
          ImageContents: `${READS}#ImageContentsRecord`,
          ImageDiff: '../graphql/types/image-diff.ts#ImageDiffRecord',
          ImageImpact: `${READS}#ImageRecord`,
          ImageInUse: USER_ERROR,
          ImageLayer: `${READS}#ImageLayerRecord`,
          IndexEntry: `${READS}#IndexEntryRecord`,
          InvalidInput: USER_ERROR,
          NamedByTags: BLOCKER,
          NotFound: USER_ERROR,
          RebuildWave: `${READS}#RebuildWaveRecord`,
          OperatingSystem: `${READS}#OperatingSystemRecord`,
          PackageChangeConnection: `import('../graphql/connection.ts').ConnectionOf<import('../domain/package-diff.ts').PackageChange>`,
          PackageEdge: '../graphql/types/package.ts#ListedPackage',
          Platform: `${READS}#PlatformRecord`,
          ReferencedByIndex: BLOCKER,
          RegistryRefused: USER_ERROR,
          SearchResultConnection: `import('../graphql/connection.ts').ConnectionOf<import('${READS}').SearchHit>`,
          SearchResultEdge: '../graphql/types/search.ts#SearchEdge',
          UsedByContainers: BLOCKER,
          UserError: USER_ERROR,
        },
      },
    },
  },
};

export default config;
