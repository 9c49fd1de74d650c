import type { Sender } from '../notification.ts';
import { objectIn, repositoryNamed, tagNamed, textIn } from '../payload.ts';

/** Gitea and Forgejo, which send GitHub's headers as well. https://docs.gitea.com/usage/webhooks */
export const gitea: Sender = {
  name: 'Gitea',
  recognises: ({ headers }) => EVENTS.some((name) => typeof headers[name] === 'string'),
  read({ headers, payload }) {
    if (!EVENTS.some((name) => headers[name] === 'package')) return [];
    const changed = objectIn(payload, 'package');
    if (changed['type'] !== 'container') return [];
    const owner = textIn(objectIn(changed, 'owner'), 'login');
    return [{ repository: repositoryNamed(`${owner}/${textIn(changed, 'name')}`), tag: tagNamed(changed['version']) }];
  },
};

const EVENTS = ['x-gitea-event', 'x-forgejo-event'];
