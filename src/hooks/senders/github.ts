import { isObject, textOf, type JsonObject } from '../../domain/json.ts';
import type { Sender } from '../notification.ts';
import { objectIn, repositoryNamed, tagNamed, textIn } from '../payload.ts';

/** GitHub, for ghcr.io. https://docs.github.com/en/webhooks/webhook-events-and-payloads#registry_package */
export const github: Sender = {
  name: 'GitHub',
  recognises: ({ headers }) => typeof headers['x-github-event'] === 'string',
  read({ headers, payload }) {
    const event = headers['x-github-event'];
    if (event !== 'registry_package' && event !== 'package') return [];
    const pushed = objectIn(payload, event);
    if (!isContainer(pushed)) return [];
    const repository = repositoryNamed(`${textIn(objectIn(pushed, 'owner'), 'login')}/${textIn(pushed, 'name')}`);
    // What an image of several platforms consists of is pushed without a tag, each an event.
    return [{ repository, tag: tagNamed(tagIn(pushed)) }];
  },
};

/** Not npm's, Maven's and the like. */
function isContainer({ package_type: type, ecosystem }: JsonObject): boolean {
  return /^(container|docker)$/i.test(textOf(type) ?? textOf(ecosystem) ?? '');
}

function tagIn({ package_version: version }: JsonObject) {
  const metadata = isObject(version) && version['container_metadata'];
  const tag = isObject(metadata) && metadata['tag'];
  return isObject(tag) ? tag['name'] : undefined;
}
