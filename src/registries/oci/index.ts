import { isRepositoryName, isTagName, type RepositoryName } from '../../domain/reference.ts';
import type { HttpClient } from '../../http/index.ts';
import { openClient } from '../client.ts';
import type {
  DeletesManifests,
  ListedTag,
  ListsReferrers,
  ListsRepositories,
  OpenRegistry,
  Registry,
  RegistryKind,
  RegistrySettings,
} from '../registry.ts';
import { fetchBlob } from './blobs.ts';
import { deleteManifest } from './deletion.ts';
import { LARGE_PAGE, listItems, MAX_TAGS, type Listing } from './listing.ts';
import { Manifests } from './manifests.ts';
import { Referrers } from './referrers.ts';
import { Session, pullScope } from './session.ts';

/** The distribution API, as most registries speak it. https://github.com/opencontainers/distribution-spec */
export const oci: RegistryKind = {
  kind: 'OCI',
  recognises: (url) => url.protocol === 'https:' || url.protocol === 'http:',
  open: async (settings) => openOciRegistry(settings),
};

/** All that can be asked of the distribution API; whether a registry answers is another matter. */
export type OciRegistry = Registry & ListsRepositories & ListsReferrers & DeletesManifests;

/** As `oci.open`, over a client that is used for more; closing the registry closes it. */
export function openOciRegistry(settings: RegistrySettings, http: HttpClient = openClient(settings)): OciRegistry {
  return ociRegistryOn(new Session(settings, http));
}

/** The distribution API in a session: what kinds are composed on that use the session themselves. */
export function ociRegistryOn(session: Session): OciRegistry {
  const manifests = new Manifests(session);
  const referrers = new Referrers(session);
  const pageSize = { names: LARGE_PAGE };

  return {
    host: session.host,
    listTags: (repository, signal) => listItems(session, tagsOf(repository), pageSize, signal),
    resolveManifest: (repository, target, signal) => manifests.resolve(repository, target, signal),
    fetchManifest: (repository, target, signal) => manifests.fetch(repository, target, signal),
    fetchBlob: (repository, digest, size, signal) => fetchBlob(session, repository, digest, size, signal),
    deleteManifest: (repository, target, signal) => deleteManifest(session, manifests, repository, target, signal),
    listReferrers: (repository, subject, signal) => referrers.list(repository, subject, signal),
    listRepositories: (_prefix, signal) => listItems(session, REPOSITORIES, pageSize, signal),
    traffic: session.traffic,
    close: () => session.close(),
  };
}

/** For those who list their repositories in another way, or not at all. */
export function withoutCatalog(registry: OpenRegistry): OpenRegistry {
  const rest = { ...registry };
  delete rest.listRepositories;
  return rest;
}

const REPOSITORIES: Listing<RepositoryName> = {
  path: '/v2/_catalog',
  scope: 'registry:catalog:*',
  member: 'repositories',
  read: (entry) => (typeof entry === 'string' && isRepositoryName(entry) ? { name: entry, item: entry } : null),
  maxNames: 50_000,
};

function tagsOf(repository: RepositoryName): Listing<ListedTag> {
  return {
    path: `/v2/${repository}/tags/list`,
    scope: pullScope(repository),
    member: 'tags',
    read: (entry) => (typeof entry === 'string' && isTagName(entry) ? { name: entry, item: { name: entry } } : null),
    maxNames: MAX_TAGS,
  };
}
