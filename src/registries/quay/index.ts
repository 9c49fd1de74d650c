import { parseChallenges, type HttpClient } from '../../http/index.ts';
import { RegistryApi, type SignIn } from '../api.ts';
import { openClient } from '../client.ts';
import { openOciRegistry } from '../oci/index.ts';
import { ownListOr, saidOrNull } from '../own-list.ts';
import type { Credential, OpenRegistry, RegistryKind, RegistrySettings } from '../registry.ts';
import { describeRepository, listRepositories } from './repositories.ts';
import { listTags } from './tags.ts';

/**
 * Quay.io and Red Hat Quay: tags with digests and dates, repositories and descriptions by its API. That knows OAuth
 * tokens of applications, whose user name is $oauthtoken, and no robot accounts: for those, and for what it does not
 * show to everybody, the distribution API is asked. https://docs.quay.io/api/
 */
export const quay: RegistryKind = {
  kind: 'QUAY',
  recognises: (url) => url.origin === 'https://quay.io',
  recognisesAnswer: (headers, url) => signsInLikeQuay(headers['www-authenticate'], url),
  open: async (settings) => openQuay(settings),
};

export function openQuay(settings: RegistrySettings, http: HttpClient = openClient(settings)): OpenRegistry {
  const { url, credential } = settings;
  const registry = openOciRegistry(settings, http);
  const signIn = signInOf(credential);
  const api = new RegistryApi(http, { url: new URL('/api/v1', url), signIn });
  /** What the registry shows to those whom the API does not know. */
  const catalogFor = (signal: AbortSignal) =>
    credential !== null && signIn === null ? (registry.listRepositories?.('', signal) ?? null) : null;
  return {
    ...registry,
    listTags: (repository, signal) =>
      ownListOr(listTags(api, repository, signal), () => registry.listTags(repository, signal)),
    listRepositories: (prefix, signal) => listRepositories(api, catalogFor(signal), prefix, signal),
    describeRepository: (repository, signal) => saidOrNull(describeRepository(api, repository, signal)),
  };
}

function signInOf(credential: Credential | null): SignIn | null {
  if (credential?.kind !== 'basic' || credential.username !== '$oauthtoken') return null;
  return { authorization: () => `Bearer ${credential.password}` };
}

/** Its token service is at a path of its own on the same host. */
function signsInLikeQuay(header: string | readonly string[] | undefined, url: URL): boolean {
  return parseChallenges(header).some(({ scheme, realm }) => {
    if (scheme !== 'bearer' || realm === null || !URL.canParse(realm, url.href)) return false;
    const { host, pathname } = new URL(realm, url);
    return host === url.host && pathname === '/v2/auth';
  });
}
