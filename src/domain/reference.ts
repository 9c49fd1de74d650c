import { CatalogError } from './errors.ts';
import { isDigest, type Digest } from './digest.ts';

/** The name that references carry: docker.io, ghcr.io, registry.example.com:5000. */
export type RegistryHost = string & { readonly __brand: 'RegistryHost' };
/** Path within a registry: library/alpine. */
export type RepositoryName = string & { readonly __brand: 'RepositoryName' };
export type TagName = string & { readonly __brand: 'TagName' };

/** A parsed reference. Neither tag nor digest means that none was written: see `tagNamed`. */
export interface Reference {
  readonly host: RegistryHost;
  readonly repository: RepositoryName;
  readonly tag: TagName | null;
  /** Decides what is pulled, even where a tag stands before it. */
  readonly digest: Digest | null;
}

export type ReferenceFault =
  'format' | 'uppercase' | 'toolong' | 'identifier' | 'digest-alg' | 'digest-len' | 'digest-format';

export class InvalidReference extends CatalogError {
  readonly fault: ReferenceFault;

  constructor(text: string, fault: ReferenceFault) {
    super('INVALID_REFERENCE', `"${text.slice(0, 200)}" is not an image reference: ${ADVICE[fault]}`);
    this.fault = fault;
  }
}

export const DOCKER_HUB = 'docker.io' as RegistryHost;

/** Reads a reference as users type it: alpine, nginx:1.27, ghcr.io/org/app@sha256:... */
export function parseReference(text: string): Reference {
  if (text.length > MAX_REFERENCE) throw new InvalidReference(text, 'toolong');
  if (/^[0-9a-f]{64}$/.test(text)) throw new InvalidReference(text, 'identifier');

  const at = text.indexOf('@');
  const named = at < 0 ? text : text.slice(0, at);
  const colon = named.lastIndexOf(':');
  const hasTag = colon >= 0 && !named.slice(colon).includes('/');
  const name = hasTag ? named.slice(0, colon) : named;
  const tag = hasTag ? named.slice(colon + 1) : null;
  if (tag !== null && !TAG.test(tag)) throw new InvalidReference(text, 'format');

  const { host, path } = splitName(text, name);
  return {
    host,
    repository: path,
    tag: tag as TagName | null,
    digest: at < 0 ? null : referenceDigest(text, text.slice(at + 1)),
  };
}

/** The tag that is pulled: `latest` where none is written. https://docs.docker.com/reference/cli/docker/image/pull/ */
export function tagNamed({ tag }: Pick<Reference, 'tag'>): TagName {
  return tag ?? ('latest' as TagName);
}

/** Reads what a person pasted: blanks around it and a leading https:// or docker:// are dropped first. */
export function parsePastedReference(text: string): Reference {
  return parseReference(text.trim().replace(/^(https?|docker|docker-pullable):\/\//, ''));
}

/** The host alone, with its aliases: registry-1.docker.io is docker.io, a default port is dropped. */
export function parseRegistryHost(text: string): RegistryHost {
  const host = canonicalHost(text);
  if (text.length > 255 || !HOST.test(host)) {
    throw new CatalogError(
      'INVALID_REFERENCE',
      `"${text.slice(0, 200)}" is not a registry host: write a name and perhaps a port, such as ghcr.io or registry.example.com:5000.`,
    );
  }
  return host as RegistryHost;
}

export function parseRepositoryName(text: string): RepositoryName {
  if (isRepositoryName(text)) return text;
  throw new InvalidReference(text, /[A-Z]/.test(text) ? 'uppercase' : 'format');
}

export function isRepositoryName(text: string): text is RepositoryName {
  return text.length <= MAX_PATH && PATH.test(text);
}

export function parseTagName(text: string): TagName {
  if (isTagName(text)) return text;
  throw new CatalogError(
    'INVALID_REFERENCE',
    `"${text.slice(0, 200)}" is not a tag: write up to 128 letters, digits, dots, dashes and underscores, such as 1.27.`,
  );
}

export function isTagName(text: string): text is TagName {
  return TAG.test(text);
}

export function formatReference(reference: Reference): string {
  const tag = reference.tag === null ? '' : `:${reference.tag}`;
  const digest = reference.digest === null ? '' : `@${reference.digest}`;
  return `${reference.host}/${reference.repository}${tag}${digest}`;
}

/** What a person would type: docker.io/library/alpine is alpine. */
export function familiarName(host: string, repository: string): string {
  if (host !== DOCKER_HUB) return `${host}/${repository}`;
  const official = /^library\/([^/]+)$/.exec(repository);
  return official?.[1] ?? repository;
}

// https://github.com/distribution/reference/blob/main/reference.go
const LABEL = '[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?';
const HOST = new RegExp(`^(?:${LABEL}(?:\\.${LABEL})*|\\[[0-9a-fA-F:]+\\])(?::[0-9]{1,5})?$`);
const COMPONENT = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const PATH = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const MAX_PATH = 255;
/** Host and path of 255 characters, a tag of 128 and a sha512 digest, and the marks between them. */
const MAX_REFERENCE = 777;

const DOCKER_HUB_ALIASES = new Set([
  'index.docker.io',
  'registry-1.docker.io',
  'registry.hub.docker.com',
  'hub.docker.com',
]);

const ADVICE: Record<ReferenceFault, string> = {
  format: 'write [host/]path[:tag][@digest], such as nginx:1.27 or ghcr.io/org/app:v2.',
  uppercase: 'a repository name is lower-case.',
  toolong: 'the repository path has at most 255 characters, the whole at most 777.',
  identifier: '64 hex digits alone are an image id, not a name; write repository@sha256:...',
  'digest-alg': 'a digest is sha256:, sha384: or sha512: and hex digits.',
  'digest-len': 'sha256 has 64 hex digits, sha512 has 128.',
  'digest-format': 'a digest is an algorithm, a colon and lower-case hex digits.',
};

function splitName(text: string, name: string): { host: RegistryHost; path: RepositoryName } {
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  const isHost = first === 'localhost' || /[.:A-Z]/.test(first);
  const host = isHost ? canonicalHost(first) : DOCKER_HUB;
  let path = isHost ? name.slice(slash + 1) : name;
  if (host === DOCKER_HUB && path !== '' && !path.includes('/')) path = `library/${path}`;

  if (host.length > 255 || !HOST.test(host)) throw new InvalidReference(text, 'format');
  if (!PATH.test(path)) {
    const onlyCase = PATH.test(path.toLowerCase());
    throw new InvalidReference(text, onlyCase ? 'uppercase' : 'format');
  }
  if (path.length > MAX_PATH) throw new InvalidReference(text, 'toolong');
  return { host: host as RegistryHost, path: path as RepositoryName };
}

function canonicalHost(text: string): string {
  const host = text.toLowerCase().replace(/:443$/, '');
  return DOCKER_HUB_ALIASES.has(host) ? DOCKER_HUB : host;
}

function referenceDigest(text: string, digest: string): Digest {
  if (isDigest(digest)) return digest;
  const parts = /^([A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*):([0-9a-fA-F]{32,})$/.exec(digest);
  if (!parts) throw new InvalidReference(text, 'format');
  const [, algorithm = '', hex = ''] = parts;
  if (algorithm !== 'sha256' && algorithm !== 'sha512') throw new InvalidReference(text, 'digest-alg');
  if (hex !== hex.toLowerCase()) throw new InvalidReference(text, 'digest-format');
  throw new InvalidReference(text, 'digest-len');
}
