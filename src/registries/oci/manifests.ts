import { isDigest, verifies, type Digest } from '../../domain/digest.ts';
import { RegistryError } from '../../domain/errors.ts';
import { manifestDigest } from '../../domain/manifest.ts';
import {
  DOCKER_MANIFEST,
  MANIFEST_ACCEPT,
  OCI_ARTIFACT_MANIFEST,
  OCI_MANIFEST,
  SCHEMA1,
  SCHEMA1_SIGNED,
  essence,
  isIndexType,
  isSchema1Type,
} from '../../domain/media-type.ts';
import type { RepositoryName, TagName } from '../../domain/reference.ts';
import type { HttpAnswer } from '../../http/index.ts';
import type { FetchedManifest } from '../registry.ts';
import { errorOf, jsonOf, refuseStrangers } from '../answer.ts';
import { pullScope, type Session } from './session.ts';

/** The manifests of one registry, and what was learned of how it answers HEAD. */
export class Manifests {
  readonly #session: Session;
  #isHeadUseless = false;
  /** How often HEAD said 404 of what GET then gave. */
  #wrongAbsences = 0;

  constructor(session: Session) {
    this.#session = session;
  }

  /** By HEAD where that can be relied on, for HEAD is quick and no registry counts it as a pull. */
  async resolve(repository: RepositoryName, target: TagName | Digest, signal: AbortSignal): Promise<Digest | null> {
    if (!this.#isHeadUseless) {
      const answer = await this.#ask('HEAD', repository, target, ACCEPT, signal);
      const { status, headers } = answer;
      const digest = String(headers['docker-content-digest'] ?? '');
      if (status === 200 && isSha256(digest) && headers['content-length'] !== '0') return digest;
      if (status !== 200 && !MAY_DIFFER_FROM_GET.has(status))
        throw errorOf(answer, this.#nameOf('HEAD', repository, target));
      // One more request before it is believed that a tag is gone: some registries and proxies know no HEAD.
      const found = await this.#resolveByGet(repository, target, status === 404 ? ACCEPT_SCHEMA1 : ACCEPT, signal);
      if (status === 404) this.#wrongAbsences += found === null ? 0 : 1;
      this.#isHeadUseless = status !== 404 || this.#wrongAbsences >= 3;
      return found;
    }
    return this.#resolveByGet(repository, target, ACCEPT, signal);
  }

  async fetch(repository: RepositoryName, target: TagName | Digest, signal: AbortSignal): Promise<FetchedManifest> {
    const what = this.#nameOf('GET', repository, target);
    let accept = ACCEPT;
    let answer = await this.#ask('GET', repository, target, accept, signal);
    if (answer.status === 404) {
      // A registry that converts must not be offered schema 1 at first: it would make one that is stored nowhere.
      accept = ACCEPT_SCHEMA1;
      answer = await this.#ask('GET', repository, target, accept, signal);
    }
    const fetched = readManifest(answer, target, what);
    if (fetched !== null) return fetched;

    const uncached = await this.#ask('GET', repository, target, [...accept, 'cache-control', 'no-cache'], signal);
    const again = readManifest(uncached, target, what);
    if (again !== null) return again;
    throw new RegistryError('DIGEST_MISMATCH', `${what} was answered twice with bytes of another digest`);
  }

  async #resolveByGet(
    repository: RepositoryName,
    target: TagName | Digest,
    accept: readonly string[],
    signal: AbortSignal,
  ): Promise<Digest | null> {
    let answer = await this.#ask('GET', repository, target, accept, signal);
    if (answer.status === 404 && accept === ACCEPT) {
      answer = await this.#ask('GET', repository, target, ACCEPT_SCHEMA1, signal);
    }
    const what = this.#nameOf('GET', repository, target);
    if (answer.status === 404) {
      const error = errorOf(answer, what);
      if (error.code !== 'NOT_FOUND') throw error;
      return null;
    }
    const fetched = readManifest(answer, target, what);
    if (fetched === null)
      throw new RegistryError('DIGEST_MISMATCH', `${what} was answered with bytes of another digest`);
    return fetched.digest;
  }

  #ask(
    method: 'GET' | 'HEAD',
    repository: RepositoryName,
    target: TagName | Digest,
    headers: readonly string[],
    signal: AbortSignal,
  ): Promise<HttpAnswer> {
    const path = pathOf(repository, target);
    const ask = { method, path, headers, scope: pullScope(repository), maxBytes: MAX_MANIFEST_BYTES };
    return this.#session.send(method === 'GET' ? { ...ask, isPull: true } : ask, signal);
  }

  #nameOf(method: string, repository: RepositoryName, target: string): string {
    return `${method} ${this.#session.addressOf(pathOf(repository, target))}`;
  }
}

const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;
const ACCEPT = ['accept', MANIFEST_ACCEPT];
const ACCEPT_SCHEMA1 = ['accept', `${MANIFEST_ACCEPT}, ${SCHEMA1_SIGNED}, ${SCHEMA1}`];
const MAY_DIFFER_FROM_GET = new Set([400, 404, 405, 501]);
const SHAPES = ['manifests', 'config', 'layers', 'blobs', 'fsLayers'];

function pathOf(repository: RepositoryName, target: string): string {
  return `/v2/${repository}/manifests/${target}`;
}

/** Of other algorithms there may be several digests for one manifest; the catalog knows it by the one that we compute. */
function isSha256(text: string): text is Digest {
  return text.startsWith('sha256:') && isDigest(text);
}

/** Null where the bytes are not those that the digest names. */
function readManifest(answer: HttpAnswer, target: TagName | Digest, what: string): FetchedManifest | null {
  if (answer.status !== 200) throw errorOf(answer, what);
  const raw = answer.body;
  refuseStrangers(raw, what);
  const header = answer.headers['content-type'];
  const said = header === undefined ? null : essence(String(header)) || null;
  if (isDigest(target)) {
    if (verifies(target, raw)) return { digest: target, mediaType: said, raw };
    return isSignedAs(target, raw) ? { digest: target, mediaType: SCHEMA1_SIGNED, raw } : null;
  }
  const mediaType = isManifestType(said) ? said : typeByShape(answer, said, what);
  // The header Docker-Content-Digest is wrong at many registries; what we compute is what the bytes are.
  return { digest: manifestDigest(raw, mediaType), mediaType, raw };
}

function isSignedAs(digest: Digest, raw: Uint8Array): boolean {
  try {
    return manifestDigest(raw, SCHEMA1_SIGNED) === digest;
  } catch {
    return false;
  }
}

/** The registry calls it something else, such as application/json: whatever it is, it must look like a manifest. */
function typeByShape(answer: HttpAnswer, said: string | null, what: string): string | null {
  const document = jsonOf(answer, what);
  if (!SHAPES.some((member) => member in document)) {
    throw new RegistryError('MALFORMED', `${what} was answered with JSON that is no manifest`);
  }
  return 'fsLayers' in document && 'signatures' in document ? SCHEMA1_SIGNED : said;
}

function isManifestType(type: string | null): type is string {
  if (type === null) return false;
  return (
    type === OCI_MANIFEST ||
    type === DOCKER_MANIFEST ||
    type === OCI_ARTIFACT_MANIFEST ||
    isIndexType(type) ||
    isSchema1Type(type)
  );
}
