import { annotatedBases } from '../domain/base-claim.ts';
import { isDigest, type Digest } from '../domain/digest.ts';
import { RegistryError } from '../domain/errors.ts';
import { stackLayers } from '../domain/image.ts';
import { parseImageConfig } from '../domain/image-config.ts';
import { attestedBy, parseManifest, type IndexEntry, type IndexManifest, type Manifest } from '../domain/manifest.ts';
import { isUnknownPlatform, satisfies, type WantedPlatform } from '../domain/platform.ts';
import type { RepositoryName } from '../domain/reference.ts';
import type { KnownManifest, ManifestContent } from '../catalog/write/index.ts';
import type { OpenRegistry } from '../registries/registry.ts';
import { fetchDocument } from './fetch-document.ts';
import { fetchProvenance, type Provenance } from './fetch-provenance.ts';
import { inParallel } from '../domain/in-parallel.ts';

export interface Collection {
  /** New to the catalog; whatever they refer to is here or in the catalog, or is not to be had. */
  readonly contents: readonly ManifestContent[];
  /** In the catalog already, and so not fetched. */
  readonly relied: ReadonlySet<Digest>;
  /** What came of each digest that was asked for. */
  readonly outcomes: ReadonlyMap<Digest, Outcome>;
  /** What could not be read of a manifest that is cataloged all the same. */
  readonly flaws: readonly Flaw[];
}

export interface Flaw {
  readonly digest: Digest;
  readonly error: RegistryError;
}

export interface Outcome {
  /** The manifests reached, itself included. */
  readonly reached: readonly Digest[];
  /** The first fault on the way; null when all is here. */
  readonly fault: RegistryError | null;
}

export interface CollectSettings {
  readonly registry: OpenRegistry;
  readonly repository: RepositoryName;
  /** Members of indexes for other platforms are left; empty means all. */
  readonly platforms: readonly WantedPlatform[];
  /** Which of these digests the catalog has. */
  readonly known: (digests: readonly Digest[]) => Promise<ReadonlyMap<Digest, KnownManifest>>;
  readonly parallel: number;
  readonly signal: AbortSignal;
}

const MAX_DEPTH = 4;
const MAX_MANIFESTS = 1000;
const MAX_BYTES = 32 * 1024 * 1024;

/**
 * Follows these digests down to images, fetching only what the catalog does not have. Level by level, so that the
 * catalog is asked once for each. A member that the registry does not have is left out: its index stands without it. A
 * member that is wrong is a fault of all that reach it. Manifests and bytes are bounded for the call. `subjects` has what
 * some of the digests are about, should their documents not say it themselves.
 */
export async function collectManifests(
  settings: CollectSettings,
  digests: readonly Digest[],
  subjects?: ReadonlyMap<Digest, Digest>,
): Promise<Collection> {
  const contents: ManifestContent[] = [];
  const relied = new Set<Digest>();
  const members = new Map<Digest, readonly Digest[]>();
  const faults = new Map<Digest, RegistryError>();
  const flaws: Flaw[] = [];
  let bytes = 0;

  let level = new Map<Digest, Named>(
    digests.map((digest) => [digest, { ...TOP, subject: subjects?.get(digest) ?? null }]),
  );
  for (let depth = 0; level.size > 0; depth++) {
    const known = await settings.known([...level.keys()]);
    for (const digest of known.keys()) relied.add(digest);
    const next = new Map<Digest, Named>();
    await inParallel([...level], settings.parallel, async ([digest, named]) => {
      members.set(digest, []);
      try {
        checkBounds(depth);
        const manifest = known.has(digest)
          ? readKnown(known.get(digest) as KnownManifest)
          : await fetchOne(settings, digest, named, { record, flaws });
        if (manifest?.kind === 'INDEX') follow(digest, manifest);
      } catch (error) {
        settings.signal.throwIfAborted();
        if (!(error instanceof RegistryError)) throw error;
        faults.set(digest, error);
      }
    });
    level = next;

    function follow(digest: Digest, index: IndexManifest): void {
      const listed = membersOf(index, settings.platforms);
      members.set(
        digest,
        listed.map((member) => member.digest),
      );
      for (const member of listed) if (!members.has(member.digest)) next.set(member.digest, member);
    }
  }
  const outcomes = new Map(digests.map((digest) => [digest, outcomeOf(digest, members, faults)]));
  return { contents, relied, outcomes, flaws };

  function record(content: ManifestContent, size: number): void {
    contents.push(content);
    bytes += size;
  }

  function checkBounds(depth: number): void {
    if (depth >= MAX_DEPTH)
      throw new RegistryError('TOO_LARGE', `indexes stand in each other more than ${MAX_DEPTH} deep`);
    if (contents.length >= MAX_MANIFESTS)
      throw new RegistryError('TOO_LARGE', `more than ${MAX_MANIFESTS} manifests at once`);
    if (bytes > MAX_BYTES) throw new RegistryError('TOO_LARGE', `manifests of more than ${MAX_BYTES} bytes at once`);
  }
}

