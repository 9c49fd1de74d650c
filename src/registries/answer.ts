import { RegistryError, type RegistryErrorCode } from '../domain/errors.ts';
import { isObject, parseJson, parseJsonObject, textOf, type Json, type JsonObject } from '../domain/json.ts';
import { retryAtOf, type HttpAnswer } from '../http/index.ts';

/**
 * The JSON object of a good answer. A page of a proxy or a portal is no registry's answer (NOT_A_REGISTRY), and an
 * error that comes with status 200 is an error (MALFORMED).
 */
export function jsonOf(answer: HttpAnswer, what: string): JsonObject {
  refuseStrangers(answer.body, what);
  const document = parseJsonObject(answer.body, what);
  const error = firstErrorOf(document);
  if (error.message !== null && !('mediaType' in document)) {
    throw new RegistryError('MALFORMED', `${what} came with status 200 and an error: ${shown(error.message)}`);
  }
  return document;
}

/** The JSON list of a good answer, which only an API beside the distribution API gives; else as `jsonOf`. */
export function jsonListOf(answer: HttpAnswer, what: string): Json[] {
  if (firstByteOf(answer.body) !== OPENING_BRACKET) {
    jsonOf(answer, what);
    throw new RegistryError('MALFORMED', `${what} is a JSON object and not a list`);
  }
  return parseJson(answer.body, what) as Json[];
}

/** Throws NOT_A_REGISTRY unless the bytes begin as a JSON object does. */
export function refuseStrangers(body: Uint8Array, what: string): void {
  if (firstByteOf(body) === OPENING_BRACE) return;
  throw new RegistryError(
    'NOT_A_REGISTRY',
    `${what} is not JSON: something else than a registry answers there, perhaps a proxy or a sign-in page`,
  );
}

/** What an answer that is no success means. The status decides; the body, whatever it is, only explains. */
export function errorOf(answer: HttpAnswer, what: string): RegistryError {
  const { code: registryCode, message } = explanationOf(answer.body);
  const { status } = answer;
  const retryAt = retryAtOf(answer.headers, Date.now());
  const code = codeOf(status, message, retryAt !== null);
  const explanation = [registryCode, message].filter((text) => text !== null).join(': ');
  const text = `${what} was answered with ${status}${explanation === '' ? '' : ` (${shown(explanation)})`}`;
  return new RegistryError(code, text, {
    status,
    ...(registryCode !== null && { registryCode }),
    ...(code === 'RATE_LIMITED' && { retryAt: retryAt ?? new Date(Date.now() + UNSAID_PAUSE) }),
  });
}

/** Whether the registry wants smaller pages: Amazon's says so with 405. */
export function isPageSizeRefusal(answer: HttpAnswer): boolean {
  if (answer.status === 405) return true;
  return answer.status === 400 && explanationOf(answer.body).code === 'PAGINATION_NUMBER_INVALID';
}

const BLANKS = new Set([0x20, 0x09, 0x0a, 0x0d]);
const OPENING_BRACE = 0x7b;
const OPENING_BRACKET = 0x5b;
/** Where a registry limits and does not say until when. */
const UNSAID_PAUSE = 60_000;

/** Behind a byte order mark and blanks; undefined where there is none. */
function firstByteOf(body: Uint8Array): number | undefined {
  let at = body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? 3 : 0;
  while (BLANKS.has(body[at] ?? 0)) at++;
  return body[at];
}

function codeOf(status: number, message: string | null, saysWhenToRetry: boolean): RegistryErrorCode {
  if (status === 401) return 'UNAUTHORIZED';
  if (status === 429 || (saysWhenToRetry && (status === 403 || status === 503))) return 'RATE_LIMITED';
  if (status === 403) return 'FORBIDDEN';
  // "OCI index found, but accept header does not support OCI indexes": it is there.
  if (status === 404) return message !== null && /accept header/i.test(message) ? 'UNSUPPORTED' : 'NOT_FOUND';
  if (status === 408) return 'TIMEOUT';
  if (status >= 500 && status !== 501) return 'UNAVAILABLE';
  return 'UNSUPPORTED';
}

interface Explanation {
  readonly code: string | null;
  readonly message: string | null;
}

function explanationOf(body: Uint8Array): Explanation {
  try {
    return firstErrorOf(parseJsonObject(body, 'the error'));
  } catch {
    return { code: null, message: null };
  }
}

function firstErrorOf(document: JsonObject): Explanation {
  const errors = document['errors'];
  const members = Array.isArray(errors) && isObject(errors[0]) ? errors[0] : document;
  const message = textOf(members['message']) ?? textOf(members['error']) ?? textOf(members['details']);
  const code = textOf(members['code']);
  return { code: code?.slice(0, 100) ?? null, message: message ?? code ?? textOf(members['detail']) };
}

/** Controls, escapes and text direction marks would act on a terminal or page that shows them. */
export function shown(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').slice(0, 300);
}
