import type { HttpClient } from '../../http/index.ts';
import { RegistryApi } from '../api.ts';
import { openClient } from '../client.ts';
import { signsInAt } from '../detection.ts';
import { openOciRegistry } from '../oci/index.ts';
import { detailed, ownListOr, saidOrNull } from '../own-list.ts';
import type { OpenRegistry, RegistryKind, RegistrySettings } from '../registry.ts';
import { signInWith } from '../sign-in.ts';
import { datedTags, describeRepository, listRepositories } from './packages.ts';

/**
 * Gitea, Forgejo and Codeberg: the package API beside the registry tells an owner's repositories and when each tag was
 * pushed; it tells no digests, so each tag costs a HEAD. https://docs.gitea.com/usage/packages/container
 */
export const gitea: RegistryKind = {
  kind: 'GITEA',
  recognises: (url) => url.hostname === 'codeberg.org',
  recognisesAnswer: (headers) => signsInAt(headers, '/v2/token', 'container_registry'),
  open: async (settings) => openGitea(settings),
};

export function openGitea(settings: RegistrySettings, http: HttpClient = openClient(settings)): OpenRegistry {
  const { url, credential } = settings;
  const registry = openOciRegistry(settings, http);
  const api = new RegistryApi(http, { url: new URL('/api/v1', url), signIn: signInWith(credential) });
  return {
    ...registry,
    async *listTags(repository, signal) {
      const details = await datedTags(api, repository, signal);
      yield* detailed(registry.listTags(repository, signal), details);
    },
    listRepositories: (prefix, signal) => {
      const usual = () => registry.listRepositories(prefix, signal);
      const owner = prefix.includes('/') ? prefix.slice(0, prefix.indexOf('/')) : '';
      return owner === '' ? usual() : ownListOr(listRepositories(api, owner, signal), usual);
    },
    describeRepository: (repository, signal) => saidOrNull(describeRepository(api, repository, signal)),
  };
}
