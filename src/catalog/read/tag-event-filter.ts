import sql, { raw, type Sql } from 'sql-template-tag';
import { isWildcard, parsePattern } from '../../domain/pattern.ts';
import {
  hostPattern,
  instantIn,
  nameIs,
  readingsOf,
  repositoriesIn,
  type InstantRange,
  type PlaceFilter,
} from './filter.ts';
import type { TagEventKind, TagEventRecord } from './tag-event.ts';

export interface TagEventFilter extends PlaceFilter {
  readonly kind?: readonly TagEventKind[] | null;
  readonly tag?: string | null;
  readonly at?: InstantRange | null;
}

/** An event with the names that a filter looks at. */
export interface PlacedTagEvent extends TagEventRecord {
  readonly host: string;
  readonly repositoryName: string;
}

/** In SQL, over event e and tag t. Throws INVALID_PATTERN and INVALID_REFERENCE, as does its twin below. */
export function tagEventConditions(filter: TagEventFilter): Sql[] {
  const { kind, tag, at } = filter;
  const all: Sql[] = [];
  const isThere = repositoriesIn(raw('e.repository_id'), filter, 'filter');
  if (isThere !== null) all.push(isThere);
  if (kind != null) all.push(sql`e.kind = any(${kind}::text[])`);
  if (tag != null) all.push(nameIs(raw('t.name'), tag, 'filter.tag'));
  if (at != null) all.push(instantIn(raw('e.at'), at));
  return all;
}

/** The same in the process, for events that come while many look on: it holds for those that the SQL would find. */
export function tagEventMatcher(filter: TagEventFilter | null | undefined): (event: PlacedTagEvent) => boolean {
  const { registry, repository, kind, tag, at } = filter ?? {};
  const all: ((event: PlacedTagEvent) => boolean)[] = [];
  if (registry != null) {
    const isHost = hostMatcher(registry, 'filter.registry');
    all.push(({ host }) => isHost(host));
  }
  if (repository != null) all.push(repositoryMatcher(repository, 'filter.repository'));
  if (kind != null) all.push((event) => kind.includes(event.kind));
  if (tag != null) {
    const isName = nameMatcher(tag, 'filter.tag');
    all.push(({ tagName }) => isName(tagName));
  }
  if (at?.from != null) {
    const { from } = at;
    all.push((event) => event.at >= from);
  }
  if (at?.to != null) {
    const { to } = at;
    all.push((event) => event.at < to);
  }
  return (event) => all.every((holds) => holds(event));
}

function repositoryMatcher(text: string, place: string): (event: PlacedTagEvent) => boolean {
  const ways = readingsOf(text).map(({ hosts, path }) => ({
    hosts: hosts.map((host) => hostMatcher(host, place)),
    isPath: nameMatcher(path, place),
  }));
  return ({ host, repositoryName }) =>
    ways.some(({ hosts, isPath }) => isPath(repositoryName) && hosts.every((isHost) => isHost(host)));
}

function hostMatcher(text: string, place: string): (host: string) => boolean {
  return nameMatcher(hostPattern(text, place), place);
}

function nameMatcher(text: string, place: string): (name: string) => boolean {
  const pattern = parsePattern(text, place);
  return isWildcard(text) ? (name) => pattern.matches(name) : (name) => name === text;
}
