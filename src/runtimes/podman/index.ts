import { engineKind } from '../docker/engine.ts';
import type { RuntimeKind } from '../runtime.ts';

/**
 * Podman, by the API that it has in common with the Docker Engine. Names are always whole: docker.io/library/nginx:1.27.
 * https://docs.podman.io/en/latest/markdown/podman-system-service.1.html
 */
export const podman: RuntimeKind = engineKind('PODMAN', {
  isSilent: true,
  isInfrastructure: ({ name }, reference) => INFRA_NAME.test(name) || PAUSE.test(reference),
  // What was built here has digests too, under the names that were given here.
  isLocal: ({ repoTags, repoDigests }) => [...repoTags, ...repoDigests].every((name) => name.startsWith('localhost/')),
});

/** The first digits of the pod's id: 6b9064c15178-infra. */
const INFRA_NAME = /^[0-9a-f]{12}-infra$/;
/** localhost/podman-pause:4.3.1-0, or k8s.gcr.io/pause:3.5 of older ones. */
const PAUSE = /^(localhost\/podman-pause|(registry\.)?k8s\.(gcr\.)?io\/pause):/;
