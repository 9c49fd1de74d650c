import { arrayOf, isObject, textOf, type JsonObject } from '../../domain/json.ts';
import type { Delivery, Sender } from '../notification.ts';
import { cloudEventIn, MAX_EVENTS, objectIn, repositoryNamed, tagNamed, textIn } from '../payload.ts';

/** Harbor, in its own form or as CloudEvents. https://goharbor.io/docs/main/working-with-projects/project-configuration/configure-webhooks/ */
export const harbor: Sender = {
  name: 'Harbor',
  recognises: (delivery) => eventIn(delivery) !== null,
  read(delivery) {
    const event = eventIn(delivery);
    if (event === null || !CHANGES.has(event.type)) return [];
    const repository = repositoryNamed(textIn(objectIn(event.data, 'repository'), 'repo_full_name'));
    const resources = arrayOf(event.data['resources'], '"resources"', MAX_EVENTS);
    // Where it was pushed by digest, the digest stands as its tag.
    return resources.map((resource) => ({ repository, tag: isObject(resource) ? tagNamed(resource['tag']) : null }));
  },
};

/** Of Harbor 2, of Harbor 1, and of CloudEvents. */
const CHANGES = new Set([
  'PUSH_ARTIFACT',
  'DELETE_ARTIFACT',
  'pushImage',
  'deleteImage',
  'harbor.artifact.pushed',
  'harbor.artifact.deleted',
]);

function eventIn(delivery: Delivery): { readonly type: string; readonly data: JsonObject } | null {
  const { event_data: data, type } = delivery.payload;
  if (isObject(data)) return { type: textOf(type) ?? '', data };
  const event = cloudEventIn(delivery);
  return event?.type.startsWith('harbor.') ? event : null;
}
