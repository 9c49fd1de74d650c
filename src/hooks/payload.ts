import { RegistryError } from '../domain/errors.ts';
import { isObject, textOf, type Json, type JsonObject } from '../domain/json.ts';
import { isTagName, parseRepositoryName, type RepositoryName, type TagName } from '../domain/reference.ts';
import type { Delivery } from './notification.ts';

/** Events of one notification: senders that collect send some dozens. */
export const MAX_EVENTS = 1000;

/** A member that has to be an object. */
export function objectIn(parent: JsonObject, name: string): JsonObject {
  const value = parent[name];
  if (isObject(value)) return value;
  throw new RegistryError('MALFORMED', `the notification has no "${name}" where it should`);
}

/** A member that has to be text. */
export function textIn(parent: JsonObject, name: string): string {
  const text = textOf(parent[name]);
  if (text !== null) return text;
  throw new RegistryError('MALFORMED', `the notification has no text as "${name}" where it should`);
}

/** A repository as its registry has it, whatever the case in which its owner is written. INVALID_REFERENCE. */
export function repositoryNamed(text: string): RepositoryName {
  return parseRepositoryName(text.toLowerCase());
}

/** Null where there is none, and where a digest or something else stands in its place. */
export function tagNamed(value: Json | undefined): TagName | null {
  return typeof value === 'string' && isTagName(value) ? value : null;
}

/** The event of a CloudEvent, whether its attributes stand in the body or in headers; null where it is none. */
export function cloudEventIn({
  headers,
  payload,
}: Delivery): { readonly type: string; readonly data: JsonObject } | null {
  const inHeader = headers['ce-type'];
  if (typeof inHeader === 'string') return { type: inHeader, data: payload };
  if (typeof payload['specversion'] !== 'string') return null;
  return { type: textIn(payload, 'type'), data: isObject(payload['data']) ? payload['data'] : {} };
}
