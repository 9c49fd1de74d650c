import type { Digest } from '../domain/digest.ts';
import type { JsonObject } from '../domain/json.ts';
import type { RegistryKindName } from '../domain/registry-kind.ts';
import type { RegistryHost, RepositoryName, TagName } from '../domain/reference.ts';
import type { Gate } from '../http/index.ts';

/**
 * What the sync needs of any registry. Every call rejects with a RegistryError, and with the signal's reason when it is
 * aborted. Nothing here is cached: a registry is opened for one run.
 */
export interface Registry {
  readonly host: RegistryHost;

  /**
   * True for a mirror that keeps what was asked for lately: that something is not there says nothing of where it comes
   * from, and so nothing is deleted for it.
   */
  readonly isMirror?: boolean;

  /**
   * The tags of a repository, page by page, in the registry's order. Names outside the tag grammar are dropped.
   * Finishing without an error means that the listing was complete. A repository that is not there rejects with
   * NOT_FOUND; one without tags yields nothing.
   */
  listTags(repository: RepositoryName, signal: AbortSignal): AsyncIterable<readonly ListedTag[]>;

  /** What a tag or digest names now; null means that the registry said that it is not there. */
  resolveManifest(repository: RepositoryName, target: TagName | Digest, signal: AbortSignal): Promise<Digest | null>;

  /** The document, checked: by digest its bytes are what was asked for, by tag the digest is computed from them. */
  fetchManifest(repository: RepositoryName, target: TagName | Digest, signal: AbortSignal): Promise<FetchedManifest>;

  /** A blob as it comes, checked against its digest and against `size` when the last byte has passed. */
  fetchBlob(repository: RepositoryName, digest: Digest, size: number, signal: AbortSignal): AsyncIterable<Uint8Array>;

  /** What was sent and received so far. */
  readonly traffic: Traffic;

  /** Frees connections and files. */
  close(): Promise<void>;
}

export interface ListedTag {
  readonly name: TagName;
  /** Where the list itself carries it: then no further request is needed. */
  readonly digest?: Digest;
  /** What the tag named before, oldest first, where the registry itself remembers. */
  readonly previous?: readonly Digest[];
  /** When it was last pushed, as the registry's own list says; only to tell which tags are the newest. */
  readonly pushedAt?: Date;
}

export interface FetchedManifest {
  readonly digest: Digest;
  /** As the registry called it; null where it did not say. */
  readonly mediaType: string | null;
  readonly raw: Uint8Array;
}

export interface Traffic {
  readonly requests: number;
  readonly bytes: number;
}

/**
 * Can say which repositories there are whose names begin with `prefix`; others may be among them. Finishing without an
 * error means that the list was complete. A registry that lists by owner alone rejects with UNSUPPORTED a prefix that
 * names none.
 */
export interface ListsRepositories {
  listRepositories(prefix: string, signal: AbortSignal): AsyncIterable<readonly RepositoryName[]>;
}

/** Can say what people are told of a repository; null where the registry shows us no such repository. */
export interface DescribesRepositories {
  describeRepository(repository: RepositoryName, signal: AbortSignal): Promise<RepositoryDescription | null>;
}

/** Null where the registry does not say. */
export interface RepositoryDescription {
  /** One paragraph; empty where there is none. */
  readonly description: string | null;
  readonly isPrivate: boolean | null;
  readonly starCount: number | null;
  readonly pullCount: number | null;
}

/** Can say what refers to a manifest: signatures, SBOMs, attestations. Null where it turns out that it cannot. */
export interface ListsReferrers {
  listReferrers(repository: RepositoryName, subject: Digest, signal: AbortSignal): Promise<readonly Digest[] | null>;
}

/**
 * Can delete. By digest, a manifest goes with every tag that names it in that repository; by name, a tag alone. Resolves
 * when the registry has said that it is not there any more, also where it was not there before. A registry that deletes
 * no tags by name rejects with UNSUPPORTED.
 */
export interface DeletesManifests {
  deleteManifest(repository: RepositoryName, target: TagName | Digest, signal: AbortSignal): Promise<void>;
}

/** Each an interface of one method. Absent means "cannot", never "empty". */
export type Capabilities = ListsRepositories & DescribesRepositories & ListsReferrers & DeletesManifests;

export type OpenRegistry = Registry & Partial<Capabilities>;

/** Opens a registry of a kind. */
export type OpenRegistryFunction = (kind: RegistryKindName, settings: RegistrySettings) => Promise<OpenRegistry>;

export type Credential =
  | ReadyCredential
  /** The identity that the worker's machine or pod has at a cloud: the kinds of that cloud make a ready one of it. */
  | { readonly kind: 'ambient' };

/** What a registry or its token service takes. */
export type ReadyCredential =
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  /** Sent as it is. */
  | { readonly kind: 'bearer'; readonly token: string }
  /** An OAuth2 refresh token, exchanged at the token endpoint. */
  | { readonly kind: 'identity'; readonly token: string };

export interface RegistrySettings {
  readonly host: RegistryHost;
  /** Base address: https://registry-1.docker.io, http://127.0.0.1:5000, file:///srv/layout. */
  readonly url: URL;
  readonly credential: Credential | null;
  /** Networks that redirects and token services may lie in although they are not public, such as 10.0.0.0/8. */
  readonly allowedNetworks?: readonly string[];
  /** Holds the limits of its hosts; hand it to every HTTP client that is opened for it. Without one, nothing is held back. */
  readonly gate?: Gate;
}

/** One line of registries/index.ts. */
export interface RegistryKind {
  readonly kind: RegistryKindName;
  /** Whether an address is of this kind when nobody said so: by its scheme, or a host name that is this kind's alone. */
  recognises(url: URL): boolean;
  /** Whether the answer to GET /v2/ without credentials is of this kind, where the address does not tell. */
  recognisesAnswer?(headers: AnswerHeaders, url: URL): boolean;
  /** Whether an address is of the cloud whose identity the worker may have. Absent where there is no such cloud. */
  takesAmbient?(url: URL): boolean;
  /** What to ask without credentials where neither tells. */
  readonly probes?: readonly Probe[];
  open(settings: RegistrySettings): Promise<OpenRegistry>;
}

/** A path below a registry's address at which one kind alone has a JSON object to show. */
export interface Probe {
  readonly path: string;
  recognises(document: JsonObject): boolean;
}

/** Names in lower case. */
export type AnswerHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;
