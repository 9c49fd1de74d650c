import type { ContainerReport, ObservedContainer, RuntimeKindName } from '../domain/container.ts';
import { isObject, parseJson, type Json } from '../domain/json.ts';
import type { HttpClient } from '../http/index.ts';
import type { RuntimeRecord } from '../follow/index.ts';
import type { RuntimeDescription } from '../runtimes/runtime.ts';

export interface ReportTarget {
  readonly server: URL;
  readonly token: string;
  readonly name: string;
  readonly kind: RuntimeKindName;
  readonly signal: AbortSignal;
}

/** Sends what is seen to a Stowage. What it does not take is an error that says why. */
export function createReportedRecord(http: HttpClient, target: ReportTarget): RuntimeRecord {
  const { server, token, name, kind, signal } = target;
  const path = `${server.pathname.replace(/\/+$/, '')}/graphql`;
  let description: RuntimeDescription = { version: null, os: null, architecture: null };

  async function send(input: Record<string, unknown>): Promise<void> {
    const body = JSON.stringify({ query: REPORT, variables: { input: { runtime: name, kind, ...input } } });
    const answer = await http.send(
      {
        method: 'POST',
        isQuestion: true,
        origin: server.origin,
        path,
        headers: HEADERS,
        authorization: `Bearer ${token}`,
        body,
        maxBytes: MAX_ANSWER,
      },
      signal,
    );
    const fault = faultIn(answer.status, answer.body);
    if (fault !== null) throw new Error(`${server.origin} takes no report: ${fault}`);
  }

  return {
    describe(given) {
      description = given;
      return Promise.resolve();
    },
    async report({ at, seen, present, removed, commits }: ContainerReport) {
      const parts = partsOf(seen.map(reported));
      for (const containers of parts.slice(0, -1)) {
        await send({ observedAt: at, containers, isPartial: true });
      }
      const last = { observedAt: at, containers: parts.at(-1) ?? [], removed, commits, ...description };
      await send(present === null ? { ...last, isPartial: true } : { ...last, present });
    },
    // Whoever sees no report knows that something is wrong.
    conclude: () => Promise.resolve(),
  };
}

const HEADERS = ['content-type', 'application/json', 'accept', 'application/json'];
const MAX_ANSWER = 1024 * 1024;
/** Characters of one report's containers, far below what a server takes. */
const PART = 256 * 1024;

const REPORT = `mutation ($input: ReportContainersInput!) {
  reportContainers(input: $input) { userErrors { message path } }
}`;

function reported({ image, labels, ...container }: ObservedContainer): object {
  return {
    ...container,
    imageEvidence: image.evidence,
    platform: image.platform,
    labels: Object.entries(labels).map(([name, value]) => ({ name, value })),
  };
}

/** At least one part, though it be empty. */
function partsOf(containers: readonly object[]): object[][] {
  let part: object[] = [];
  let length = 0;
  const parts = [part];
  for (const container of containers) {
    const added = JSON.stringify(container).length;
    if (length + added > PART && part.length > 0) {
      part = [];
      length = 0;
      parts.push(part);
    }
    part.push(container);
    length += added;
  }
  return parts;
}

/** What a server says against a report; null where it took it. */
function faultIn(status: number, body: Uint8Array): string | null {
  const answer = parsed(body);
  const errors = messagesIn(answer?.['errors']);
  if (errors.length > 0) return errors.join('; ');
  const data = answer?.['data'];
  const outcome = isObject(data) ? data['reportContainers'] : null;
  if (status !== 200 || !isObject(outcome)) return `it answers ${status}, and is no Stowage`;
  const refused = messagesIn(outcome['userErrors']);
  return refused.length > 0 ? refused.join('; ') : null;
}

function parsed(body: Uint8Array) {
  try {
    const answer = parseJson(body, 'the answer');
    return isObject(answer) ? answer : null;
  } catch {
    return null;
  }
}

function messagesIn(errors: Json | undefined): string[] {
  if (!Array.isArray(errors)) return [];
  return errors.flatMap((error) => (isObject(error) && typeof error['message'] === 'string' ? [error['message']] : []));
}
