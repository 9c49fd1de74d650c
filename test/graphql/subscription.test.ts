import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { createClient as createStreamClient } from 'graphql-sse';
import pino from 'pino';
import { WebSocket } from 'ws';
import { openDatabase, type Database } from '../../src/catalog/database.ts';
import { createReads, type SyncRunRecord } from '../../src/catalog/read/index.ts';
import { syncRunFeed } from '../../src/catalog/read/feeds/sync-run.ts';
import { tagEventMatcher, type TagEventFilter } from '../../src/catalog/read/tag-event-filter.ts';
import { createSeal, moveTags, touchRepository } from '../../src/catalog/write/index.ts';
import type { RepositoryName, TagName } from '../../src/domain/reference.ts';
import type { Commands } from '../../src/commands/index.ts';
import { openGraph } from '../../src/graphql/index.ts';
import { prepareQueue } from '../../src/queue/index.ts';
import { startWorker } from '../../src/worker/index.ts';
import { catalogOf, type CatalogBuilder, type Content } from '../support/catalog.ts';
import { anImage } from '../support/content.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { heard, liveClient, type Heard, type LiveTestClient } from '../support/live.ts';
import { MemoryRegistry } from '../support/memory-registry.ts';
import { addRuntime, observed, report } from '../support/observed-container.ts';
import { ADMIN_TOKEN, openTestWeb, type TestWeb } from '../support/web.ts';

/** No mutation is sent where they stand. */
const NO_COMMANDS = {} as Commands;

let database: TestDatabase;
let build: CatalogBuilder;
let web: TestWeb;
let other: { readonly web: TestWeb; readonly database: Database };
let repository: number;
let image: Content;
/** Ended after each test. */
let clients: LiveTestClient[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  build = catalogOf(database);
  repository = await build.repository('registry.example.com/team/app');
  image = await build.image(repository);
  web = await openTestWeb(database);
  const own = openDatabase({ url: database.url, poolSize: 4, onError: () => undefined });
  other = { database: own, web: await openTestWeb(own) };
});

afterEach(async () => {
  for (const client of clients) await client.dispose();
  clients = [];
});

afterAll(async () => {
  await other.web.close();
  await other.database.close();
  await web.close();
  await database.close();
});

function connect(to: TestWeb = web, options: Parameters<typeof liveClient>[1] = {}): LiveTestClient {
  const client = liveClient(to.address, options);
  clients.push(client);
  return client;
}

interface Event {
  readonly cursor: string;
  readonly tagName: string;
  readonly kind: string;
}

const EVENTS = `subscription ($filter: TagEventFilter, $after: String) {
  tagEvents(filter: $filter, after: $after) { cursor tagName kind }
}`;

let made = 0;
const newTag = async (name = `tag-${++made}`): Promise<string> => {
  await build.tag(repository, name, image);
  return name;
};

/** The cursor of an event that is the last one now. */
async function lastCursor(): Promise<string> {
  await newTag();
  const { data } = await web.ask('{ tagEvents(first: 1) { nodes { cursor } } }');
  return (data as { tagEvents: { nodes: Event[] } }).tagEvents.nodes[0]?.cursor ?? '';
}

/** Follows from now on: what comes after this has resolved is heard. */
async function follow(client: LiveTestClient, filter: TagEventFilter = {}): Promise<Heard> {
  const after = await lastCursor();
  const sign = await newTag('sign');
  await build.tag(repository, 'sign', null);
  const events = client.hear(EVENTS, { after, filter });
  if (Object.keys(filter).length === 0) {
    expect(await tagNames(events, 2)).toEqual([sign, sign]);
  }
  return events;
}

async function tagNames(events: Heard, count: number): Promise<string[]> {
  const names: string[] = [];
  while (names.length < count) names.push((await events.next<{ tagEvents: Event }>()).tagEvents.tagName);
  return names;
}

