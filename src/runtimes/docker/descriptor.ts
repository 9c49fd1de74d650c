import type { ImagePlatform } from '../../domain/container.ts';
import { isDigest, type Digest } from '../../domain/digest.ts';
import { isObject, wordOf, type Json } from '../../domain/json.ts';

/** The manifest that a container was made of; only the containerd store tells. */
export interface ManifestDescriptor {
  readonly digest: Digest;
  readonly platform: ImagePlatform | null;
}

/** Null where there is none. */
export function readDescriptor(value: Json | undefined): ManifestDescriptor | null {
  if (!isObject(value)) return null;
  const { digest, platform } = value;
  if (typeof digest !== 'string' || !isDigest(digest)) return null;
  return { digest, platform: isObject(platform) ? readPlatform(platform) : null };
}

function readPlatform(platform: { [name: string]: Json }): ImagePlatform | null {
  const os = wordOf(platform['os']);
  const architecture = wordOf(platform['architecture']);
  if (os === null || architecture === null) return null;
  return { os, architecture, variant: wordOf(platform['variant']), osVersion: wordOf(platform['os.version']) };
}
