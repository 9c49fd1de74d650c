import { RegistryError, messageOf } from '../../domain/errors.ts';
import { parseJsonObject, textOf, type JsonObject } from '../../domain/json.ts';
import { RuntimeFault, type RuntimeFaultCode } from '../runtime.ts';
import type { ApiRequest } from './api.ts';

/** An answer that is no success, or an event that says so. */
export class StatusFault extends RuntimeFault {
  readonly status: number;

  constructor(code: RuntimeFaultCode, status: number, message: string) {
    super(code, message);
    this.status = status;
  }
}

/** True of a list or watch that is older than what the cluster remembers. */
export function isExpired(error: unknown): boolean {
  return error instanceof StatusFault && error.status === 410;
}

/** What an answer that is no success means; `body`, whatever it is, only explains. */
export function statusFault(status: number, body: Uint8Array, request: ApiRequest, endpoint: string): StatusFault {
  const explanation = explanationOf(body);
  const said = `${nameOf(request, endpoint)} was answered with ${status}${explanation === null ? '' : ` (${explanation})`}`;
  if (status === 401) {
    const advice = 'its credentials are not taken: renew those of the context, or the token of the service account.';
    return new StatusFault('UNAUTHORIZED', status, `${said}: ${advice}`);
  }
  if (status === 403) {
    const advice = `it needs the verb ${request.verb} on ${request.resource}, as in docs/kubernetes-role.yaml.`;
    return new StatusFault('UNAUTHORIZED', status, `${said}: ${advice}`);
  }
  const mayPass = status === 408 || status === 410 || status === 429 || status >= 500;
  return new StatusFault(mayPass ? 'UNREACHABLE' : 'MALFORMED', status, said);
}

/** What the connection, TLS or the end of a body threw. */
export function transportFault(error: unknown, request: ApiRequest, endpoint: string): RuntimeFault {
  if (error instanceof RuntimeFault) return error;
  // What failed at several addresses has a code alone.
  const said = messageOf(error) || String((error as NodeJS.ErrnoException).code);
  return new RuntimeFault('UNREACHABLE', `${nameOf(request, endpoint)}: ${said}`, { cause: error });
}

/** Parses what a cluster sent. */
export function parseObject(bytes: Uint8Array, request: ApiRequest, endpoint: string): JsonObject {
  try {
    return parseJsonObject(bytes, `the answer to ${nameOf(request, endpoint)}`);
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    throw new RuntimeFault('MALFORMED', error.message, { cause: error });
  }
}

/** For messages: "in-cluster: list pods in shop". */
export function nameOf({ verb, resource, namespace, name }: ApiRequest, endpoint: string): string {
  const object = name === undefined ? resource : `${resource} ${name}`;
  return `${endpoint}: ${verb} ${object}${namespace === null ? '' : ` in ${namespace}`}`;
}

/** The message of a Status. https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/ */
function explanationOf(body: Uint8Array): string | null {
  try {
    const message = textOf(parseJsonObject(body, 'the status')['message']);
    return message?.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').slice(0, 300) ?? null;
  } catch {
    return null;
  }
}
