import { isRepositoryName, isTagName, type RepositoryName } from '../../domain/reference.ts';
import type { HttpClient } from '../../http/index.ts';
import { openClient } from '../client.ts';
import type { OpenRegistry, RegistryKind, RegistrySettings } from '../registry.ts';
import { fetchBlob } from './blobs.ts';
import { deleteManifest } from './deletion.ts';
import { LARGE_PAGE, listNames } from './listing.ts';
import { Manifests } from './manifests.ts';
import { Referrers } from './referrers.ts';
import { Session, pullScope } from './session.ts';

/** The distribution API, as most registries speak it. https://github.com/opencontainers/distribution-spec */
export const oci: RegistryKind = {
  kind: 'OCI',
  recognises: (url) => url.protocol === 'https:' || url.protocol === 'http:',
  open: async (settings) => openOciRegistry(settings),
};

/** As `oci.open`, over a client that is used for more; closing the registry closes it. */
export function openOciRegistry(settings: RegistrySettings, http: HttpClient = openClient(settings)): OpenRegistry {
  const session = new Session(settings, http);
  const manifests = new Manifests(session);
  const referrers = new Referrers(session);
  const pageSize = { names: LARGE_PAGE };

  return {
    host: settings.host,
    async *listTags(repository, signal) {
      const pages = listNames(session, tagsOf(repository), pageSize, signal);
      for await (const names of pages) yield names.map((name) => ({ name }));
    },
    resolveManifest: (repository, target, signal) => manifests.resolve(repository, target, signal),
    fetchManifest: (repository, target, signal) => manifests.fetch(repository, target, signal),
    fetchBlob: (repository, digest, size, signal) => fetchBlob(session, repository, digest, size, signal),
    deleteManifest: (repository, target, signal) => deleteManifest(session, manifests, repository, target, signal),
    listReferrers: (repository, subject, signal) => referrers.list(repository, subject, signal),
    listRepositories: (_prefix, signal) => listNames(session, REPOSITORIES, pageSize, signal),
    traffic: session.traffic,
    close: () => session.close(),
  };
}

const MAX_TAGS = 200_000;
const MAX_REPOSITORIES = 50_000;

const REPOSITORIES = {
  path: '/v2/_catalog',
  scope: 'registry:catalog:*',
  member: 'repositories',
  isName: isRepositoryName,
  maxNames: MAX_REPOSITORIES,
} as const;

function tagsOf(repository: RepositoryName) {
  return {
    path: `/v2/${repository}/tags/list`,
    scope: pullScope(repository),
    member: 'tags',
    isName: isTagName,
    maxNames: MAX_TAGS,
  } as const;
}
