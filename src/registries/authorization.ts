import type { ReadyCredential } from './registry.ts';

/** https://www.rfc-editor.org/rfc/rfc7617 */
export function basicAuthorization(credential: Extract<ReadyCredential, { kind: 'basic' }>): string {
  return `Basic ${Buffer.from(`${credential.username}:${credential.password}`).toString('base64')}`;
}
