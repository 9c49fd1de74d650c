import { chainIds } from '../../domain/chain-id.ts';
import type { ImagePlatform } from '../../domain/container.ts';
import { isDigest, type Digest } from '../../domain/digest.ts';
import { isObject, wordOf, type Json, type JsonObject } from '../../domain/json.ts';

/** What an engine tells of an image that it has. */
export interface InspectedImage {
  /** name@digest, as often as it was pulled or pushed; with the containerd store also for what was built here. */
  readonly repoDigests: readonly string[];
  /** Of the containerd store: what the names point to, an index as a rule. The image's id is the digest of that. */
  readonly target: Digest | null;
  /** Bottom first. */
  readonly diffIds: readonly Digest[];
  /** The chain id of the whole stack; null for one without layers. */
  readonly chainId: Digest | null;
  readonly platform: ImagePlatform | null;
}

export function readInspectedImage(document: JsonObject): InspectedImage {
  const descriptor = isObject(document['Descriptor']) ? document['Descriptor'] : {};
  const rootfs = isObject(document['RootFS']) ? document['RootFS'] : {};
  const diffIds = texts(rootfs['Layers']);
  const areDigests = diffIds.every(isDigest);
  const os = wordOf(document['Os']);
  const architecture = wordOf(document['Architecture']);
  const { digest } = descriptor;
  return {
    repoDigests: names(document['RepoDigests']),
    target: typeof digest === 'string' && isDigest(digest) ? digest : null,
    diffIds: areDigests ? diffIds : [],
    chainId: areDigests ? (chainIds(diffIds).at(-1) ?? null) : null,
    platform:
      os === null || architecture === null
        ? null
        : { os, architecture, variant: wordOf(document['Variant']), osVersion: wordOf(document['OsVersion']) },
  };
}

/** Older engines write <none> for nothing. */
export function names(value: Json | undefined): string[] {
  return texts(value).filter((name) => !name.startsWith('<none>'));
}

const MAX_TEXTS = 1000;

function texts(value: Json | undefined): string[] {
  if (!Array.isArray(value)) return [];
  return value.slice(0, MAX_TEXTS).filter((text): text is string => typeof text === 'string');
}