describe('over WebSocket', () => {
  test('every API process hears what is written, in order, and with all that an event leads to', async () => {
    const query = `subscription ($after: String) {
      tagEvents(after: $after) { kind tagName repository { reference } tag { manifest { digest } } from { digest } to { digest } }
    }`;
    const after = await lastCursor();
    const here = connect().hear(query, { after });
    const there = connect(other.web).hear(query, { after });
    const second = await build.image(repository, { layers: ['other'] });
    for (const target of [image, second, null]) await build.tag(repository, 'moving', target);
    for (const events of [here, there]) {
      const told = [];
      for (let at = 0; at < 3; at++) told.push((await events.next<{ tagEvents: object }>()).tagEvents);
      const place = { tagName: 'moving', repository: { reference: 'registry.example.com/team/app' } };
      expect(told).toMatchObject([
        { ...place, kind: 'CREATED', from: null, to: { digest: image.digest } },
        { ...place, kind: 'MOVED', from: { digest: image.digest }, to: { digest: second.digest } },
        { ...place, kind: 'DELETED', from: { digest: second.digest }, to: null },
      ]);
    }
  });

  test('only what the filter wants is told', async () => {
    const events = await follow(connect());
    const client = connect();
    const filtered = client.hear(EVENTS, {
      after: await lastCursor(),
      filter: { tag: 'wanted-*', kind: ['CREATED'], repository: 'registry.example.com/team/*' },
    });
    await newTag('unwanted');
    await newTag('wanted-1');
    await build.tag(repository, 'wanted-1', null);
    await newTag('wanted-2');
    expect(await tagNames(filtered, 2)).toEqual(['wanted-1', 'wanted-2']);
    await events.stop();
  });

  test('without a cursor it begins with what comes next', async () => {
    await newTag('before');
    const events = connect().hear(EVENTS);
    const first = events.next<{ tagEvents: Event }>();
    let isHeard = false;
    void first.then(() => (isHeard = true));
    while (!isHeard) await newTag();
    expect((await first).tagEvents.tagName).not.toBe('before');
  });

  test('who comes back with the cursor of the last event misses none, and gets none twice', async () => {
    const client = connect();
    const events = await follow(client);
    await newTag('seen');
    const { tagEvents } = await events.next<{ tagEvents: Event }>();
    await client.dispose();
    const missed = await Promise.all(Array.from({ length: 250 }, () => newTag()));
    const again = connect(other.web).hear(EVENTS, { after: tagEvents.cursor });
    const told = await tagNames(again, 250);
    expect(told.toSorted()).toEqual(missed.toSorted());
    const next = await newTag();
    expect(await tagNames(again, 1)).toEqual([next]);
  });

  test('200 subscribers cost an event a handful of statements', async () => {
    const query = `subscription {
      tagEvents { tagName kind repository { reference registry { host } } from { digest } tag { id } }
    }`;
    const sockets = [connect(), connect()];
    const all = Array.from({ length: 200 }, (_, at) => (sockets[at % 2] as LiveTestClient).hear(query));
    const begun = Promise.all(all.map((events) => events.next()));
    let areAllThere = false;
    void begun.then(() => (areAllThere = true));
    while (!areAllThere) await newTag();
    const heardOf = async (kind: string) => {
      for (const events of all) while ((await events.next<{ tagEvents: Event }>()).tagEvents.kind !== kind);
    };
    await build.tag(repository, 'shared', image);
    await build.tag(repository, 'shared', null);
    await heardOf('DELETED');
    database.statements.length = 0;
    await build.tag(repository, 'moving', image);
    await build.tag(repository, 'moving', null);
    await heardOf('DELETED');
    const reads = database.statements.filter((text) => text.includes('catalog.'));
    expect(reads.filter((text) => text.includes('tagEventsBehind')).length).toBeLessThanOrEqual(3);
    // At each of two events: the events, repositories, registries, tags and manifests.
    expect(reads.length).toBeLessThan(20);
  });

  test('who asks the same with other variables is answered otherwise', async () => {
    const query = `subscription ($after: String, $host: Boolean!) {
      tagEvents(after: $after) { tagName repository { reference @include(if: $host) name @skip(if: $host) } }
    }`;
    const after = await lastCursor();
    const [whole, short] = [true, false].map((host) => connect().hear(query, { after, host })) as [Heard, Heard];
    const tagName = await newTag();
    const repositoryOf = (repository: object) => ({ tagEvents: { tagName, repository } });
    expect(await whole.next()).toEqual(repositoryOf({ reference: 'registry.example.com/team/app' }));
    expect(await short.next()).toEqual(repositoryOf({ name: 'team/app' }));
  });

  test('queries and mutations are answered, the latter with a token', async () => {
    const mutation = 'mutation { addRegistry(input: { host: "over.example.com" }) { registry { host } } }';
    expect(await connect().hear('{ viewer { name } }').next()).toEqual({ viewer: { name: 'anonymous' } });
    const refused = await connect().hear(mutation).result();
    expect(refused?.errors?.[0]?.extensions).toMatchObject({ code: 'UNAUTHENTICATED' });
    const authorization = `Bearer ${ADMIN_TOKEN}`;
    const admin = connect(web, { connectionParams: { Authorization: authorization } });
    expect(await admin.hear(mutation).next()).toEqual({ addRegistry: { registry: { host: 'over.example.com' } } });
  });

  test('a token that is not known closes the socket with 4401', async () => {
    const client = connect(web, { connectionParams: { authorization: 'Bearer wrong' } });
    expect(await client.closed).toMatchObject({ code: 4401 });
  });

  test('pages of other origins may not connect, those of its own may', async () => {
    const open = async (origin: string) => {
      const socket = new WebSocket(`${web.address.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', { origin });
      const outcome = await Promise.race([
        once(socket, 'open').then(() => 'open'),
        once(socket, 'unexpected-response').then(([, response]) => (response as { statusCode: number }).statusCode),
      ]);
      socket.on('error', () => undefined).terminate();
      return outcome;
    };
    expect(await open(web.address)).toBe('open');
    expect(await open('https://evil.example.com')).toBe(403);
    expect(await open('null')).toBe(403);
  });

  test('a message larger than a request may be closes the socket with 1009', async () => {
    const client = connect();
    void client
      .hear(`{ viewer { name } } # ${'x'.repeat(1024 * 1024)}`)
      .result()
      .catch(() => undefined);
    expect(await client.closed).toMatchObject({ code: 1009 });
  });
});

test('an empty name of an operation is none', async () => {
  const client = connect();
  const errors = await new Promise<unknown>((resolve) =>
    client.subscribe(
      { query: 'subscription { syncRun(id: "eA") { id } }', operationName: '' },
      { next: (result) => resolve(result.errors), error: resolve, complete: () => undefined },
    ),
  );
  expect(errors).toMatchObject([{ message: expect.stringMatching(/^id "eA"/) }]);
});

describe('what is wrong', () => {
  const refusals: [string, string, Record<string, unknown>?][] = [
    ['a document that does not parse', 'subscription {'],
    ['a field that there is not', 'subscription { nothing }'],
    ['two fields at once', 'subscription { a: tagEvents { id } b: tagEvents { id } }'],
    [
      'a document that is too deep',
      `subscription { tagEvents ${'{ tag { repository { tag(name: "a") { history { nodes '.repeat(6)} { id } ${'} } } }'.repeat(6)} }`,
    ],
    [
      'too many aliases',
      `subscription { tagEvents { ${Array.from({ length: 251 }, (_, at) => `a${at}: id`).join(' ')} } }`,
    ],
    ['too many tokens', `subscription { tagEvents { ${'id '.repeat(7_000)} } }`],
    [
      'what costs too much',
      'subscription { tagEvents { repository { tags(first: 100) { nodes { history(first: 100) { nodes { repository { tags(first: 100) { nodes { history(first: 100) { nodes { id } } } } } } } } } } } }',
    ],
    ['a variable of another type', 'subscription ($id: ID!) { syncRun(id: $id) { id } }', {}],
    ['an id of something else', 'subscription { syncRun(id: "eA") { id } }'],
    ['a cursor that is none', 'subscription { tagEvents(after: "x") { id } }'],
    ['a pattern that is none', 'subscription { tagEvents(filter: { tag: "a b" }) { id } }'],
    ['a document that is too large to keep', `subscription { tagEvents { id } } # ${'x'.repeat(16_400)}`],
    ['an operation that is not there', 'query { __typename }'],
  ];

  for (const [what, query, variables = {}] of refusals) {
    test(`${what} is refused as over HTTP, whatever the transport`, async () => {
      const operationName = what.startsWith('an operation') ? 'Nothing' : undefined;
      const client = connect();
      const socket = await new Promise<unknown>((resolve) =>
        client.subscribe(
          { query, variables, operationName },
          { next: ({ errors }) => resolve(errors), error: resolve, complete: () => undefined },
        ),
      );
      const response = await fetch(`${web.address}/graphql/stream`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
        body: JSON.stringify({ query, variables, operationName }),
      });
      const streamed = eventsIn(await response.text())[0]?.data as { errors: unknown };
      const http = await fetch(`${web.address}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query: query.replace(/^subscription/, 'subscription'), variables, operationName }),
      });
      const { errors } = (await http.json()) as { errors: { message: string; extensions: { code: string } }[] };
      expect(streamed.errors).toEqual(socket);
      const codes = (socket as typeof errors).map(({ extensions }) => extensions.code);
      expect(codes.every(Boolean)).toBe(true);
      // What is found only when it begins is beyond what a plain request comes to.
      if (!errors[0]?.message.includes('not answered by a plain request')) expect(socket).toEqual(errors);
      else expect(codes).toEqual(['BAD_USER_INPUT']);
    });
  }

  test('a run that is not there is NOT_FOUND', async () => {
    const id = Buffer.from('SyncRun:4711').toString('base64url');
    const { data } = await web.ask(`{ syncRun(id: "${id}") { id } }`);
    expect(data).toEqual({ syncRun: null });
    const refused = await connect()
      .hear('subscription ($id: ID!) { syncRun(id: $id) { id } }', { id })
      .result()
      .catch((errors: unknown) => errors);
    expect(refused).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
  });

  test('a subscription by a plain request is told where to go', async () => {
    const { status, errors } = await web.ask('subscription { tagEvents { id } }');
    expect([status, errors?.[0]?.extensions['code']]).toEqual([400, 'BAD_USER_INPUT']);
    expect(errors?.[0]?.message).toContain('/graphql/stream');
  });

  test('where only documents of a list are answered, no transport answers another', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'stowage-documents-'));
    const file = join(folder, 'documents.json');
    await writeFile(file, JSON.stringify({ events: EVENTS }));
    const trusting = await openTestWeb(database, 0, { trustedDocuments: file });
    const after = await lastCursor();
    const tag = await newTag();
    const client = connect(trusting);
    const byId = client.iterate({
      query: '',
      variables: { after },
      extensions: { persistedQuery: { version: 1, sha256Hash: 'events' } },
    });
    expect(await tagNames(heard(byId), 1)).toEqual([tag]);
    const untrusted = [{ extensions: { code: 'UNTRUSTED_DOCUMENT' } }];
    await expect(client.hear('subscription { tagEvents { id } }').result()).rejects.toMatchObject(untrusted);
    const response = await fetch(`${trusting.address}/graphql/stream?query={__typename}`, {
      headers: { accept: 'text/event-stream' },
    });
    expect(eventsIn(await response.text())[0]).toMatchObject({ event: 'next', data: { errors: untrusted } });
    await trusting.close();
    await rm(folder, { recursive: true });
  });

  test('a connection has 100 operations open at most', async () => {
    const client = connect();
    for (let at = 0; at < 100; at++) void client.hear(EVENTS).result();
    await expect(client.hear(EVENTS).result()).rejects.toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
  });
});

interface ServerSentEvent {
  readonly event: string;
  readonly data: unknown;
}

function eventsIn(text: string): ServerSentEvent[] {
  return text.split('\n\n').flatMap((part) => {
    const event = /^event: (.*)$/m.exec(part)?.[1];
    const data = /^data: (.*)$/m.exec(part)?.[1];
    return event === undefined ? [] : [{ event, data: data ? (JSON.parse(data) as unknown) : null }];
  });
}

test('a process has no more subscriptions than it may have, though all begin at once', async () => {
  const graph = await openGraph({
    database: other.database,
    commands: NO_COMMANDS,
    adminToken: ADMIN_TOKEN,
    log: pino({ level: 'silent' }),
    drain: {},
  });
  const after = await lastCursor();
  const begin = (count: number, query = EVENTS) => {
    const client = { isReadOnly: false, open: 0, drop: () => undefined };
    const request = { authorization: undefined, query, variables: { after } };
    return Promise.all(Array.from({ length: count }, () => graph.answerLive(client, request)));
  };
  // What is refused as it begins takes no place.
  await begin(100, 'subscription { syncRun(id: "eA") { id } }');
  const answers = (await Promise.all(Array.from({ length: 101 }, () => begin(100)))).flat();
  const begun = answers.filter((answer) => Symbol.asyncIterator in answer);
  expect(begun.length).toBe(10_000);
  const refused = answers.find((answer) => 'errors' in answer);
  expect(refused).toMatchObject({ errors: [{ extensions: { code: 'SERVICE_UNAVAILABLE' } }] });
  for (const answer of begun) await answer.return(undefined);
  expect((await begin(1)).every((answer) => Symbol.asyncIterator in answer)).toBe(true);
  await graph.close();
}, 60_000);

describe('over server-sent events', () => {
  for (const singleConnection of [false, true]) {
    const mode = singleConnection ? 'that all operations share' : 'of its own';
    test(`a stream ${mode} tells events, and goes on from a cursor`, async () => {
      const client = createStreamClient({ url: `${web.address}/graphql/stream`, singleConnection, retryAttempts: 0 });
      const after = await lastCursor();
      const first = heard(client.iterate({ query: EVENTS, variables: { after } }) as never);
      const second = heard(client.iterate({ query: EVENTS, variables: { after, filter: { tag: 'two' } } }) as never);
      await newTag('one');
      await newTag('two');
      expect(await tagNames(first, 2)).toEqual(['one', 'two']);
      expect(await tagNames(second, 1)).toEqual(['two']);
      await build.tag(repository, 'two', null);
      await first.stop();
      expect(await tagNames(second, 1)).toEqual(['two']);
      client.dispose();
    });
  }

  test('a GET is enough for what browsers have built in', async () => {
    const after = await lastCursor();
    await newTag('got');
    const url = new URL(`${web.address}/graphql/stream`);
    url.search = new URLSearchParams({ query: EVENTS, variables: JSON.stringify({ after }) }).toString();
    const abort = new AbortController();
    const response = await fetch(url, { headers: { accept: 'text/event-stream' }, signal: abort.signal });
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    let text = '';
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      text += Buffer.from(chunk).toString();
      if (text.includes('"got"')) break;
    }
    abort.abort();
    expect(eventsIn(text)).toMatchObject([{ event: 'next', data: { data: { tagEvents: { tagName: 'got' } } } }]);
  });

  test('mutations are refused, token or not', async () => {
    const response = await fetch(`${web.address}/graphql/stream`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'text/event-stream',
        authorization: `Bearer ${ADMIN_TOKEN}`,
      },
      body: JSON.stringify({ query: 'mutation { removeRegistry(input: { host: "docker.io" }) { removedId } }' }),
    });
    const [refused] = eventsIn(await response.text());
    expect(refused?.data).toMatchObject({ errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] });
  });

  test('who does not ask for events is told to', async () => {
    const response = await fetch(`${web.address}/graphql/stream?query={__typename}`);
    expect([response.status, await response.json()]).toMatchObject([406, { errors: [{ extensions: {} }] }]);
  });
});

/** One writer of events, in the way of a sync. */
async function moveInto(writer: Database, name: RepositoryName, registryId: number, tag: string): Promise<void> {
  const place = { registryId, name };
  await writer.transaction(async (transaction) => {
    await touchRepository(transaction, place, new Date());
    const moved = moveTags(transaction, place, new Map([[tag as TagName, image.digest]]), new Date());
    await Promise.all([moved, transaction.commit()]);
  });
}

describe('the order of events', () => {
  test("who follows by cursor sees each of many writers' events exactly once", async () => {
    const after = await lastCursor();
    const registryId = await build.registry('registry.example.com');
    const writers = Array.from({ length: 6 }, () =>
      openDatabase({ url: database.url, poolSize: 1, isWorker: true, onError: () => undefined }),
    );
    const live = connect(other.web).hear(EVENTS, { after });
    let isWriting = true;
    const expected: string[] = [];
    const writing = Promise.all(
      writers.map(async (writer, at) => {
        for (let turn = 0; turn < 40; turn++) {
          const tag = `writer-${at}-${turn}`;
          expected.push(tag);
          await moveInto(writer, `written/by-${at}` as RepositoryName, registryId, tag);
        }
      }),
    ).finally(() => (isWriting = false));

    const seen: string[] = [];
    let cursor = after;
    for (let isDone = false; !isDone;) {
      isDone = !isWriting;
      for (;;) {
        const { data } = await web.ask(
          'query ($after: String) { tagEvents(first: 7, direction: ASC, after: $after) { nodes { cursor tagName } } }',
          { after: cursor },
        );
        const { nodes } = (data as { tagEvents: { nodes: Event[] } }).tagEvents;
        if (nodes.length === 0) break;
        seen.push(...nodes.map(({ tagName }) => tagName));
        cursor = nodes.at(-1)?.cursor ?? cursor;
      }
    }
    await writing;
    expect(seen.toSorted()).toEqual(expected.toSorted());
    expect(await tagNames(live, expected.length)).toEqual(seen);
    for (const writer of writers) await writer.close();
  });

  test('a writer of events waits until the one before it has committed', async () => {
    const registryId = await build.registry('registry.example.com');
    const [first, second] = [0, 1].map(() =>
      openDatabase({ url: database.url, poolSize: 1, isWorker: true, onError: () => undefined }),
    ) as [Database, Database];
    const after = await lastCursor();
    const order: string[] = [];
    const inserted = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const slow = first.transaction(async (transaction) => {
      const place = { registryId, name: 'slow/one' as RepositoryName };
      await touchRepository(transaction, place, new Date());
      await moveTags(transaction, place, new Map([['slow' as TagName, image.digest]]), new Date());
      inserted.resolve();
      await release.promise;
      order.push('slow');
    });
    await inserted.promise;
    const quick = moveInto(second, 'quick/one' as RepositoryName, registryId, 'quick').then(() => order.push('quick'));
    // It waits for the lock, not for us.
    for (let isWaiting = false; !isWaiting;) {
      const rows = await database.run<{ waiting: boolean }>(
        `select exists (
           select from pg_locks l join pg_database d on d.oid = l.database
           where l.locktype = 'advisory' and not l.granted and d.datname = current_database()
         ) as waiting`,
        [],
      );
      isWaiting = rows[0]?.waiting ?? false;
    }
    release.resolve();
    await Promise.all([slow, quick]);
    expect(order).toEqual(['slow', 'quick']);
    expect(await tagNames(connect().hear(EVENTS, { after }), 2)).toEqual(['slow', 'quick']);
    await first.close();
    await second.close();
  });

  test('histories read forwards as well', async () => {
    await build.tag(repository, 'history', image);
    await build.tag(repository, 'history', null);
    const { data } = await web.ask(
      `{ tag(reference: "registry.example.com/team/app:history") {
        old: history(direction: ASC) { nodes { kind cursor } }
        new: history { nodes { kind } }
      } }`,
    );
    const tag = (data as { tag: { old: { nodes: Event[] }; new: { nodes: Event[] } } }).tag;
    expect(tag.old.nodes.map(({ kind }) => kind)).toEqual(['CREATED', 'DELETED']);
    expect(tag.new.nodes.map(({ kind }) => kind)).toEqual(['DELETED', 'CREATED']);
    const behind = await web.ask(
      `query ($after: String) { repository(reference: "registry.example.com/team/app") {
        history(direction: ASC, after: $after) { nodes { tagName kind } }
      } }`,
      { after: tag.old.nodes[0]?.cursor },
    );
    expect(behind.data).toEqual({ repository: { history: { nodes: [{ tagName: 'history', kind: 'DELETED' }] } } });
  });
});

describe('what may break', () => {
  test('a connection that listens and is lost costs nobody an event', async () => {
    const events = await follow(connect());
    // One that has listened for a while has asked since whether it is still there.
    const listening = `select pid from pg_stat_activity
      where datname = current_database() and (query like 'listen %' or query = 'select')`;
    const pidsOf = async (statement: string) =>
      (await database.run<{ pid: number }>(statement, [])).map(({ pid }) => pid);
    for (let round = 0; round < 3; round++) {
      const ended = await pidsOf(`select pid, pg_terminate_backend(pid) from (${listening}) listener`);
      expect(ended.length).toBeGreaterThan(0);
      const names = [await newTag(), await newTag()];
      expect(await tagNames(events, 2)).toEqual(names);
      for (let isBack = false; !isBack;) {
        isBack = (await pidsOf(listening)).filter((pid) => !ended.includes(pid)).length >= 2;
      }
    }
  });

  test('a client that does not read is closed with 4413, and others go on', async () => {
    const fields = Array.from({ length: 200 }, (_, at) => `a${at}: cursor`).join(' ');
    const after = await lastCursor();
    const socket = new WebSocket(`${web.address.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    await once(socket, 'open');
    socket.send(JSON.stringify({ type: 'connection_init' }));
    await once(socket, 'message');
    const query = `subscription ($after: String) { tagEvents(after: $after) { ${fields} } }`;
    socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query, variables: { after } } }));
    const told = once(socket, 'message');
    await newTag();
    await told;
    const reader = connect().hear(EVENTS, { after, filter: { tag: 'flood' } });
    socket.pause();
    const closed = once(socket, 'close');
    const flood = async () => {
      await database.run(
        `insert into tag_event (kind, at, repository_id, tag_id, to_id)
         select 'MOVED', now(), repository_id, id, manifest_id from tag, generate_series(1, 500)
         where repository_id = $1 and name = $2`,
        [repository, 'flood'],
      );
    };
    await newTag('flood');
    for (let round = 0; round < 6; round++) await flood();
    while (!web.lines.some(({ msg }) => String(msg).includes('was dropped'))) await newTag();
    socket.resume();
    const [code, reason] = (await closed) as [number, Buffer];
    expect([code, reason.toString()]).toEqual([4413, expect.stringContaining('after')]);
    expect(await tagNames(reader, 3_001)).toHaveLength(3_001);
  });

  test('when the server stops, sockets are told with 1001 and streams end', async () => {
    const own = openDatabase({ url: database.url, poolSize: 4, onError: () => undefined });
    const stopping = await openTestWeb(own);
    const client = connect(stopping);
    const events = await follow(client);
    const response = await fetch(`${stopping.address}/graphql/stream`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ query: EVENTS }),
    });
    const streamed = response.text();
    void events.result().catch(() => undefined);
    await stopping.close();
    await own.close();
    expect(await client.closed).toMatchObject({ code: 1001 });
    // Not even that it is complete: the client is to come back.
    expect(eventsIn(await streamed)).toEqual([]);
  });
});

