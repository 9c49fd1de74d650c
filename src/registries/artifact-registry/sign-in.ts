import { RegistryError } from '../../domain/errors.ts';
import {
  givenCredential,
  issuedCredentials,
  type CredentialSource,
  type IssuedCredential,
} from '../oci/credential-source.ts';
import type { RegistrySettings } from '../registry.ts';

/**
 * The worker's own identity signs in with an access token. The users _json_key, _json_key_base64 and oauth2accesstoken
 * sign in as they are, with a key or a token as password.
 * https://cloud.google.com/artifact-registry/docs/docker/authentication
 */
export function googleCredentials(settings: RegistrySettings): CredentialSource {
  if (settings.credential?.kind !== 'ambient') return givenCredential(settings);
  return issuedCredentials(settings, () => issueAccessToken(settings.host));
}

const SCOPE = 'https://www.googleapis.com/auth/cloud-platform';
/** Where the library does not say; an access token is good for an hour. */
const ASSUMED_LIFETIME = 5 * 60_000;

/** Of the environment, of the user who signed in with gcloud, of the workload or of the machine, whichever is first. */
async function issueAccessToken(host: string): Promise<IssuedCredential> {
  // Only where it is needed: it takes a tenth of a second and 20 MB.
  const { GoogleAuth } = await import('google-auth-library');
  try {
    const client = await new GoogleAuth({ scopes: SCOPE }).getClient();
    const { token } = await client.getAccessToken();
    if (!token) throw new Error('the token is empty');
    const expiresAt = new Date(client.credentials.expiry_date ?? Date.now() + ASSUMED_LIFETIME);
    return { credential: { kind: 'basic', username: 'oauth2accesstoken', password: token }, expiresAt };
  } catch (error) {
    const { status = 0 } = error as { status?: number };
    const [code, what] =
      status >= 500
        ? (['UNAVAILABLE', `Google gives the worker no token (${status})`] as const)
        : (['UNAUTHORIZED', 'the worker finds no identity at Google that it could sign in with'] as const);
    throw new RegistryError(code, `${host}: ${what}`, { cause: error });
  }
}
