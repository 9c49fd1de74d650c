import { PULLS, type Announcement } from '../domain/quota.ts';
import type { Headers } from './exchange.ts';
import { firstOf, millisecondsUntil } from './moment.ts';

/**
 * What an answer says of its host's limits, in every form that is in use: `RateLimit-Limit: 100;w=60` with
 * `RateLimit-Remaining` and `-Reset`, also with `X-` before it; `RateLimit: limit=100, remaining=50, reset=5`;
 * `RateLimit: "default";r=50;t=5` with `RateLimit-Policy: "default";q=100;w=60`, of which there may be several.
 * https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/
 */
export function rateLimitsOf(headers: Headers, now: number): Announcement[] {
  if (!NAMES.some((name) => headers[name] !== undefined)) return NOTHING;
  const structured = listOf(headers['ratelimit']);
  const policies = itemsOf(listOf(headers['ratelimit-policy']));
  if (structured !== '') {
    const items = itemsOf(structured);
    const named = items.filter(({ name }) => name.startsWith('"'));
    if (named.length > 0) return named.flatMap((item) => known(structuredOf(item, policies, headers, now)));
    const fields = new Map(items.map(({ name, value }) => [name.toLowerCase(), value]));
    return known({
      name: REQUESTS,
      limit: figure(fields.get('limit')),
      remaining: figure(fields.get('remaining')),
      resetsIn: endIn(fields.get('reset'), headers, now),
      span: seconds(policies[0]?.parameters.get('w')),
    });
  }
  const one = (name: string) => firstOf(headers[`ratelimit-${name}`] ?? headers[`x-ratelimit-${name}`]);
  const [limit] = itemsOf(one('limit'));
  const [remaining] = itemsOf(one('remaining'));
  return known({
    // Docker Hub, and what passes its answers on, counts fetched manifests alone.
    name: headers['docker-ratelimit-source'] === undefined ? REQUESTS : PULLS,
    limit: figure(limit?.name),
    remaining: figure(remaining?.name),
    resetsIn: endIn(one('reset'), headers, now),
    span: seconds(remaining?.parameters.get('w') ?? limit?.parameters.get('w') ?? policies[0]?.parameters.get('w')),
  });
}

const NAMES = ['ratelimit', 'ratelimit-limit', 'ratelimit-remaining', 'x-ratelimit-limit', 'x-ratelimit-remaining'];
const NOTHING: Announcement[] = [];
const REQUESTS = 'requests';
/** Names of limits that are kept; what a host calls them is shown nowhere. */
const MAX_NAME = 64;
const MAX_LENGTH = 1024;
const MAX_ITEMS = 8;
/** Ends of periods are told in whole seconds, and may have been cut. */
const MARGIN = 1_000;

/** One member of a list, such as `100;w=60`, `limit=100` or `"default";q=100`. */
interface Item {
  readonly name: string;
  /** Behind `=`. */
  readonly value: string;
  readonly parameters: ReadonlyMap<string, string>;
}

const ITEM = /^\s*("[^"]*"|[^;=,\s]+)\s*(?:=\s*([^;,]*))?/;

function itemsOf(text: string): Item[] {
  return text
    .split(',')
    .slice(0, MAX_ITEMS)
    .flatMap((part) => {
      const found = ITEM.exec(part);
      if (found === null) return [];
      const parameters = part
        .split(';')
        .slice(1)
        .map((pair) => pair.split('=', 2).map((side) => side.trim()));
      const named = new Map(parameters.map(([name = '', value = '']) => [name.toLowerCase(), value]));
      return [{ name: found[1] ?? '', value: (found[2] ?? '').trim(), parameters: named }];
    });
}

function structuredOf(
  { name, parameters }: Item,
  policies: readonly Item[],
  headers: Headers,
  now: number,
): Announcement {
  const policy = policies.find((other) => other.name === name);
  return {
    name: name === `"${PULLS}"` ? REQUESTS : name.slice(0, MAX_NAME),
    limit: figure(policy?.parameters.get('q')),
    remaining: figure(parameters.get('r')),
    resetsIn: endIn(parameters.get('t'), headers, now),
    span: seconds(policy?.parameters.get('w')),
  };
}

function known(announcement: Announcement): Announcement[] {
  return announcement.limit === null && announcement.remaining === null ? [] : [announcement];
}

/** Lists may come in several headers. */
function listOf(header: string | string[] | undefined): string {
  return (Array.isArray(header) ? header.join(',') : (header ?? '')).slice(0, MAX_LENGTH);
}

function figure(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : null;
}

function seconds(text: string | undefined): number | null {
  const value = figure(text);
  return value === null || value === 0 ? null : value * 1_000;
}

/** Milliseconds until the end of a period. */
function endIn(text: string | undefined, headers: Headers, now: number): number | null {
  const pause = millisecondsUntil(text ?? '', headers, now);
  return pause === null ? null : Math.max(pause, 0) + MARGIN;
}