describe('containers', () => {
  interface ContainerEvent {
    readonly cursor: string;
    readonly kind: string;
    readonly container: { readonly name: string };
  }
  const CONTAINER_EVENTS = `subscription ($runtime: String, $after: String) {
    containerEvents(runtime: $runtime, after: $after) { cursor kind at state previousState container { name runtime { name } } }
  }`;
  const LIST = `query ($runtime: String, $after: String) {
    containerEvents(first: 7, direction: ASC, runtime: $runtime, after: $after) { nodes { cursor kind container { name } } }
  }`;
  const at = (minute: number) => new Date(Date.UTC(2026, 2, 1, 8, minute)).toISOString();
  const containersOf = (...names: string[]) => names.map((name) => observed({ containerId: name }));
  const told = async (events: Heard) => (await events.next<{ containerEvents: ContainerEvent }>()).containerEvents;
  let host: number;
  let minute = 0;

  beforeAll(async () => {
    host = await addRuntime(database, 'events-1');
  });

  /** The cursor of an event that is the last one now. */
  async function lastContainerCursor(): Promise<string> {
    const name = `last-${++minute}`;
    await report(database, host, at(minute), containersOf(name), { present: null });
    const { data } = await web.ask('{ containerEvents(first: 1) { nodes { cursor container { name } } } }');
    const [last] = (data as { containerEvents: { nodes: ContainerEvent[] } }).containerEvents.nodes;
    expect(last?.container.name).toBe(name);
    return last?.cursor ?? '';
  }

  test('every process tells what is seen, changes and is removed, in order', async () => {
    const after = await lastContainerCursor();
    const heardBy = [connect(), connect(other.web)].map((client) => client.hear(CONTAINER_EVENTS, { after }));
    const runtime = await addRuntime(database, 'events-2');
    const [seen] = containersOf('a');
    await report(database, runtime, at(0), seen ? [seen] : []);
    await report(database, runtime, at(1), seen ? [{ ...seen, state: 'EXITED' }] : []);
    await report(database, runtime, at(2), []);
    const container = { name: 'a', runtime: { name: 'events-2' } };
    for (const events of heardBy) {
      expect([await told(events), await told(events), await told(events)]).toMatchObject([
        { kind: 'SEEN', at: at(0), state: 'RUNNING', previousState: null, container },
        { kind: 'STATE_CHANGED', at: at(1), state: 'EXITED', previousState: 'RUNNING', container },
        { kind: 'REMOVED', at: at(2), state: 'EXITED', previousState: 'EXITED', container },
      ]);
    }
  });

  test('who follows one runtime hears nothing of others, now and of what was missed', async () => {
    const after = await lastContainerCursor();
    const runtime = await addRuntime(database, 'events-3');
    const names = Array.from({ length: 120 }, (_, place) => `missed-${String(place).padStart(3, '0')}`);
    await report(database, host, at(++minute), containersOf('another'), { present: null });
    await report(database, runtime, at(0), containersOf(...names));
    const events = connect().hear(CONTAINER_EVENTS, { runtime: 'events-3', after });
    const missed: string[] = [];
    while (missed.length < names.length) missed.push((await told(events)).container.name);
    expect(missed).toEqual(names);
    await report(database, host, at(++minute), containersOf('one more'), { present: null });
    await report(database, runtime, at(1), containersOf(...names, 'new'));
    expect((await told(events)).container.name).toBe('new');
  });

  test("who follows by cursor sees each of many writers' events exactly once", async () => {
    const after = await lastContainerCursor();
    const live = connect(other.web).hear(CONTAINER_EVENTS, { after });
    const runtimes = await Promise.all(
      Array.from({ length: 5 }, (_, place) => addRuntime(database, `writer-${place}`)),
    );
    const writers = runtimes.map(() =>
      openDatabase({ url: database.url, poolSize: 1, isWorker: true, onError: () => undefined }),
    );
    const expected: string[] = [];
    let isWriting = true;
    const writing = Promise.all(
      writers.map(async (writer, place) => {
        for (let turn = 0; turn < 20; turn++) {
          const names = [`${place}-${turn}-a`, `${place}-${turn}-b`];
          expected.push(...names);
          await report(writer, runtimes[place] ?? 0, at(turn), containersOf(...names), { present: null });
        }
      }),
    ).finally(() => (isWriting = false));
    const seen: string[] = [];
    let cursor = after;
    for (let isDone = false; !isDone;) {
      isDone = !isWriting;
      for (;;) {
        const { data } = await web.ask(LIST, { after: cursor });
        const { nodes } = (data as { containerEvents: { nodes: ContainerEvent[] } }).containerEvents;
        if (nodes.length === 0) break;
        seen.push(...nodes.map(({ container }) => container.name));
        cursor = nodes.at(-1)?.cursor ?? cursor;
      }
    }
    await writing;
    expect(seen.toSorted()).toEqual(expected.toSorted());
    const heardLive: string[] = [];
    while (heardLive.length < expected.length) heardLive.push((await told(live)).container.name);
    expect(heardLive).toEqual(seen);
    for (const writer of writers) await writer.close();
  });

  test('a runtime that is not there is NOT_FOUND, and a cursor of a tag is none', async () => {
    const refused = (variables: Record<string, unknown>) =>
      connect()
        .hear(CONTAINER_EVENTS, variables)
        .result()
        .catch((errors: unknown) => errors);
    expect(await refused({ runtime: 'nowhere' })).toMatchObject([
      { message: expect.stringMatching(/^runtime "nowhere" is not in the catalog/), extensions: { code: 'NOT_FOUND' } },
    ]);
    expect(await refused({ after: await lastCursor() })).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
    const { errors } = await web.ask(LIST, { runtime: 'nowhere' });
    expect(errors).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
  });
});

