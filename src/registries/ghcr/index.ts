import { RegistryError } from '../../domain/errors.ts';
import { isTagName } from '../../domain/reference.ts';
import type { HttpClient } from '../../http/index.ts';
import { openClient } from '../client.ts';
import { openOciRegistry, withoutCatalog } from '../oci/index.ts';
import { ownListOr, saidOrNull } from '../own-list.ts';
import type { OpenRegistry, RegistryKind, RegistrySettings } from '../registry.ts';
import { deleteVersion } from './deletion.ts';
import { describeRepository, listRepositories } from './packages.ts';
import { openRestApi } from './rest-api.ts';
import { listTags } from './tags.ts';

/**
 * GitHub's container registry. With a personal access token (classic) that has the scope read:packages, tags come with
 * digests and dates from the REST API of packages, and packages of an owner are listed; without one, the distribution
 * API gives names. https://docs.github.com/en/rest/packages/packages
 */
export const ghcr: RegistryKind = {
  kind: 'GHCR',
  recognises: (url) => url.origin === ORIGIN,
  open: async (settings) => openGhcr(settings),
};

/** Elsewhere than at GitHub's own address, the REST API is looked for at the registry's. */
export function openGhcr(settings: RegistrySettings, http: HttpClient = openClient(settings)): OpenRegistry {
  const { url, credential } = settings;
  const registry = withoutCatalog(openOciRegistry(settings, http));
  if (credential?.kind !== 'basic') return registry;
  const api = openRestApi(http, url.origin === ORIGIN ? REST_API : url, credential.password);
  return {
    ...registry,
    listTags: (repository, signal) =>
      ownListOr(listTags(api, repository, signal), () => registry.listTags(repository, signal)),
    listRepositories: (prefix, signal) => listRepositories(api, prefix, signal),
    describeRepository: (repository, signal) => saidOrNull(describeRepository(api, repository, signal)),
    async deleteManifest(repository, target, signal) {
      if (isTagName(target)) {
        throw new RegistryError('UNSUPPORTED', 'GitHub deletes manifests with all their tags, and no tag alone');
      }
      return deleteVersion(api, registry, repository, target, signal);
    },
  };
}

const ORIGIN = 'https://ghcr.io';
const REST_API = new URL('https://api.github.com');
