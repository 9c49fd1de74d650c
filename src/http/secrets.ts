/**
 * A body that explains an error, without what the request was signed in with: servers repeat it, in the header's form or
 * plain, and what they say is shown to people.
 */
export function withoutSecrets(body: Buffer, authorization: string | null, form: string | undefined): Buffer {
  const secrets = [...secretsOfHeader(authorization ?? ''), ...secretsOfForm(form ?? '')];
  const found = secrets.filter((secret) => secret !== '' && body.includes(secret));
  if (found.length === 0) return body;
  return Buffer.from(
    found.reduce((text, secret) => text.replaceAll(secret, '***'), body.toString('latin1')),
    'latin1',
  );
}

function secretsOfHeader(authorization: string): string[] {
  const [scheme = '', value = ''] = authorization.split(' ');
  if (scheme.toLowerCase() !== 'basic') return [value];
  const plain = Buffer.from(value, 'base64').toString('latin1');
  return [value, plain.slice(plain.indexOf(':') + 1)];
}

function secretsOfForm(form: string): string[] {
  const members = new URLSearchParams(form);
  return SECRET_MEMBERS.flatMap((name) => members.getAll(name));
}

/** https://www.rfc-editor.org/rfc/rfc6749 */
const SECRET_MEMBERS = ['password', 'refresh_token', 'access_token', 'client_secret'];
