import { isObject } from '../../domain/json.ts';
import type { Sender } from '../notification.ts';
import { objectIn, repositoryNamed, tagNamed, textIn } from '../payload.ts';

/** JFrog Artifactory. https://jfrog.com/help/r/jfrog-platform-administration-documentation/docker-events */
export const artifactory: Sender = {
  name: 'Artifactory',
  recognises: ({ payload }) => typeof payload['domain'] === 'string' && isObject(payload['data']),
  read({ host, payload }) {
    if (payload['domain'] !== 'docker') return [];
    const data = objectIn(payload, 'data');
    const [key, image] = [textIn(data, 'repo_key'), textIn(data, 'image_name')];
    // The key may be in the name, in the host, or in neither where each repository has a port.
    const names = host.startsWith(`${key}.`) ? [image] : [`${key}/${image}`, image];
    const tag = tagNamed(data['tag']);
    return names.map((name) => ({ repository: repositoryNamed(name), tag }));
  },
};
