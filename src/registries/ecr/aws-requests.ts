import { parseJsonObject } from '../../domain/json.ts';
import type { HttpAnswer, HttpClient } from '../../http/index.ts';
import { refuseStrangers } from '../answer.ts';
import { openClient } from '../client.ts';
import { withinTime } from '../deadline.ts';
import type { RegistrySettings, Traffic } from '../registry.ts';
import { isThrottled, translateAwsFault } from './aws-fault.ts';

/** What the AWS SDK has signed. */
interface SignedRequest {
  readonly method: string;
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number | undefined;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/**
 * How the AWS SDK sends what it has signed: with the sizes, times, limits and counts of every other request. The hosts
 * are those that the SDK finds for the region; they may be private, as endpoints in a VPC are. A role that the worker's
 * pod may take is asked of STS in the same way: the SDK hands this on to what it asks there.
 */
export class AwsRequests {
  readonly #settings: RegistrySettings;
  readonly #http: HttpClient;
  /** By origin, where an API is elsewhere than the registry. */
  readonly #own = new Map<string, HttpClient>();

  constructor(settings: RegistrySettings, http: HttpClient) {
    this.#settings = settings;
    this.#http = http;
  }

  /** One call of the API; what goes wrong is said in our words. It may have to find out first who signs it. */
  async call<Output>(
    what: string,
    signal: AbortSignal,
    send: (options: { abortSignal: AbortSignal }) => Promise<Output>,
  ): Promise<Output> {
    try {
      return await withinTime(LONGEST_CALL, what, signal, (abortSignal) => send({ abortSignal }));
    } catch (error) {
      signal.throwIfAborted();
      throw translateAwsFault(error, what);
    }
  }

  /** For the SDK, which signs, and reads the answer. */
  async handle(request: SignedRequest, { abortSignal }: { abortSignal?: unknown } = {}) {
    const { authorization = null, ...headers } = request.headers;
    const action = headers['x-amz-target']?.replace(/^.*\./, '') ?? '';
    const origin = originOf(request);
    const answer = await this.#clientFor(request).send(
      {
        method: 'POST',
        isQuestion: QUESTION.test(action),
        origin,
        path: request.path,
        headers: Object.entries(headers).flatMap((header) => (OURS.has(header[0]) ? [] : header)),
        authorization,
        body: textOf(request.body),
        maxBytes: MAX_BYTES,
        isRefusal: isThrottled,
      },
      // None where the SDK asks for itself who it is.
      (abortSignal as AbortSignal | undefined) ?? new AbortController().signal,
    );
    // STS takes no target, and answers in XML.
    if (action !== '') checkAnswer(answer, `${action} of ${origin}`);
    const said = Object.entries(answer.headers).map(([name, value]) => [name, String(value)]);
    return {
      response: {
        statusCode: answer.status,
        headers: Object.fromEntries(said) as Record<string, string>,
        body: answer.body,
      },
    };
  }

  /** The SDK would set timeouts here; the client has its own. */
  updateHttpClientConfig(): void {}

  httpHandlerConfigs(): object {
    return {};
  }

  /** Of the registry together with this API; as it stands whenever it is looked at. */
  trafficWith(registry: Traffic): Traffic {
    const all = () => [registry, ...this.#own.values().map(({ traffic }) => traffic)];
    return {
      get requests() {
        return all().reduce((sum, { requests }) => sum + requests, 0);
      },
      get bytes() {
        return all().reduce((sum, { bytes }) => sum + bytes, 0);
      },
    };
  }

  async close(): Promise<void> {
    await Promise.all(this.#own.values().map((client) => client.close()));
  }

  #clientFor(request: SignedRequest): HttpClient {
    if (request.hostname === this.#settings.url.hostname) return this.#http;
    const origin = originOf(request);
    const client = this.#own.get(origin) ?? openClient({ ...this.#settings, url: new URL(origin) });
    this.#own.set(origin, client);
    return client;
  }
}

/** With all attempts. */
const LONGEST_CALL = 5 * 60_000;
const MAX_BYTES = 16 * 1024 * 1024;
const QUESTION = /^(Describe|Get)/;
/** What the client says itself. */
const OURS = new Set(['content-length', 'user-agent']);

function textOf(body: unknown): string {
  return typeof body === 'string' ? body : new TextDecoder().decode(body as Uint8Array);
}

function originOf({ protocol, hostname, port }: SignedRequest): string {
  return `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`;
}

/** The SDK parses it again; this refuses in our own words what is no JSON object, or one that is too deep. */
function checkAnswer({ status, body }: HttpAnswer, what: string): void {
  if (status !== 200) return;
  refuseStrangers(body, what);
  parseJsonObject(body, what);
}
