import type { Sender } from '../notification.ts';
import { cloudEventIn, repositoryNamed, tagNamed, textIn } from '../payload.ts';

/** zot. https://zotregistry.dev/latest/articles/events/ */
export const zot: Sender = {
  name: 'zot',
  recognises: (delivery) => cloudEventIn(delivery)?.type.startsWith('zotregistry.') ?? false,
  read(delivery) {
    const event = cloudEventIn(delivery);
    // The others are scans, lint, and repositories that have nothing yet.
    if (event === null || !/^zotregistry\.image\.(updated|deleted)$/.test(event.type)) return [];
    return [{ repository: repositoryNamed(textIn(event.data, 'name')), tag: tagNamed(event.data['reference']) }];
  },
};
