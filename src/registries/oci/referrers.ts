import { isDigest, type Digest } from '../../domain/digest.ts';
import { arrayOf, isObject, parseJsonObject, type JsonObject } from '../../domain/json.ts';
import { OCI_INDEX } from '../../domain/media-type.ts';
import type { RepositoryName } from '../../domain/reference.ts';
import { nextLink } from '../../http/index.ts';
import { errorOf } from '../answer.ts';
import { pullScope, type Session } from './session.ts';

/** What refers to a manifest, by the registry's own list. */
export class Referrers {
  readonly #session: Session;
  /** Found out once, by the first that asks; where that fails, the others ask for themselves. */
  #hasList: Promise<boolean> | null = null;

  constructor(session: Session) {
    this.#session = session;
  }

  /** At most 1000 digests; more than that of one manifest is no honest number. Null where the registry keeps no list. */
  async list(repository: RepositoryName, subject: Digest, signal: AbortSignal): Promise<readonly Digest[] | null> {
    if (this.#hasList !== null) return (await this.#hasList) ? this.#listed(repository, subject, signal) : null;
    const first = this.#listed(repository, subject, signal);
    this.#hasList = first.then(
      (listed) => listed !== null,
      () => {
        this.#hasList = null;
        return true;
      },
    );
    return first;
  }

  /** Null where there is no such list. https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-referrers */
  async #listed(repository: RepositoryName, subject: Digest, signal: AbortSignal): Promise<Digest[] | null> {
    const found = new Set<Digest>();
    const visited = new Set<string>();
    let path: string | null = `/v2/${repository}/referrers/${subject}`;
    const what = `GET ${this.#session.addressOf(path)}`;
    while (path !== null && found.size < MAX_REFERRERS && !visited.has(path) && visited.size < MAX_REFERRERS) {
      visited.add(path);
      const ask = { method: 'GET', path, headers: ACCEPT, scope: pullScope(repository), maxBytes: MAX_BYTES } as const;
      const answer = await this.#session.send(ask, signal);
      if (MEANS_NO_LIST.has(answer.status)) return null;
      if (answer.status !== 200) throw errorOf(answer, what);
      const document = indexOf(answer.body);
      if (document === null) return null;
      const before = found.size;
      collect(document, found, what);
      const next = nextLink(answer.headers['link'], this.#session.addressOf(path));
      path = next === null || found.size === before ? null : this.#session.pathOf(next);
    }
    return [...found];
  }
}

const MAX_REFERRERS = 1000;
const MAX_BYTES = 4 * 1024 * 1024;
const ACCEPT = ['accept', OCI_INDEX];
const MEANS_NO_LIST = new Set([400, 404, 405, 501]);

function indexOf(body: Uint8Array): JsonObject | null {
  try {
    const document = parseJsonObject(body, 'the list of referrers');
    return Array.isArray(document['manifests']) || document['manifests'] === null ? document : null;
  } catch {
    return null;
  }
}

function collect(document: JsonObject, found: Set<Digest>, what: string): void {
  for (const entry of arrayOf(document['manifests'], `${what}: manifests`, Infinity)) {
    const digest = isObject(entry) ? entry['digest'] : null;
    if (typeof digest === 'string' && isDigest(digest)) found.add(digest);
    if (found.size === MAX_REFERRERS) return;
  }
}
