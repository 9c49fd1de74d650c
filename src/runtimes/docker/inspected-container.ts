import type { Mount } from '../../domain/container.ts';
import { isDigest, type Digest } from '../../domain/digest.ts';
import { cut, isObject, textOf, type Json, type JsonObject } from '../../domain/json.ts';
import { parseTimestamp } from '../../domain/timestamp.ts';
import { readDescriptor, type ManifestDescriptor } from './descriptor.ts';
import { readMounts } from './mount.ts';
import { MAX_REFERENCE, MAX_WORD, cutText } from './text.ts';

/** What only looking at a container tells. Its environment is not read. */
export interface InspectedContainer {
  /** As it was asked for. */
  readonly reference: string | null;
  readonly imageId: Digest | null;
  readonly manifest: ManifestDescriptor | null;
  readonly state: string | null;
  readonly exitCode: number | null;
  readonly createdAt: Date | null;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  readonly command: readonly string[];
  readonly mounts: readonly Mount[];
  readonly restartCount: number | null;
}

export function readInspectedContainer(document: JsonObject): InspectedContainer {
  const state = isObject(document['State']) ? document['State'] : {};
  const config = isObject(document['Config']) ? document['Config'] : {};
  const { Image: imageId } = document;
  return {
    reference: cutText(config['Image'], MAX_REFERENCE),
    imageId: typeof imageId === 'string' && isDigest(imageId) ? imageId : null,
    manifest: readDescriptor(document['ImageManifestDescriptor']),
    state: textOf(state['Status']),
    exitCode: wholeNumber(state['ExitCode']),
    createdAt: parseTimestamp(document['Created']),
    startedAt: parseTimestamp(state['StartedAt']),
    finishedAt: parseTimestamp(state['FinishedAt']),
    command: words(document['Path'], document['Args']),
    mounts: readMounts(document['Mounts']),
    restartCount: wholeNumber(document['RestartCount']),
  };
}

const MAX_WORDS = 1000;

function words(path: Json | undefined, args: Json | undefined): string[] {
  const all = [path, ...(Array.isArray(args) ? args.slice(0, MAX_WORDS) : [])];
  const texts = all.filter((word): word is string => typeof word === 'string');
  return (texts[0] === '' ? texts.slice(1) : texts).slice(0, MAX_WORDS).map((word) => cut(word, MAX_WORD));
}

/** As the API has them: of 32 bits. */
function wholeNumber(value: Json | undefined): number | null {
  return typeof value === 'number' && Number.isInteger(value) && Math.abs(value) < 2 ** 31 ? value : null;
}
