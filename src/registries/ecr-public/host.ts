/** Amazon's one public registry, also by its name for IPv4 and IPv6. */
export function isPublicEcr(hostname: string): boolean {
  return hostname === 'public.ecr.aws' || hostname === 'ecr-public.aws.com';
}
