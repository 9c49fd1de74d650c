import type { DefaultAzureCredential } from '@azure/identity';
import { RegistryError } from '../../domain/errors.ts';
import { textOf } from '../../domain/json.ts';
import type { HttpClient } from '../../http/index.ts';
import { errorOf, jsonOf } from '../answer.ts';
import {
  givenCredential,
  issuedCredentials,
  type CredentialSource,
  type IssuedCredential,
} from '../oci/credential-source.ts';
import type { RegistrySettings } from '../registry.ts';

/**
 * A service principal, an admin user and a token sign in as they are. The null GUID means that the password is a
 * refresh token; the worker's own identity is exchanged for one.
 * https://learn.microsoft.com/en-us/azure/container-registry/container-registry-authentication
 */
export function acrCredentials(settings: RegistrySettings, http: HttpClient): CredentialSource {
  const { credential } = settings;
  if (credential?.kind === 'ambient') {
    return issuedCredentials(settings, (signal) => exchangeIdentity(settings, http, signal));
  }
  if (credential?.kind === 'basic' && credential.username === NULL_GUID) {
    return givenCredential({ ...settings, credential: { kind: 'identity', token: credential.password } });
  }
  return givenCredential(settings);
}

const NULL_GUID = '00000000-0000-0000-0000-000000000000';
const MAX_ANSWER = 1024 * 1024;
/** Azure does not say how long a refresh token is good for; it is for three hours. */
const KEPT_FOR = 60 * 60_000;

/** https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md#calling-post-oauth2exchange-to-get-an-acr-refresh-token */
async function exchangeIdentity(
  { host, url }: RegistrySettings,
  http: HttpClient,
  signal: AbortSignal,
): Promise<IssuedCredential> {
  const token = await identityToken(host, signal);
  const answer = await http.send(
    {
      method: 'POST',
      isQuestion: true,
      origin: url.origin,
      path: '/oauth2/exchange',
      headers: ['accept', 'application/json', 'content-type', 'application/x-www-form-urlencoded'],
      authorization: null,
      body: new URLSearchParams({ grant_type: 'access_token', service: host, access_token: token }).toString(),
      maxBytes: MAX_ANSWER,
    },
    signal,
  );
  const what = `POST ${url.origin}/oauth2/exchange`;
  if (answer.status !== 200) throw errorOf(answer, what);
  const refreshToken = textOf(jsonOf(answer, what)['refresh_token']);
  if (refreshToken === null) throw new RegistryError('UNAUTHORIZED', `${what}: there is no token in the answer`);
  return { credential: { kind: 'identity', token: refreshToken }, expiresAt: new Date(Date.now() + KEPT_FOR) };
}

interface Cloud {
  readonly domain: string;
  readonly audience: string;
  readonly authority: string;
}

/** https://learn.microsoft.com/en-us/azure/azure-government/compare-azure-government-global-azure */
const CLOUDS: readonly [Cloud, ...Cloud[]] = [
  {
    domain: '.azurecr.io',
    audience: 'https://containerregistry.azure.net/.default',
    authority: 'https://login.microsoftonline.com',
  },
  {
    domain: '.azurecr.cn',
    audience: 'https://management.chinacloudapi.cn/.default',
    authority: 'https://login.chinacloudapi.cn',
  },
  {
    domain: '.azurecr.us',
    audience: 'https://management.usgovcloudapi.net/.default',
    authority: 'https://login.microsoftonline.us',
  },
];

/** Keeps its tokens itself. */
let identity: { readonly authority: string; readonly credential: DefaultAzureCredential } | null = null;

async function identityToken(host: string, signal: AbortSignal): Promise<string> {
  const { audience, authority } = CLOUDS.find(({ domain }) => host.endsWith(domain)) ?? CLOUDS[0];
  // Only where it is needed: it takes half a second and 40 MB.
  const { DefaultAzureCredential } = await import('@azure/identity');
  if (identity?.authority !== authority) {
    identity = { authority, credential: new DefaultAzureCredential({ authorityHost: authority }) };
  }
  try {
    return (await identity.credential.getToken(audience, { abortSignal: signal })).token;
  } catch (error) {
    throw new RegistryError(
      'UNAUTHORIZED',
      `${host}: the worker finds no identity at Azure that it could sign in with`,
      {
        cause: error,
      },
    );
  }
}
