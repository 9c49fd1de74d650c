import type { HttpClient } from '../../http/index.ts';
import { isDigest } from '../../domain/digest.ts';
import { RegistryApi } from '../api.ts';
import { openClient } from '../client.ts';
import { signsInAt } from '../detection.ts';
import { openOciRegistry } from '../oci/index.ts';
import { ownListOr, saidOrNull } from '../own-list.ts';
import type { OpenRegistry, RegistryKind, RegistrySettings } from '../registry.ts';
import { signInWith } from '../sign-in.ts';
import { deleteTag } from './deletion.ts';
import { describeRepository, listRepositories } from './repositories.ts';
import { listTags } from './tags.ts';

/**
 * Harbor 2: its API tells tags with digests and dates, a hundred manifests a request, and repositories by project. A
 * robot that may only pull is refused there; the distribution API is asked then.
 * https://goharbor.io/docs/latest/working-with-projects/using-api-explorer/
 */
export const harbor: RegistryKind = {
  kind: 'HARBOR',
  recognises: () => false,
  recognisesAnswer: (headers) => signsInAt(headers, '/service/token', 'harbor-registry'),
  open: async (settings) => openHarbor(settings),
};

export function openHarbor(settings: RegistrySettings, http: HttpClient = openClient(settings)): OpenRegistry {
  const { url, credential } = settings;
  const registry = openOciRegistry(settings, http);
  const api = new RegistryApi(http, {
    url: new URL('/api/v2.0', url),
    // A project whose name is a number would be taken for an id.
    headers: ['accept', 'application/json', 'x-is-resource-name', 'true'],
    signIn: signInWith(credential),
  });
  return {
    ...registry,
    listTags: (repository, signal) =>
      ownListOr(listTags(api, repository, signal), () => registry.listTags(repository, signal)),
    listRepositories: (prefix, signal) => listRepositories(api, prefix, signal),
    describeRepository: (repository, signal) => saidOrNull(describeRepository(api, repository, signal)),
    deleteManifest: (repository, target, signal) =>
      isDigest(target)
        ? registry.deleteManifest(repository, target, signal)
        : deleteTag(api, registry, repository, target, signal),
  };
}
