import { isObject } from '../../domain/json.ts';
import type { Sender } from '../notification.ts';
import { objectIn, repositoryNamed, tagNamed, textIn } from '../payload.ts';

/** Docker Hub. Its callback_url is never called. https://docs.docker.com/docker-hub/repos/manage/webhooks/ */
export const dockerHub: Sender = {
  name: 'Docker Hub',
  recognises: ({ payload }) => isObject(payload['push_data']),
  read({ payload }) {
    const name = textIn(objectIn(payload, 'repository'), 'repo_name');
    const repository = repositoryNamed(name.includes('/') ? name : `library/${name}`);
    return [{ repository, tag: tagNamed(objectIn(payload, 'push_data')['tag']) }];
  },
};
