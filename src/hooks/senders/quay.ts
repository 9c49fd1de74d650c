import { arrayOf, isObject } from '../../domain/json.ts';
import type { Sender } from '../notification.ts';
import { MAX_EVENTS, repositoryNamed, tagNamed, textIn } from '../payload.ts';

/** Quay. https://docs.quay.io/guides/notifications.html */
export const quay: Sender = {
  name: 'Quay',
  recognises: ({ payload }) => typeof payload['repository'] === 'string' && typeof payload['docker_url'] === 'string',
  read({ payload }) {
    const repository = repositoryNamed(textIn(payload, 'repository'));
    const { updated_tags: updated } = payload;
    // Older ones send the image of each tag. Scans and builds have none.
    const tags = isObject(updated) ? Object.keys(updated) : arrayOf(updated, '"updated_tags"', MAX_EVENTS);
    return tags.map((tag) => ({ repository, tag: tagNamed(tag) }));
  },
};