test('a run is told as it is, as it goes on, and as it ended, by every process', async () => {
  const own = await createTestDatabase();
  await prepareQueue(own);
  const rows = catalogOf(own);
  const known = await rows.repository('known.example.com/team/app');
  await rows.tag(known, 'known', await rows.image(known));
  const apis = [await openTestWeb(own), await openTestWeb(own)];
  const registry = new MemoryRegistry();
  const names = ['app/one', 'app/two', 'app/three'];
  for (const name of names) registry.push(name, 'latest', anImage());
  const asked = Promise.withResolvers<void>();
  registry.pause = (what) => (what.startsWith('tags app/three') ? asked.promise : Promise.resolve());
  const workerDatabase = openDatabase({ url: own.url, poolSize: 6, isWorker: true, onError: () => undefined });
  const worker = await startWorker({
    database: workerDatabase,
    seal: createSeal(Buffer.alloc(32, 7)),
    openRegistry: () => Promise.resolve(registry),
    log: pino({ level: 'silent' }),
    concurrency: 2,
  });
  const added = await apis[0]?.ask(
    `mutation { addRegistry(input: { host: "${registry.host}" }) { userErrors { message } }
      addSyncSource(input: { registry: "${registry.host}", repositories: "*" }) { source { id } } }`,
    {},
    { asAdmin: true },
  );
  const source = (added?.data as { addSyncSource: { source: { id: string } } }).addSyncSource.source.id;
  const last = await apis[0]?.ask('{ tagEvents(first: 1) { nodes { cursor } } }');
  const after = (last?.data as { tagEvents: { nodes: Event[] } }).tagEvents.nodes[0]?.cursor;
  const eventsBehind = 'subscription ($after: String) { tagEvents(after: $after) { tagName repository { name } } }';
  const tagEvents = apis.map((api) => connect(api).hear(eventsBehind, { after }));
  const requested = await apis[0]?.ask(
    'mutation ($source: ID!) { requestSync(input: { source: $source }) { run { id } } }',
    { source },
    { asAdmin: true },
  );
  const { id } = (requested?.data as { requestSync: { run: { id: string } } }).requestSync.run;
  interface Run {
    readonly status: string;
    readonly repositoriesDone: number;
  }
  const query = 'subscription ($id: ID!) { syncRun(id: $id) { status repositoriesDone repositoriesTotal } }';
  const atTwo = new Set<TestWeb>();
  const runs = await Promise.all(
    apis.map(async (api) => {
      const told: Run[] = [];
      const heardOf = connect(api).hear(query, { id });
      for (;;) {
        const result = await heardOf.result();
        if (result === null) return told;
        const run = (result.data as { syncRun: Run }).syncRun;
        told.push(run);
        // It is two of three only while the third waits.
        if (run.repositoriesDone === 2) atTwo.add(api);
        if (atTwo.size === apis.length) asked.resolve();
      }
    }),
  );
  for (const told of runs) {
    expect(told.at(-1)).toEqual({ status: 'SUCCEEDED', repositoriesDone: 3, repositoriesTotal: 3 });
    expect(told.map(({ repositoriesDone }) => repositoriesDone)).toContain(2);
  }
  for (const events of tagEvents) {
    const told = [];
    for (let at = 0; at < 3; at++) {
      const { tagEvents: event } = await events.next<{ tagEvents: { repository: { name: string } } }>();
      told.push(event.repository.name);
    }
    expect(told.toSorted()).toEqual(names.toSorted());
  }
  await worker.stop();
  await workerDatabase.close();
  for (const api of apis) await api.close();
  await own.close();
});

