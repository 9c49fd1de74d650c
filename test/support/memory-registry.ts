import type { Digest } from '../../src/domain/digest.ts';
import { isDigest, verifies } from '../../src/domain/digest.ts';
import { RegistryError } from '../../src/domain/errors.ts';
import type { RegistryHost, RepositoryName, TagName } from '../../src/domain/reference.ts';
import type {
  DescribesRepositories,
  FetchedManifest,
  ListedTag,
  ListsReferrers,
  ListsRepositories,
  Registry,
} from '../../src/registries/registry.ts';
import type { Content } from './content.ts';

/** A registry in memory, which counts what it is asked and fails where it is told to. */
export class MemoryRegistry implements Registry, ListsRepositories, ListsReferrers {
  readonly host = 'registry.example.com' as RegistryHost;
  /** What was asked, such as `manifest app/web sha256:...`. */
  readonly asked: string[] = [];
  /** Thrown when what is asked begins with the key. */
  readonly faults = new Map<string, RegistryError>();
  /** Awaited before each answer. */
  pause: (asked: string) => Promise<void> = () => Promise.resolve();
  isClosed = false;
  isMirror = false;
  /** Tags on a page of a list. */
  pageSize = 1000;
  /** What a list tells of tags besides their names, by name. */
  readonly listed = new Map<string, Partial<ListedTag>>();
  describeRepository?: DescribesRepositories['describeRepository'];

  readonly #repositories = new Map<string, { tags: Map<string, Digest[]>; content: Map<Digest, Content> }>();

  get traffic() {
    return { requests: this.asked.length, bytes: 0 };
  }

  /** Pushes content with all its parts, and lets the tag name it. */
  push(repository: string, tag: string | null, content: Content): void {
    const held = this.#repositories.get(repository) ?? { tags: new Map(), content: new Map() };
    this.#repositories.set(repository, held);
    const queue = [content];
    for (const part of queue) {
      held.content.set(part.digest, part);
      queue.push(...part.parts);
    }
    if (tag !== null) held.tags.set(tag, [...(held.tags.get(tag) ?? []), content.digest]);
  }

  /** Takes a tag away; with its manifest, as the distribution registry does. */
  removeTag(repository: string, tag: string, withManifest = false): void {
    const held = this.#repositories.get(repository);
    const digest = held?.tags.get(tag)?.at(-1);
    held?.tags.delete(tag);
    if (withManifest && digest) held?.content.delete(digest);
  }

  removeManifest(repository: string, digest: Digest): void {
    this.#repositories.get(repository)?.content.delete(digest);
  }

  countAsked(prefix: string): number {
    return this.asked.filter((asked) => asked.startsWith(prefix)).length;
  }

  async *listRepositories(): AsyncIterable<RepositoryName[]> {
    await this.#answer('repositories');
    yield [...this.#repositories.keys()] as RepositoryName[];
  }

  async *listTags(repository: RepositoryName, signal: AbortSignal): AsyncIterable<ListedTag[]> {
    signal.throwIfAborted();
    await this.#answer(`tags ${repository}`);
    const held = this.#repositories.get(repository);
    if (!held) throw new RegistryError('NOT_FOUND', `${repository} is not there`, { status: 404 });
    const tags = [...held.tags.keys()].map((name) => ({ ...this.listed.get(name), name: name as TagName }));
    for (let from = 0; from < tags.length; from += this.pageSize) yield tags.slice(from, from + this.pageSize);
  }

  async resolveManifest(repository: RepositoryName, target: TagName | Digest): Promise<Digest | null> {
    await this.#answer(`head ${repository} ${target}`);
    return this.#find(repository, target)?.digest ?? null;
  }

  async fetchManifest(repository: RepositoryName, target: TagName | Digest): Promise<FetchedManifest> {
    await this.#answer(`manifest ${repository} ${target}`);
    const content = this.#find(repository, target);
    if (!content) throw new RegistryError('NOT_FOUND', `${repository} has no ${target}`, { status: 404 });
    return { digest: content.digest, mediaType: content.mediaType, raw: content.raw };
  }

  async *fetchBlob(repository: RepositoryName, digest: Digest): AsyncIterable<Uint8Array> {
    await this.#answer(`blob ${repository} ${digest}`);
    const content = this.#repositories.get(repository)?.content.get(digest);
    if (!content) throw new RegistryError('NOT_FOUND', `${repository} has no blob ${digest}`, { status: 404 });
    if (!verifies(digest, content.raw)) throw new RegistryError('DIGEST_MISMATCH', `${digest} is other bytes`);
    yield content.raw;
  }

  async listReferrers(repository: RepositoryName, subject: Digest): Promise<readonly Digest[] | null> {
    await this.#answer(`referrers ${repository} ${subject}`);
    if (!this.hasReferrersApi) return null;
    const held = [...(this.#repositories.get(repository)?.content.values() ?? [])];
    return held.filter(({ raw }) => subjectOf(raw) === subject).map(({ digest }) => digest);
  }

  hasReferrersApi = false;

  async close(): Promise<void> {
    this.isClosed = true;
  }

  async #answer(asked: string): Promise<void> {
    this.asked.push(asked);
    await this.pause(asked);
    for (const [prefix, fault] of this.faults) if (asked.startsWith(prefix)) throw fault;
  }

  #find(repository: string, target: string): Content | undefined {
    const held = this.#repositories.get(repository);
    const digest = isDigest(target) ? target : held?.tags.get(target)?.at(-1);
    return digest && held?.content.get(digest);
  }
}

function subjectOf(raw: Buffer): unknown {
  if (raw[0] !== 0x7b) return null;
  return (JSON.parse(raw.toString()) as { subject?: { digest?: string } }).subject?.digest;
}
