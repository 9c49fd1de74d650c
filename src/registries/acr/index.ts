import { RegistryError } from '../../domain/errors.ts';
import { isTagName } from '../../domain/reference.ts';
import type { HttpClient } from '../../http/index.ts';
import { openClient } from '../client.ts';
import { deleteManifest } from '../oci/deletion.ts';
import { ociRegistryOn } from '../oci/index.ts';
import { LARGE_PAGE, listItems } from '../oci/listing.ts';
import { Session } from '../oci/session.ts';
import type { OpenRegistry, RegistryKind, RegistrySettings } from '../registry.ts';
import { acrCredentials } from './sign-in.ts';
import { tagPath, tagsOf } from './tags.ts';

/**
 * Azure Container Registry: tags with digests and dates, and their deletion, by its own API, the rest by the
 * distribution API. https://learn.microsoft.com/en-us/rest/api/containerregistry/
 */
export const acr: RegistryKind = {
  kind: 'ACR',
  recognises: (url) => isAcr(url.hostname),
  takesAmbient: (url) => isAcr(url.hostname),
  open: async (settings) => openAcr(settings),
};

export function openAcr(settings: RegistrySettings, http: HttpClient = openClient(settings)): OpenRegistry {
  const session = new Session(settings, http, acrCredentials(settings, http));
  const registry = ociRegistryOn(session);
  const pageSize = { names: LARGE_PAGE };
  const resolve: OpenRegistry['resolveManifest'] = (...asked) => registry.resolveManifest(...asked);
  return {
    ...registry,
    async *listTags(repository, signal) {
      try {
        yield* listItems(session, tagsOf(repository), pageSize, signal);
      } catch (error) {
        // A token that is for pulling only may not read metadata.
        if (!(error instanceof RegistryError) || !WITHHELD.has(error.code)) throw error;
        yield* registry.listTags(repository, signal);
      }
    },
    deleteManifest(repository, target, signal) {
      // By a tag's name the distribution API would delete the manifest here, with all its tags.
      const path = isTagName(target) ? tagPath(repository, target) : undefined;
      return deleteManifest(session, { resolve }, repository, target, signal, path);
    },
  };
}

const WITHHELD: ReadonlySet<string> = new Set(['UNAUTHORIZED', 'FORBIDDEN']);

function isAcr(hostname: string): boolean {
  return /^[a-z0-9-]{5,63}\.azurecr\.(io|cn|us)$/.test(hostname);
}
