import { arrayOf, isObject, textOf, type JsonObject } from '../../domain/json.ts';
import { isManifestType } from '../../domain/media-type.ts';
import type { Mention, Sender } from '../notification.ts';
import { MAX_EVENTS, objectIn, repositoryNamed, tagNamed, textIn } from '../payload.ts';

/** The distribution registry, and what is built of it, such as GitLab's: an envelope of events of all kinds. */
export const distribution: Sender = {
  name: 'distribution',
  recognises: ({ payload }) => 'events' in payload,
  read: ({ payload }) =>
    arrayOf(payload['events'], '"events"', MAX_EVENTS).flatMap((event) => mentionsOf(objectOf(event))),
};

/** What one event is about. https://distribution.github.io/distribution/about/notifications/ */
export function mentionsOf(event: JsonObject): Mention[] {
  const action = textIn(event, 'action');
  if (action === 'pull' || action === 'mount') return [];
  const target = objectIn(event, 'target');
  const tag = tagNamed(target['tag']);
  // A layer that is pushed is an event like any other.
  if (action === 'push' && tag === null && !isManifestType(textOf(target['mediaType']) ?? '')) return [];
  return [{ repository: repositoryNamed(textIn(target, 'repository')), tag }];
}

function objectOf(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}
