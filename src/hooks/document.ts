import { RegistryError } from '../domain/errors.ts';
import { parseJsonObject, type JsonObject } from '../domain/json.ts';
import { essence } from '../domain/media-type.ts';
import type { Headers } from './proof.ts';

/** Whether a body of this type may hold a notification: JSON by any name, a form, or what senders call it that don't care. */
export function isReadable(contentType: string | undefined): boolean {
  return contentType === undefined || READABLE.test(essence(contentType));
}

const READABLE =
  /^(application\/([a-z0-9.-]+\+)?json|application\/octet-stream|text\/plain|application\/x-www-form-urlencoded)$/;

/** The JSON of a body. MALFORMED where it is none. */
export function documentIn(headers: Headers, body: Uint8Array): JsonObject {
  const payload = isForm(headers) ? payloadOf(body) : body;
  if (payload === null) throw new RegistryError('MALFORMED', 'the notification is a form without a payload');
  return parseJsonObject(payload, 'the notification');
}

/** What a signature may be over: the body, or the payload of a form (Gitea signs that). */
export function signedTexts(headers: Headers, body: Uint8Array): Uint8Array[] {
  const payload = isForm(headers) ? payloadOf(body) : null;
  return payload === null ? [body] : [body, payload];
}

function isForm(headers: Headers): boolean {
  const type = headers['content-type'];
  return typeof type === 'string' && essence(type) === 'application/x-www-form-urlencoded';
}

/** Of a form; null where it has none. */
function payloadOf(body: Uint8Array): Uint8Array | null {
  const payload = new URLSearchParams(Buffer.from(body).toString('utf8')).get('payload');
  return payload === null ? null : Buffer.from(payload);
}
