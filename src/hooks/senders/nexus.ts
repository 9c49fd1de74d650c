import { isObject } from '../../domain/json.ts';
import type { Sender } from '../notification.ts';
import { repositoryNamed, tagNamed, textIn } from '../payload.ts';

/** Sonatype Nexus. https://help.sonatype.com/en/example-headers-and-payloads.html */
export const nexus: Sender = {
  name: 'Nexus',
  recognises: ({ headers }) => typeof headers['x-nexus-webhook-id'] === 'string',
  read({ payload }) {
    const { component } = payload;
    // The others tell of files, users and Nexus itself.
    if (!isObject(component) || component['format'] !== 'docker') return [];
    const name = textIn(component, 'name');
    const tag = tagNamed(component['version']);
    // The repository of Nexus is in the name where it is in the path, and is not where it has a port or a host.
    return [name, `${textIn(payload, 'repositoryName')}/${name}`].map((each) => ({
      repository: repositoryNamed(each),
      tag,
    }));
  },
};
