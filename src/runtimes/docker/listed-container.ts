import type { Mount, PortMapping } from '../../domain/container.ts';
import { isDigest, type Digest } from '../../domain/digest.ts';
import { cut, isObject, textOf, type Json, type JsonObject } from '../../domain/json.ts';
import { RuntimeFault } from '../runtime.ts';
import { readDescriptor, type ManifestDescriptor } from './descriptor.ts';
import { readMounts } from './mount.ts';
import { readPorts } from './port.ts';
import { MAX_REFERENCE, MAX_WORD, cutText } from './text.ts';

/** A container as the list of them tells it. https://docs.docker.com/reference/api/engine/version/v1.54/#tag/Container */
export interface ListedContainer {
  readonly id: string;
  readonly name: string;
  /** As it was asked for, or an id where that names another image by now. */
  readonly image: string;
  readonly imageId: Digest | null;
  readonly manifest: ManifestDescriptor | null;
  /** Of words with blanks between them. */
  readonly command: string | null;
  readonly createdAt: Date | null;
  readonly state: string;
  readonly status: string | null;
  readonly ports: readonly PortMapping[];
  readonly mounts: readonly Mount[];
  readonly labels: Readonly<Record<string, string>>;
}

export function isEngineId(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
}

/** Throws MALFORMED where the id is none. */
export function readListedContainer(entry: JsonObject, what: string): ListedContainer {
  const { Id: id, ImageID: imageId, Created: created } = entry;
  if (!isEngineId(id)) {
    throw new RuntimeFault('MALFORMED', `${what} lists ${cut(JSON.stringify(id ?? null), 100)}, which is no id.`);
  }
  return {
    id,
    name: nameAmong(entry['Names']) ?? id.slice(0, 12),
    image: cut(textOf(entry['Image']) ?? '', MAX_REFERENCE),
    imageId: typeof imageId === 'string' && isDigest(imageId) ? imageId : null,
    manifest: readDescriptor(entry['ImageManifestDescriptor']),
    command: cutText(entry['Command'], MAX_WORD),
    createdAt: typeof created === 'number' && created > 0 && created < 2 ** 37 ? new Date(created * 1000) : null,
    state: textOf(entry['State']) ?? '',
    status: timeless(cutText(entry['Status'], MAX_STATUS)),
    ports: readPorts(entry['Ports']),
    mounts: readMounts(entry['Mounts']),
    labels: readLabels(entry['Labels']),
  };
}

const MAX_STATUS = 1024;
const MAX_LABELS = 1000;
const MAX_LABEL_NAME = 1024;
const MAX_LABEL = 32 * 1024;

/** "Up 3 days (healthy)" and "Exited (137) 4 hours ago" without the times, which are other ones a moment later. */
function timeless(status: string | null): string | null {
  const [, word, rest = ''] = /^(Up|Exited|Restarting)\b(.*)$/.exec(status ?? '') ?? [];
  return word === undefined ? status : [word, ...(rest.match(/\([^)]*\)/g) ?? [])].join(' ');
}

/** Its own name begins with a slash; those that links of others gave it have a second one. */
function nameAmong(names: Json | undefined): string | null {
  const texts = (Array.isArray(names) ? names : []).filter((name): name is string => typeof name === 'string');
  const own = texts.find((name) => !name.slice(1).includes('/')) ?? texts[0];
  return own === undefined ? null : cutText(own.replace(/^\//, ''), 255);
}

/** Those of the image are among them. */
function readLabels(value: Json | undefined): Record<string, string> {
  if (!isObject(value)) return {};
  const texts = Object.entries(value).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string' && entry[0].length <= MAX_LABEL_NAME,
  );
  return Object.fromEntries(texts.slice(0, MAX_LABELS).map(([name, text]) => [name, cut(text, MAX_LABEL)]));
}
