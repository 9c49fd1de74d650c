import type { RuntimeKind } from '../runtime.ts';
import { engineKind } from './engine.ts';

/** The Docker Engine: https://docs.docker.com/engine/ */
export const docker: RuntimeKind = engineKind('DOCKER', {
  isSilent: false,
  // Kubernetes' of the time when Docker ran its pods.
  isInfrastructure: ({ labels }) => labels['io.kubernetes.docker.type'] === 'podsandbox',
  isLocal: ({ repoDigests }) => repoDigests.length === 0,
});
