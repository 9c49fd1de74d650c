import type { SignIn } from './api.ts';
import { basicAuthorization } from './authorization.ts';
import type { Credential } from './registry.ts';

/** Signs in at an API with a credential as it is; null where there is none, or where it must be exchanged first. */
export function signInWith(credential: Credential | null): SignIn | null {
  if (credential?.kind === 'basic') return { authorization: () => basicAuthorization(credential) };
  if (credential?.kind === 'bearer') return { authorization: () => `Bearer ${credential.token}` };
  return null;
}
