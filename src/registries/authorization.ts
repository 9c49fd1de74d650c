import type { Credential } from './registry.ts';

/** https://www.rfc-editor.org/rfc/rfc7617 */
export function basicAuthorization(credential: Extract<Credential, { kind: 'basic' }>): string {
  return `Basic ${Buffer.from(`${credential.username}:${credential.password}`).toString('base64')}`;
}
