import { cut, isObject, textOf, wordOf, type Json, type JsonObject } from '../../domain/json.ts';
import { RuntimeFault } from '../runtime.ts';
import { metadataOf } from './objects.ts';

/** What a pod says of itself; its containers are read from spec and status. */
export interface Pod {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly owner: Owner | null;
  /** Null until it is scheduled. */
  readonly node: string | null;
  readonly metadata: JsonObject;
  readonly spec: JsonObject;
  readonly status: JsonObject;
}

/** What controls an object. */
export interface Owner {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

/** Throws MALFORMED for what is no pod. `endpoint` is for the message. */
export function readPod(document: Json | undefined, endpoint: string): Pod {
  const metadata = metadataOf(document);
  const uid = wordOf(metadata['uid']);
  const name = wordOf(metadata['name']);
  const namespace = wordOf(metadata['namespace']);
  if (!isObject(document) || uid === null || name === null || namespace === null) {
    throw new RuntimeFault('MALFORMED', `${endpoint}: a pod came without its uid, name or namespace.`);
  }
  const spec = objectOf(document['spec']);
  return {
    uid,
    namespace,
    name,
    labels: labelsOf(metadata['labels']),
    owner: ownerOf(metadata),
    node: wordOf(spec['nodeName']),
    metadata,
    spec,
    status: objectOf(document['status']),
  };
}

/** The one owner that controls an object; null where there is none. */
export function ownerOf(metadata: JsonObject): Owner | null {
  const references = listOf(metadata['ownerReferences']);
  const reference = references.find(({ controller }) => controller === true);
  const kind = wordOf(reference?.['kind']);
  const name = wordOf(reference?.['name']);
  const uid = wordOf(reference?.['uid']);
  if (kind === null || name === null || uid === null) return null;
  return { apiVersion: wordOf(reference?.['apiVersion']) ?? '', kind, name, uid };
}

export function objectOf(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {};
}

/** The objects of a list, as many as a pod may have of anything. */
export function listOf(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? value.slice(0, MAX_ENTRIES).filter(isObject) : [];
}

const MAX_ENTRIES = 1_000;
const MAX_LABEL_NAME = 1024;
const MAX_LABEL_VALUE = 32 * 1024;

function labelsOf(value: Json | undefined): Record<string, string> {
  const labels = Object.entries(objectOf(value))
    .filter(([name]) => name.length <= MAX_LABEL_NAME)
    .slice(0, MAX_ENTRIES)
    .map(([name, text]) => [name, cut(textOf(text) ?? '', MAX_LABEL_VALUE)] as const);
  return Object.fromEntries(labels);
}
