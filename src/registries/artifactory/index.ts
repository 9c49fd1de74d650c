import type { HttpClient } from '../../http/index.ts';
import { RegistryApi } from '../api.ts';
import { openClient } from '../client.ts';
import { openOciRegistry } from '../oci/index.ts';
import { detailed } from '../own-list.ts';
import type { AnswerHeaders, OpenRegistry, RegistryKind, RegistrySettings } from '../registry.ts';
import { signInWith } from '../sign-in.ts';
import { addressOf, Keys } from './keys.ts';
import { listRepositories } from './repositories.ts';
import { storedTags } from './tags.ts';

/**
 * JFrog Artifactory, at any of its addresses: a host or port for each of its repository keys, or the key at the beginning
 * of each name. Where it stores images itself, one query tells the digests and dates of a repository's tags.
 * https://jfrog.com/help/r/jfrog-rest-apis/docker-rest-apis
 */
export const artifactory: RegistryKind = {
  kind: 'ARTIFACTORY',
  recognises: (url) => url.hostname.endsWith('.jfrog.io'),
  recognisesAnswer: (headers) =>
    OWN_HEADERS.some((name) => headers[name] !== undefined) || REALM.test(signInOf(headers)),
  open: async (settings) => openArtifactory(settings),
};

export function openArtifactory(settings: RegistrySettings, http: HttpClient = openClient(settings)): OpenRegistry {
  const { url, credential } = settings;
  const registry = openOciRegistry(settings, http);
  const address = addressOf(url);
  const api = new RegistryApi(http, { url: address.base, signIn: signInWith(credential) });
  const keys = new Keys(api, address);
  const catalogOf = (key: string, signal: AbortSignal) => {
    const ofKey = { ...settings, url: new URL(`api/docker/${key}`, address.base) };
    return openOciRegistry(ofKey, http).listRepositories('', signal);
  };
  return {
    ...registry,
    async *listTags(repository, signal) {
      const place = await keys.placeOf(repository, signal);
      const details = place?.isStored ? await storedTags(api, place, signal) : new Map();
      yield* detailed(registry.listTags(repository, signal), details);
    },
    listRepositories: (prefix, signal) =>
      listRepositories(keys, prefix, () => registry.listRepositories(prefix, signal), catalogOf, signal),
  };
}

const OWN_HEADERS = ['x-jfrog-version', 'x-artifactory-id', 'x-artifactory-node-id'];
const REALM = /realm="Artifactory Realm"|\/api\/docker\/[^"]*\/v2\/token/;

function signInOf(headers: AnswerHeaders): string {
  return String(headers['www-authenticate'] ?? '');
}
