import { isObject, parseJsonObject, textOf, type JsonObject } from '../../domain/json.ts';
import { parseRegistryHost } from '../../domain/reference.ts';
import { RegistryError } from '../../domain/errors.ts';
import type { Sender } from '../notification.ts';
import { repositoryNamed, tagNamed, textIn } from '../payload.ts';

/** Google Artifact Registry, through Pub/Sub. https://cloud.google.com/artifact-registry/docs/configure-notifications */
export const artifactRegistry: Sender = {
  name: 'Google Artifact Registry',
  recognises: ({ payload }) => isObject(payload['message']) || isChange(payload),
  read({ host, payload }) {
    const { message } = payload;
    // A subscription may also send what the message holds, and nothing around it.
    const change = isObject(message) ? dataIn(message) : payload;
    if (!isChange(change)) return [];
    const named = textOf(change['tag']) ?? textIn(change, 'digest');
    const [, registry = '', repository = '', tag] = /^([^/]+)\/([^:@]+)(?:[:](.+)|@.+)?$/.exec(named) ?? [];
    // One topic tells of all locations of a project.
    if (parseRegistryHost(registry) !== host) return [];
    return [{ repository: repositoryNamed(repository), tag: tagNamed(tag) }];
  },
};

function dataIn(message: JsonObject): JsonObject {
  const data = textIn(message, 'data');
  if (!/^[A-Za-z0-9+/]+=*$/.test(data)) throw new RegistryError('MALFORMED', `the message's "data" is not base64`);
  return parseJsonObject(Buffer.from(data, 'base64'), `the message's "data"`);
}

function isChange({ action, tag, digest }: JsonObject): boolean {
  return (action === 'INSERT' || action === 'DELETE') && (typeof tag === 'string' || typeof digest === 'string');
}
