import { execFileSync } from 'node:child_process';
import { createSign, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

/** A token service that a real registry trusts, for one account. */
export interface TokenServer {
  /** What the registry is started with. */
  readonly environment: Readonly<Record<string, string>>;
  /** Scopes that were asked for, with whether that was by the account. */
  readonly asked: { readonly scope: string; readonly isAccount: boolean }[];
  close(): Promise<void>;
}

const SERVICE = 'stowage-test';
const ISSUER = 'stowage-test-issuer';

/**
 * Gives the account what it asks for, and anybody else nothing: as services do, by a token that allows nothing. Wrong
 * passwords are refused. https://github.com/distribution/distribution/blob/main/docs/content/spec/auth/token.md
 */
export async function startTokenServer(
  folder: string,
  account: { readonly username: string; readonly password: string },
): Promise<TokenServer> {
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  const subject = ['-subj', '/CN=stowage-test', '-days', '2'];
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', certificate, ...subject],
    { stdio: 'ignore' },
  );
  const privateKey = readFileSync(key, 'utf8');
  const der = readFileSync(certificate, 'utf8').replace(/-----[^-]+-----|\s/g, '');
  const expected = `Basic ${Buffer.from(`${account.username}:${account.password}`).toString('base64')}`;
  const asked: { scope: string; isAccount: boolean }[] = [];

  const server = createServer((request, response) => {
    const { authorization } = request.headers;
    if (authorization !== undefined && authorization !== expected) {
      response.writeHead(401, { 'content-type': 'application/json' });
      response.end('{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}');
      return;
    }
    const isAccount = authorization === expected;
    const scopes = new URL(request.url ?? '', 'http://localhost').searchParams.getAll('scope');
    for (const scope of scopes) asked.push({ scope, isAccount });
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ token: tokenFor(isAccount ? scopes : []) }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  function tokenFor(scopes: readonly string[]): string {
    const access = scopes.flatMap((text) =>
      text.split(' ').map((scope) => {
        const [type, name, actions = ''] = scope.split(':');
        return { type, name, actions: actions.split(',') };
      }),
    );
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: ISSUER, sub: account.username, aud: SERVICE, iat: now, nbf: now - 10, exp: now + 300 };
    const parts = [
      { typ: 'JWT', alg: 'RS256', x5c: [der] },
      { ...claims, jti: randomUUID(), access },
    ];
    const signed = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    return `${signed}.${createSign('RSA-SHA256').update(signed).sign(privateKey, 'base64url')}`;
  }

  return {
    environment: {
      TOKEN_REALM: `http://127.0.0.1:${port}/token`,
      TOKEN_SERVICE: SERVICE,
      TOKEN_ISSUER: ISSUER,
      TOKEN_CERTS: certificate,
    },
    asked,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
