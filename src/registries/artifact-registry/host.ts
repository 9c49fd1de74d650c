/**
 * europe-west1-docker.pkg.dev and its siblings, gcr.io and those below it.
 * https://cloud.google.com/artifact-registry/docs/transition/setup-gcr-repo
 */
export function isGoogle(hostname: string): boolean {
  return hostname === 'gcr.io' || hostname.endsWith('.gcr.io') || isPkgDev(hostname);
}

/** Where images are named project/repository/image, and not project/image. */
export function isPkgDev(hostname: string): boolean {
  return hostname.endsWith('-docker.pkg.dev');
}

/** It sends whoever asks for a manifest or for tags to Artifact Registry. https://github.com/kubernetes/registry.k8s.io */
export function isKubernetes(hostname: string): boolean {
  return hostname === 'registry.k8s.io';
}

/**
 * Keeps what was asked for lately of Docker Hub, and no more: what is not there is no proof of anything.
 * https://cloud.google.com/artifact-registry/docs/pull-cached-dockerhub-images
 */
export function isMirror(hostname: string): boolean {
  return hostname === 'mirror.gcr.io';
}
