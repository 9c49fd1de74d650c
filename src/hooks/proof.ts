import { createHmac } from 'node:crypto';
import { isSameSecret } from '../domain/secret.ts';
import { signedTexts } from './document.ts';

/** Headers of a request, their names in lower case. */
export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/**
 * Whether a sender has shown, before its body is read, that it knows the secret: in the address, as a bearer token, as the
 * password of any user, as the whole of the Authorization header, or in a header for keys. One of them is enough.
 */
export function provesItself(secret: string, inPath: string | null, headers: Headers): boolean {
  const given = [inPath, ...secretsIn(textOf(headers, 'authorization')), ...KEYS.map((name) => textOf(headers, name))];
  return given.some((text) => text !== null && isSameSecret(text, secret));
}

/** Whether its body has to be read to know. A header that is there and empty signs nothing. */
export function isSigned(headers: Headers): boolean {
  return SIGNATURES.some(({ header, prefix }) => (textOf(headers, header) ?? '').length > prefix.length);
}

/** Whether the secret signs the body, by any of the ways that senders have. */
export function isSignedWith(secret: string, headers: Headers, body: Uint8Array): boolean {
  return SIGNATURES.some(({ header, prefix, algorithm }) => {
    const given = textOf(headers, header);
    if (!given?.startsWith(prefix)) return false;
    const hex = given.slice(prefix.length).toLowerCase();
    return signedTexts(headers, body).some((text) =>
      isSameSecret(hex, createHmac(algorithm, secret).update(text).digest('hex')),
    );
  });
}

/** JFrog sends its secret as it is, unless it was told to sign; the other is for who can choose a header's name. */
const KEYS = ['x-jfrog-event-auth', 'x-api-key'];

const SIGNATURES = [
  // https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries, and Gitea beside its own.
  { header: 'x-hub-signature-256', algorithm: 'sha256', prefix: 'sha256=' },
  { header: 'x-gitea-signature', algorithm: 'sha256', prefix: '' },
  { header: 'x-forgejo-signature', algorithm: 'sha256', prefix: '' },
  { header: 'x-jfrog-event-auth', algorithm: 'sha256', prefix: '' },
  // https://help.sonatype.com/en/example-headers-and-payloads.html
  { header: 'x-nexus-webhook-signature', algorithm: 'sha1', prefix: '' },
] as const;

function secretsIn(authorization: string | null): string[] {
  if (authorization === null) return [];
  const [, scheme = '', rest = ''] = /^(\S+)\s+(.*)$/.exec(authorization) ?? [];
  if (/^bearer$/i.test(scheme)) return [rest, authorization];
  if (!/^basic$/i.test(scheme)) return [authorization];
  const pair = Buffer.from(rest, 'base64').toString('utf8');
  return [pair.slice(pair.indexOf(':') + 1), authorization];
}

function textOf(headers: Headers, name: string): string | null {
  const value = headers[name];
  return typeof value === 'string' && value !== '' ? value.trim() : null;
}
