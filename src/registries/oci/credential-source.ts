import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { CatalogError } from '../../domain/errors.ts';
import { unlessAborted, withinTime } from '../deadline.ts';
import type { ReadyCredential, RegistrySettings } from '../registry.ts';

/** Where a session has its credential from. */
export interface CredentialSource {
  /**
   * What to sign in with; null is anonymous. `refused` is what the registry or its token service has just refused: the
   * source answers with another one where it can get one, else with the same.
   */
  current(signal: AbortSignal, refused?: ReadyCredential): ReadyCredential | null | Promise<ReadyCredential>;
}

/** The credential of the settings, always the same. Throws INVALID_ARGUMENT for one that must be issued first. */
export function givenCredential({ host, credential }: RegistrySettings): CredentialSource {
  if (credential?.kind === 'ambient') {
    throw new CatalogError(
      'INVALID_ARGUMENT',
      `${host} is of a kind that the machine's own identity can't sign in at.`,
    );
  }
  return { current: () => credential };
}

/** A credential that was given for a time. */
export interface IssuedCredential {
  readonly credential: ReadyCredential;
  readonly expiresAt: Date;
}

/**
 * Credentials that a cloud issues for those of the settings. Each is kept in memory until shortly before it expires,
 * also when the registry is closed and opened again, and all who wait for one share the request. That is cut off after
 * half a minute; one who gives up earlier does not take it from the others.
 */
export function issuedCredentials(
  settings: RegistrySettings,
  issue: (signal: AbortSignal) => Promise<IssuedCredential>,
): CredentialSource {
  const place = placeOf(settings);

  async function renew(): Promise<ReadyCredential> {
    const issued = await withinTime(LONGEST_ISSUE, `to issue a credential for ${settings.host}`, null, issue);
    place.kept = { ...issued, issuedAt: Date.now() };
    return issued.credential;
  }

  return {
    current(signal, refused) {
      const { kept } = place;
      const now = Date.now();
      // One that was just issued is refused for what it is, not for its age: the next would be, too.
      const isRefused = kept !== null && kept.credential === refused && now - kept.issuedAt > FRESH;
      if (kept !== null && !isRefused && kept.expiresAt.getTime() - SAFETY > now) return kept.credential;
      place.pending ??= renew().finally(() => (place.pending = null));
      return unlessAborted(place.pending, signal);
    },
  };
}

const LONGEST_ISSUE = 30_000;
/** Longer than a request takes that is sent with it. */
const SAFETY = 2 * 60_000;
const FRESH = 60_000;

interface Place {
  kept: (IssuedCredential & { readonly issuedAt: number }) | null;
  pending: Promise<ReadyCredential> | null;
}

const places = new LRUCache<string, Place>({ max: 1000 });

function placeOf({ host, url, credential }: RegistrySettings): Place {
  const key = createHash('sha256')
    .update(JSON.stringify([host, url.href, credential]))
    .digest('base64');
  const known = places.get(key);
  if (known) return known;
  const place = { kept: null, pending: null };
  places.set(key, place);
  return place;
}
