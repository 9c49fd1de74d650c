import pg from 'pg';
import { startPart } from '../part.ts';
import { median, print, printTable } from '../report.ts';
import { openBenchServer } from '../server.ts';
import type { Subscribers } from './subscriber-part.ts';

export interface EventsBench {
  readonly subscriptions: number;
  readonly rounds: number;
  readonly burst: number;
}

const MEGABYTE = 1024 * 1024;

/** Measures what idle subscriptions cost the API, and how soon an event has reached all of them. */
export async function benchEvents(bench: EventsBench, serverUrl: string | undefined): Promise<void> {
  const server = await openBenchServer(serverUrl);
  const graph = startPart('./query/graph-part.ts');
  const subscribers = startPart('./events/subscriber-part.ts');
  try {
    const databaseUrl = await server.createDatabase();
    const writer = new pg.Client({ connectionString: databaseUrl });
    await writer.connect();
    const write = await prepareWriter(writer);
    const url = await graph.call<string>('start', databaseUrl);

    const before = await graph.call<number>('memory');
    const opening = performance.now();
    await subscribers.call('open', { url, count: bench.subscriptions } satisfies Subscribers);
    const opened = performance.now() - opening;
    const after = await graph.call<number>('memory');
    // Whoever is told of something is subscribed.
    for (let at = 0; (await subscribers.call<number>('awake')) < bench.subscriptions; at++) await write([`sign-${at}`]);
    await write(['last']);
    await subscribers.call('await', ['last']);

    const single: number[][] = [];
    for (let round = 0; round < bench.rounds; round++) single.push(await tell([`single-${round}`]));
    const many: number[][] = [];
    for (let round = 0; round < bench.rounds; round++) {
      many.push(await tell(Array.from({ length: bench.burst }, (_, at) => `burst-${round}-${at}`)));
    }
    async function tell(tags: readonly string[]): Promise<number[]> {
      const begin = performance.timeOrigin + performance.now();
      await write(tags);
      const { first, last } = await subscribers.call<{ first: number; last: number }>('await', tags);
      return [first - begin, last - begin];
    }
    const peak = await graph.call<number>('memory');
    await writer.end();

    print(`${bench.subscriptions} subscriptions, each on a socket of its own, opened in ${opened.toFixed(0)} ms`);
    printTable(
      ['memory of the API', 'MB', 'KB of each'],
      [
        ['before', before / MEGABYTE, NaN],
        ['idle', after / MEGABYTE, (after - before) / bench.subscriptions / 1024],
        ['after the events', peak / MEGABYTE, (peak - before) / bench.subscriptions / 1024],
      ],
    );
    printTable(
      ['from the write, ms', 'to the first', 'to all'],
      [
        ['one event', ...medians(single)],
        [`the last of ${bench.burst}`, ...medians(many)],
      ],
    );
  } finally {
    await Promise.all([graph.stop(), subscribers.stop()]);
    await server.close();
  }
}

function medians(rounds: readonly number[][]): number[] {
  return [0, 1].map((at) => median(rounds.map((times) => times[at] ?? NaN)));
}

/** A repository with an image, and what creates tags for it, all in one transaction. */
async function prepareWriter(client: pg.Client): Promise<(tags: readonly string[]) => Promise<void>> {
  await client.query(`
    with g as (
      insert into registry (host, kind, url, managed_by)
      values ('bench.example.com', 'OCI', 'https://bench.example.com', 'API') returning id
    )
    insert into repository (registry_id, name, first_seen_at, updated_at) select id, 'bench/app', now(), now() from g`);
  await client.query(`
    insert into manifest (digest, kind, media_type, size, raw, first_seen_at)
    values (sha256('bench'), 'ARTIFACT', 'application/vnd.oci.image.manifest.v1+json', 2, '{}', now())`);
  return async (tags) => {
    await client.query(
      `with moved as (
         insert into tag (repository_id, name, manifest_id, first_seen_at, moved_at)
         select r.id, n.name, m.id, now(), now() from repository r, manifest m, unnest($1::text[]) as n(name)
         returning id, repository_id, manifest_id
       )
       insert into tag_event (kind, at, repository_id, tag_id, to_id)
       select 'CREATED', now(), repository_id, id, manifest_id from moved order by id`,
      [tags],
    );
  };
}
