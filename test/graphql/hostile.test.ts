import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { hostileRequests } from '../support/hostile-requests.ts';
import { openTestWeb, type Answer, type TestWeb } from '../support/web.ts';

/** An answer to whatever was sent is no longer than this, in characters. */
const LONGEST = 60_000;

/** What the API asks on its own when it begins to listen. */
const LISTENER = /catalog\.last(Tag|Container)EventId/;

let database: TestDatabase;
let web: TestWeb;

beforeAll(async () => {
  database = await createTestDatabase();
  web = await openTestWeb(database);
});

afterAll(async () => {
  await web.close();
  await database.close();
});

describe('is refused, shortly and with what to change, and asks nothing of the database:', () => {
  test.each(hostileRequests.map((request) => [request.name, request] as const))('%s', async (_, request) => {
    database.statements.length = 0;
    const response = await fetch(`${web.address}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: typeof request.body === 'string' ? request.body : JSON.stringify(request.body),
    });
    const text = await response.text();
    const { data, errors } = JSON.parse(text) as Omit<Answer, 'status'>;
    expect({ status: response.status, code: errors?.[0]?.extensions['code'] }).toEqual({
      status: request.status,
      code: request.code,
    });
    expect(errors?.[0]?.message).toMatch(request.message);
    expect(Object.values(data ?? {}).filter((value) => value !== null)).toEqual([]);
    expect(text.length).toBeLessThan(LONGEST);
    expect(database.statements.filter((text) => !LISTENER.test(text))).toEqual([]);
  });
});

test('nothing of it was taken for a fault of ours', () => {
  expect(web.lines.filter(({ level }) => Number(level) >= 40)).toEqual([]);
});