/** Of those that were asked for, those that all is here of. */
export function soundDigests({ outcomes }: Collection): Digest[] {
  return [...outcomes].flatMap(([digest, { fault }]) => (fault === null ? [digest] : []));
}

/** How an index names a member; a digest that was asked for is named by nothing. */
interface Named {
  readonly mediaType: string | null;
  readonly subject: Digest | null;
  readonly isMember: boolean;
}

const TOP: Named = { mediaType: null, subject: null, isMember: false };

/** Of what the catalog has, only an index may lead to something that it does not have. */
function readKnown({ rawIndex, mediaType }: KnownManifest): Manifest | null {
  return rawIndex && parseManifest(rawIndex, mediaType);
}

interface Basket {
  readonly record: (content: ManifestContent, size: number) => void;
  readonly flaws: Flaw[];
}

/** Null where a member is not to be had. */
async function fetchOne(
  settings: CollectSettings,
  digest: Digest,
  named: Named,
  { record, flaws }: Basket,
): Promise<Manifest | null> {
  const { registry, repository, signal } = settings;
  const fetched = await registry.fetchManifest(repository, digest, signal).catch((error: unknown) => {
    if (named.isMember && error instanceof RegistryError && error.code === 'NOT_FOUND') return null;
    throw error;
  });
  if (fetched === null) return null;

  const { raw } = fetched;
  const manifest = parseManifest(raw, named.mediaType ?? fetched.mediaType);
  // An index under a tag that is named after its subject only lists what refers to that; and nothing is about itself.
  const isNoReferrer = (manifest.kind === 'INDEX' && !named.isMember) || named.subject === digest;
  const subject = manifest.subject ?? (isNoReferrer ? null : named.subject);
  const base = { digest, raw, subject, claims: annotatedBases(digest, manifest) };
  if (manifest.kind === 'IMAGE') {
    const config = await fetchDocument(settings, manifest.config, 'image configuration');
    const configuration = parseImageConfig(config);
    const layers = stackLayers(manifest, configuration);
    record({ ...base, manifest, configuration, layers }, raw.length + config.length);
  } else if (manifest.kind === 'ARTIFACT') {
    const { claims, size } = await fetchProvenance(settings, manifest, subject).catch((error: unknown): Provenance => {
      settings.signal.throwIfAborted();
      // What may be there a moment later is fetched with the tag, when that is tried again.
      if (!(error instanceof RegistryError) || error.isTransient) throw error;
      flaws.push({ digest, error });
      return { claims: [], size: 0 };
    });
    record({ ...base, manifest, claims }, raw.length + size);
  } else {
    record({ ...base, manifest }, raw.length);
  }
  return manifest;
}

type Member = Named & { readonly digest: Digest };

/** The members to follow: of wanted platforms, with the attestations of those, and all that have no platform. */
function membersOf(index: IndexManifest, platforms: readonly WantedPlatform[]): Member[] {
  const kept = new Set<string>();
  const members: Member[] = [];
  for (const entry of index.entries) {
    if (!isDigest(entry.digest)) continue;
    const subject = attestedBy(entry);
    if (!isWanted(entry, subject, platforms, kept)) continue;
    kept.add(entry.digest);
    members.push({ digest: entry.digest, mediaType: entry.mediaType, subject, isMember: true });
  }
  return members;
}

function isWanted(
  { platform }: IndexEntry,
  subject: Digest | null,
  platforms: readonly WantedPlatform[],
  kept: ReadonlySet<string>,
): boolean {
  if (platforms.length === 0) return true;
  if (subject !== null) return kept.has(subject);
  if (platform === null || isUnknownPlatform(platform)) return true;
  return platforms.some((wanted) => satisfies(platform, wanted));
}

function outcomeOf(
  top: Digest,
  members: ReadonlyMap<Digest, readonly Digest[]>,
  faults: ReadonlyMap<Digest, RegistryError>,
): Outcome {
  const reached = new Set<Digest>([top]);
  for (const digest of reached) for (const member of members.get(digest) ?? []) reached.add(member);
  const faulty = [...reached].find((digest) => faults.has(digest));
  return { reached: [...reached], fault: (faulty && faults.get(faulty)) ?? null };
}