test('who follows without a cursor is not told what was committed before, though it is heard later', async () => {
  const own = await createTestDatabase();
  const rows = catalogOf(own);
  const id = await rows.repository('registry.example.com/team/app');
  const content = await rows.image(id);
  const reads = createReads(own);
  const ear = reads.ears.find(({ channel }) => channel === 'stowage_tag_event');
  const following = async () => reads.followTagEvents({}, () => undefined);
  await ear?.hear(null);
  const early = await following();
  await rows.tag(id, 'before', content);
  const late = await following();
  await ear?.hear(null);
  await rows.tag(id, 'after', content);
  await ear?.hear(null);
  const nameOf = async (events: typeof early) => (await events.next()).value?.value.tagName;
  expect([await nameOf(early), await nameOf(early)]).toEqual(['before', 'after']);
  expect(await nameOf(late)).toBe('after');
  await own.close();
});

test('a run does not go back for who came while it was read, and its end is not lost', async () => {
  const asked = Array.from({ length: 4 }, () => Promise.withResolvers<(run: Partial<SyncRunRecord>) => void>());
  let at = 0;
  const feed = syncRunFeed(
    () => new Promise((resolve) => asked[at++]?.resolve((run) => resolve(new Map([[1, run as SyncRunRecord]])))),
  );
  const answer = async (reading: number, tagsSeen: number, finishedAt: Date | null = null) =>
    (await asked[reading]?.promise)?.({ tagsSeen, finishedAt });
  const toldTo = async (following: ReturnType<typeof feed.followSyncRun>) => {
    const told: number[] = [];
    for await (const { value } of await following) told.push(value.tagsSeen);
    return told;
  };
  const early = toldTo(feed.followSyncRun(1, () => undefined));
  await answer(0, 1);
  const changed = feed.syncRunEar.hear(1);
  await asked[1]?.promise;
  const late = feed.followSyncRun(1, () => undefined);
  await answer(2, 2);
  await late;
  // It was asked before the late one, and is answered behind it.
  await answer(1, 1);
  await answer(3, 3, new Date());
  await changed;
  expect(await Promise.all([early, toldTo(late)])).toEqual([
    [1, 1, 3],
    [2, 3],
  ]);
});

