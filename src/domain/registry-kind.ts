/** How a registry is spoken to, as the SDL has it. The configuration file writes them as docker-hub, oci-layout. */
export const REGISTRY_KINDS = [
  'DOCKER_HUB',
  'GHCR',
  'QUAY',
  'ECR',
  'ECR_PUBLIC',
  'ARTIFACT_REGISTRY',
  'ACR',
  'HARBOR',
  'GITLAB',
  'ARTIFACTORY',
  'GITEA',
  'ZOT',
  'OCI',
  'OCI_LAYOUT',
] as const;

export type RegistryKindName = (typeof REGISTRY_KINDS)[number];
