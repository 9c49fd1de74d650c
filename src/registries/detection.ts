import { RegistryError } from '../domain/errors.ts';
import { parseJsonObject } from '../domain/json.ts';
import type { RegistryKindName } from '../domain/registry-kind.ts';
import { openHttpClient, parseChallenges, type HttpAnswer, type HttpClient } from '../http/index.ts';
import type { AnswerHeaders, Probe, RegistryKind } from './registry.ts';

/** What was found out about the registry at an address. */
export interface Detection {
  readonly kind: RegistryKindName;
  /** Why `kind` is no more than the usual; null where it was found out. */
  readonly fault: RegistryError | null;
}

/**
 * Which of the kinds answers at an http or https address: by what it says to GET /v2/ without credentials, else by what
 * a kind has at a path of its own. Nothing is asked twice, and all of it takes five seconds at most. Rejects only with
 * the signal's reason when it is aborted.
 */
export async function detectByAnswer(
  kinds: readonly RegistryKind[],
  url: URL,
  allowedNetworks: readonly string[],
  signal: AbortSignal,
): Promise<Detection> {
  const http = openHttpClient({ trustedHostname: url.hostname, allowedNetworks, limits: LIMITS });
  const deadline = AbortSignal.timeout(WHOLE);
  const ask = (path: string) => get(http, url, path, AbortSignal.any([signal, deadline]));
  try {
    const { status, headers } = await ask('/v2/');
    const byHeaders = kinds.find((kind) => kind.recognisesAnswer?.(headers, url));
    if (byHeaders) return { kind: byHeaders.kind, fault: null };
    if (!IS_REGISTRY.has(status)) return { kind: USUAL, fault: noRegistry(url, status) };
    for (const { kind, probes = [] } of kinds) {
      for (const probe of probes) {
        if (isShown(await ask(probe.path), probe)) return { kind, fault: null };
      }
    }
    return { kind: USUAL, fault: null };
  } catch (error) {
    signal.throwIfAborted();
    return { kind: USUAL, fault: error instanceof RegistryError ? error : noAnswer(url, error) };
  } finally {
    await http.close();
  }
}

/** Whether an answer offers to sign in at an address whose path ends so, for a service of that name. */
export function signsInAt(headers: AnswerHeaders, path: string, service: string): boolean {
  return parseChallenges(headers['www-authenticate']).some((challenge) => {
    const realm = challenge.scheme === 'bearer' ? (challenge.realm?.split('?')[0] ?? '') : '';
    return realm.endsWith(path) && challenge.service === service;
  });
}

const USUAL = 'OCI';
const WHOLE = 5_000;
const MAX_ANSWER = 64 * 1024;
const LIMITS = { connect: 3_000, firstByte: 3_000, idle: 3_000, total: WHOLE, retryPauses: [] };
/** A registry that is open, or that asks to sign in. */
const IS_REGISTRY = new Set([200, 401]);
const ACCEPT_JSON = ['accept', 'application/json'];

function get(http: HttpClient, url: URL, path: string, signal: AbortSignal): Promise<HttpAnswer> {
  const below = url.pathname.replace(/\/+$/, '') + path;
  const request = { method: 'GET', origin: url.origin, path: below, headers: ACCEPT_JSON } as const;
  return http.send({ ...request, authorization: null, maxBytes: MAX_ANSWER }, signal);
}

function isShown({ status, body }: HttpAnswer, probe: Probe): boolean {
  if (status !== 200) return false;
  try {
    return probe.recognises(parseJsonObject(body, 'the answer'));
  } catch {
    return false;
  }
}

function noRegistry(url: URL, status: number): RegistryError {
  return new RegistryError('NOT_A_REGISTRY', `GET ${url.origin}/v2/ was answered with ${status}`, { status });
}

function noAnswer(url: URL, cause: unknown): RegistryError {
  return new RegistryError('TIMEOUT', `GET ${url.origin}/v2/ took longer than ${WHOLE} ms`, { cause });
}
