import type { Mount } from '../../domain/container.ts';
import { isObject, textOf, wordOf, type Json, type JsonObject } from '../../domain/json.ts';
import { MAX_WORD, cutText } from './text.ts';

export function readMounts(value: Json | undefined): Mount[] {
  return (Array.isArray(value) ? value.slice(0, MAX_MOUNTS).filter(isObject) : []).flatMap(readMount);
}

const MAX_MOUNTS = 1000;

/** A volume is known by its name rather than by the folder that the engine keeps it in. */
function readMount(mount: JsonObject): Mount[] {
  const destination = cutText(mount['Destination'], MAX_WORD);
  if (destination === null) return [];
  const type = wordOf(mount['Type']) ?? 'bind';
  const name = type === 'volume' ? textOf(mount['Name']) : null;
  const source = cutText(name ?? mount['Source'], MAX_WORD);
  return [{ type, source, destination, readOnly: mount['RW'] === false }];
}
