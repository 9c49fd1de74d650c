import { isTagName } from '../../domain/reference.ts';
import type { HttpClient } from '../../http/index.ts';
import { openClient } from '../client.ts';
import { ociRegistryOn } from '../oci/index.ts';
import { Session } from '../oci/session.ts';
import type { OpenRegistry, RegistryKind, RegistrySettings } from '../registry.ts';
import { isGoogle, isKubernetes, isMirror } from './host.ts';
import { googleCredentials } from './sign-in.ts';
import { listPages, listRepositories } from './tags.ts';

/**
 * Google's Artifact Registry and gcr.io, which it serves, and registry.k8s.io, which leads to it. Where they are asked
 * for tags they tell digests, dates and the repositories below. https://cloud.google.com/artifact-registry/docs/docker
 */
export const artifactRegistry: RegistryKind = {
  kind: 'ARTIFACT_REGISTRY',
  recognises: (url) => isGoogle(url.hostname) || isKubernetes(url.hostname),
  takesAmbient: (url) => isGoogle(url.hostname),
  open: async (settings) => openArtifactRegistry(settings),
};

export function openArtifactRegistry(
  settings: RegistrySettings,
  http: HttpClient = openClient(settings),
): OpenRegistry {
  const session = new Session(settings, http, googleCredentials(settings));
  const registry = ociRegistryOn(session);
  return {
    ...registry,
    isMirror: isMirror(settings.host),
    async *listTags(repository, signal) {
      for await (const { tags } of listPages(session, repository, signal)) yield tags;
    },
    listRepositories: (prefix, signal) => listRepositories(session, prefix, signal),
    /** A manifest that still has a tag is not deleted, so its tags go first. */
    async deleteManifest(repository, target, signal) {
      if (!isTagName(target)) {
        for await (const { tags } of listPages(session, repository, signal)) {
          for (const { name, digest } of tags) {
            if (digest === target) await registry.deleteManifest?.(repository, name, signal);
          }
        }
      }
      await registry.deleteManifest?.(repository, target, signal);
    },
  };
}
