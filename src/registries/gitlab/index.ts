import type { HttpClient } from '../../http/index.ts';
import { openClient } from '../client.ts';
import { signsInAt } from '../detection.ts';
import { ociRegistryOn } from '../oci/index.ts';
import { Session } from '../oci/session.ts';
import { ownListOr, saidOrNull } from '../own-list.ts';
import type { OpenRegistry, RegistryKind, RegistrySettings } from '../registry.ts';
import { GitlabApi } from './api.ts';
import { listTags } from './tags.ts';

/**
 * The container registry of GitLab: where it keeps its metadata in a database, as at GitLab.com, it tells tags with
 * digests and dates; which repositories a group or project has is asked of GitLab itself, which signs in for it.
 * https://docs.gitlab.com/api/container_registry/
 */
export const gitlab: RegistryKind = {
  kind: 'GITLAB',
  recognises: (url) => url.hostname === 'registry.gitlab.com',
  recognisesAnswer: (headers) => signsInAt(headers, '/jwt/auth', 'container_registry'),
  open: async (settings) => openGitlab(settings),
};

export function openGitlab(settings: RegistrySettings, http: HttpClient = openClient(settings)): OpenRegistry {
  const session = new Session(settings, http);
  const registry = ociRegistryOn(session);
  const api = new GitlabApi(settings, http);
  /** Until the registry turns out to have tags, and no list of its own for us. */
  let hasOwnList = true;

  return {
    ...registry,
    listTags(repository, signal) {
      async function* usual() {
        for await (const page of registry.listTags(repository, signal)) {
          hasOwnList = false;
          yield page;
        }
      }
      return hasOwnList ? ownListOr(listTags(session, repository, signal), usual) : usual();
    },
    listRepositories: (prefix, signal) => api.listRepositories(prefix, signal),
    describeRepository: (repository, signal) => saidOrNull(api.describeRepository(repository, signal)),
  };
}
