import type { Connection } from '../database.ts';
import type { Ear } from '../events.ts';
import { baseImageReads } from './base-image.ts';
import { commitReads } from './commit.ts';
import { containerDriftReads } from './container-drift.ts';
import { containerEventReads } from './container-event.ts';
import { containerReads } from './container.ts';
import { derivedContainerReads } from './derived-container.ts';
import { derivedImageReads } from './derived-image.ts';
import { deletionReads } from './deletion.ts';
import { historyReads } from './history.ts';
import { imageContentsReads } from './image-contents.ts';
import { imageFileReads } from './image-file.ts';
import { imageReads, type ImagesById } from './image.ts';
import { layerReads } from './layer.ts';
import { manifestReads } from './manifest.ts';
import { newerTagReads } from './newer-tag.ts';
import { numberReads } from './numbers/index.ts';
import { packageReads } from './package.ts';
import { answering } from './question.ts';
import { referenceReads } from './reference.ts';
import { registryReads } from './registry.ts';
import { repositoryReads } from './repository.ts';
import { runtimeReads } from './runtime.ts';
import { searchReads } from './search/index.ts';
import { syncReads } from './sync.ts';
import { containerEventFeed } from './feeds/container-event.ts';
import { syncRunFeed } from './feeds/sync-run.ts';
import { tagEventFeed } from './feeds/tag-event.ts';
import { tagEventReads } from './tag-event.ts';
import { tagReads } from './tag.ts';

export type { Following, Told } from './feeds/followers.ts';
export { tagEventCursor } from './tag-event.ts';
export { firstKey, pairKey, type BaseImageRecord, type BasePair, type FirstOfImage } from './base-image.ts';
export { containerKey, type ContainerDetails, type ContainerKey } from './container.ts';
export type { ContainerDriftRecord } from './container-drift.ts';
export { containerEventCursor, type ContainerEventRecord } from './container-event.ts';
export type { ContainerRecord } from './container-row.ts';
export type { RebuildWaveRecord } from './derived-image.ts';
export { tagKey, type TagKey } from './tag.ts';
export type { TagRecord } from './tag-row.ts';
export { asOfKey, type ReferenceAsOf } from './reference.ts';
export type { NewerTagArguments } from './newer-tag.ts';
export type { BlockedImageRecord, SimulationArguments, SimulationRecord } from './deletion.ts';
export type { HistoryEntryRecord } from './history.ts';
export type { ImageLayerRecord } from './image.ts';
export type {
  ImageContentsRecord,
  ImageFileRecord,
  InspectionRecord,
  OperatingSystemRecord,
} from './image-contents.ts';
export { pageOfKnown, type KnownList } from './known-list.ts';
export type { LayerBlobRecord, LayerRecord } from './layer.ts';
export type { IndexEntryRecord } from './manifest.ts';
export type { ArtifactRecord, ImageIndexRecord, ImageRecord, ManifestRecord } from './manifest-row.ts';
export {
  DEFAULT_PAGE,
  lengthOf,
  MAX_PAGE,
  type NestedList,
  type Page,
  type PageArguments,
  type RootList,
} from './page.ts';
export { wantedPlatform, type PlatformArgument, type PlatformRecord } from './platform.ts';
export { packagesIn, type PackageRecord } from './package.ts';
export type { ReachedImage } from './reached-image.ts';
export type { RegistryRecord } from './registry.ts';
export type { MetadataRecord, RepositoryDetails, RepositoryKey, RepositoryRecord } from './repository.ts';
export type { RuntimeRecord } from './runtime.ts';
export type { StatisticsRecord } from './numbers/index.ts';
export type { SearchHit } from './search/index.ts';
export type { SyncErrorRecord, SyncRunRecord, SyncSourceRecord } from './sync.ts';
export type { TagEventRecord } from './tag-event.ts';

export type CatalogReads = ReturnType<typeof createReads>;

/**
 * Everything that can be asked of the catalog. Reads are plural: they take keys and answer with a Map that lacks what
 * does not exist, in one statement for all of them. One per process: what never changes is kept in it, until `forget`.
 */
export function createReads(database: Connection) {
  const connection = answering(database);
  const { forgetManifest, ...manifests } = manifestReads(connection);
  const imagesById = manifests.manifestsById as ImagesById;
  const { forgetStack, ...images } = imageReads(connection, imagesById);
  const { forgetFiles, ...files } = imageFileReads(connection);
  const { forgetPackages, ...packages } = packageReads(connection, imagesById);
  const { forgetPlaces, ...repositories } = repositoryReads(connection);
  const tagEvents = tagEventReads(connection);
  const containerEvents = containerEventReads(connection);
  const sync = syncReads(connection);
  const { followTagEvents, tagEventEar } = tagEventFeed(tagEvents);
  const { followContainerEvents, containerEventEar } = containerEventFeed(containerEvents);
  const { followSyncRun, syncRunEar } = syncRunFeed(sync.syncRunsById);
  function forget(id: number | null): void {
    forgetManifest(id);
    forgetStack(id);
    forgetFiles(id);
    if (id !== null) return;
    forgetPlaces();
    forgetPackages();
  }
  const deletionEar: Ear = { channel: 'stowage_manifest_deleted', hear: (id) => Promise.resolve(forget(id)) };
  return {
    ...registryReads(connection),
    ...repositories,
    ...tagReads(connection),
    ...newerTagReads(connection),
    ...referenceReads(connection),
    ...tagEvents,
    ...manifests,
    ...images,
    ...imageContentsReads(connection),
    ...files,
    ...packages,
    ...baseImageReads(connection),
    ...derivedImageReads(connection, imagesById),
    ...derivedContainerReads(connection),
    ...historyReads(connection),
    ...layerReads(connection),
    ...runtimeReads(connection),
    ...containerReads(connection),
    ...commitReads(connection, imagesById),
    ...containerDriftReads(connection),
    ...containerEvents,
    ...searchReads(connection),
    ...sync,
    ...numberReads(connection),
    ...deletionReads(connection),
    followTagEvents,
    followContainerEvents,
    followSyncRun,
    /** How it learns what happens; without them nothing is there to follow, and what was deleted stays in mind. */
    ears: [tagEventEar, containerEventEar, syncRunEar, deletionEar],

    /**
     * Drops what is kept of a manifest that was deleted; of all with null, for when PostgreSQL may have crashed: it then
     * gives ids again that it lost.
     */
    forget,
  };
}
