import { RegistryError } from '../../domain/errors.ts';
import { isTagName } from '../../domain/reference.ts';
import type { HttpClient } from '../../http/index.ts';
import { RegistryApi } from '../api.ts';
import { openClient } from '../client.ts';
import { openOciRegistry } from '../oci/index.ts';
import type { OpenRegistry, RegistryKind, RegistrySettings } from '../registry.ts';
import { describeRepository, listRepositories } from './repositories.ts';
import { signInToHub } from './sign-in.ts';
import { deleteTag, listTags } from './tags.ts';

/**
 * Docker Hub: tags, repositories and what people are told of them by the Hub API, which no pull limit counts; manifests
 * by the registry. https://docs.docker.com/reference/api/hub/latest/
 */
export const dockerHub: RegistryKind = {
  kind: 'DOCKER_HUB',
  recognises: isPublic,
  open: async (settings) => openDockerHub(settings),
};

/** Elsewhere than at Docker's own addresses, the Hub API is looked for at the registry's. */
export function openDockerHub(given: RegistrySettings, http: HttpClient = openClient(given)): OpenRegistry {
  const settings = isPublic(given.url) ? { ...given, url: REGISTRY } : given;
  const url = isPublic(given.url) ? API : settings.url;
  const registry = openOciRegistry(settings, http);
  const api = new RegistryApi(http, { url, signIn: signInToHub(http, url, settings.credential) });
  return {
    ...registry,
    listTags: (repository, signal) => listTags(api, registry, repository, signal),
    listRepositories: (prefix, signal) => listRepositories(api, prefix, signal),
    describeRepository: (repository, signal) => describeRepository(api, repository, signal),
    async deleteManifest(repository, target, signal) {
      if (isTagName(target)) return deleteTag(api, registry, repository, target, signal);
      throw new RegistryError(
        'UNSUPPORTED',
        'Docker Hub deletes tags, and no manifests: delete each tag that names it',
      );
    },
  };
}

const REGISTRY = new URL('https://registry-1.docker.io');
const API = new URL('https://hub.docker.com');
const HOSTS = new Set([
  'registry-1.docker.io',
  'docker.io',
  'index.docker.io',
  'hub.docker.com',
  'registry.hub.docker.com',
]);

function isPublic({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' && HOSTS.has(hostname);
}