test('a filter holds in the process for what it finds in the database', async () => {
  const own = await createTestDatabase();
  const rows = catalogOf(own);
  const places = ['docker.io/library/alpine', 'docker.io/team/alpine', 'ghcr.io/team/app', 'localhost:5000/alpine'];
  for (const place of places) {
    const id = await rows.repository(place);
    const content = await rows.image(id);
    for (const [at, name] of ['latest', '1.0', '1_0', 'V1', 'v1'].entries()) {
      await rows.tag(id, name, content, new Date(Date.UTC(2026, 0, 1 + at)).toISOString());
      if (at % 2 === 0) await rows.tag(id, name, null, new Date(Date.UTC(2026, 0, 10 + at)).toISOString());
    }
  }
  const reads = createReads(own);
  const events = await reads.tagEventsBehind(0, 1_000);
  expect(events.length).toBe(32);

  const pattern = (...names: string[]) =>
    fc.oneof(
      fc.constantFrom(...names, ...names.map((name) => name.toUpperCase()), '*', '?*', '**', '_', '%', '*_0', '1?0'),
      fc.constantFrom(...names).chain((name) => fc.nat(name.length).map((cut) => `${name.slice(0, cut)}*`)),
      fc
        .constantFrom(...names)
        .chain((name) => fc.nat(name.length - 1).map((cut) => name.slice(0, cut) + '?' + name.slice(cut + 1))),
    );
  const instant = fc.date({ min: new Date('2025-12-30'), max: new Date('2026-01-20'), noInvalidDate: true });
  const filters: fc.Arbitrary<TagEventFilter> = fc.record(
    {
      registry: pattern('docker.io', 'ghcr.io', 'localhost:5000', 'index.docker.io'),
      repository: pattern('alpine', 'library/alpine', 'docker.io/alpine', 'team/app', ...places),
      kind: fc.uniqueArray(fc.constantFrom('CREATED', 'MOVED', 'DELETED')),
      tag: pattern('latest', '1.0', '1_0', 'v1'),
      at: fc.record({ from: instant, to: instant }, { requiredKeys: [] }),
    },
    { requiredKeys: [] },
  );
  const outcome = async (find: () => Promise<number[]>) =>
    find().catch((error: unknown) => (error as { code: string }).code);
  await fc.assert(
    fc.asyncProperty(filters, async (filter) => {
      const found = await outcome(async () => {
        const page = await reads.tagEvents.page({ filter, direction: 'ASC', first: 100 });
        return page.nodes.map(({ id }) => id);
      });
      const matched = await outcome(async () => events.filter(tagEventMatcher(filter)).map(({ id }) => id));
      expect(matched).toEqual(found);
    }),
    { seed: 20261124, numRuns: 300 },
  );
  await own.close();
});
