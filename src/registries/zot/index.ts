import type { HttpClient } from '../../http/index.ts';
import { openClient } from '../client.ts';
import { ociRegistryOn } from '../oci/index.ts';
import { Session } from '../oci/session.ts';
import { detailed } from '../own-list.ts';
import type { OpenRegistry, RegistryKind, RegistrySettings } from '../registry.ts';
import { extensionsIn, Search } from './search.ts';

/**
 * zot: the distribution API lists its tags, signatures included; its search, where it is switched on, tells the digests
 * and dates of images, so that none has to be asked for. https://zotregistry.dev/latest/articles/graphql/
 */
export const zot: RegistryKind = {
  kind: 'ZOT',
  recognises: () => false,
  probes: [
    {
      path: '/v2/_oci/ext/discover',
      recognises: (document) => extensionsIn(document).some(({ name }) => name === '_zot'),
    },
    // Open to everybody, also where all else asks to sign in.
    { path: '/v2/_zot/ext/mgmt', recognises: (document) => 'distSpecVersion' in document },
  ],
  open: async (settings) => openZot(settings),
};

export function openZot(settings: RegistrySettings, http: HttpClient = openClient(settings)): OpenRegistry {
  const session = new Session(settings, http);
  const registry = ociRegistryOn(session);
  const search = new Search(session);
  return {
    ...registry,
    async *listTags(repository, signal) {
      const details = await search.tagsOf(repository, signal);
      yield* detailed(registry.listTags(repository, signal), details);
    },
    describeRepository: (repository, signal) => search.describe(repository, signal),
  };
}
