import { existsSync, globSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { chromium, type BrowserContext } from 'playwright-core';
import { catalogBundledLayout } from '../support/bundled-layout.ts';
import { catalogOf } from '../support/catalog.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { openTestWeb, type TestWeb } from '../support/web.ts';

const ROOT = join(import.meta.dirname, '../..');
const CHROMIUM = '/usr/bin/chromium';
const isBuilt = existsSync(join(ROOT, 'ui/dist/index.html'));

let database: TestDatabase;
let web: TestWeb;

beforeAll(async () => {
  database = await createTestDatabase();
  await catalogBundledLayout(database);
  web = await openTestWeb(database);
});

afterAll(async () => {
  await web.close();
  await database.close();
});

describe('the examples in its tabs', () => {
  const files = globSync('ui/examples/*.graphql', { cwd: ROOT }).sort();

  test('are there', () => expect(files.length).toBeGreaterThanOrEqual(7));

  for (const file of files) {
    const text = readFileSync(join(ROOT, file), 'utf8');
    // What happens is shown in a browser, below.
    if (/^subscription/m.test(text)) continue;
    test(`${basename(file)} returns data on the bundled layout`, async () => {
      const { status, data, errors } = await web.ask(text);
      expect([status, errors]).toEqual([200, undefined]);
      expect(emptyPlaces(data, '')).toEqual([]);
    });
  }

  /** Where an example would show a reader nothing: no object, or a list without entries. */
  function emptyPlaces(value: unknown, path: string): string[] {
    if (MAY_BE_EMPTY.test(path)) return [];
    if (Array.isArray(value) && value.length > 0) return value.flatMap((inner) => emptyPlaces(inner, path));
    if (value === null || Array.isArray(value)) return [path];
    if (typeof value !== 'object') return [];
    return Object.entries(value).flatMap(([name, inner]) => emptyPlaces(inner, `${path}.${name}`));
  }

  const MAY_BE_EMPTY =
    /\.(message|before|after|checkedAt|lastSync|description|lastSyncedAt|from|to|deletedAt|endCursor|entrypoint|command|user|exposedPorts)$/;
});

const suite = isBuilt ? describe : describe.skip;
if (!isBuilt) console.warn('The playground has not been built: its tests are skipped. Run npm run build:ui.');

suite('its files', () => {
  test('come compressed, and are kept for a year', async () => {
    const page = await fetch(`${web.address}/graphql`, { headers: { accept: 'text/html' } });
    expect(page.headers.get('cache-control')).toBe('no-store');
    const script = /src="\.\/(playground\/[^"]+\.js)"/.exec(await page.text())?.[1];
    for (const encoding of ['br', 'gzip']) {
      const { headers, status } = await fetch(`${web.address}/${script}`, { headers: { 'accept-encoding': encoding } });
      expect([status, headers.get('content-encoding')]).toEqual([200, encoding]);
      expect(headers.get('content-type')).toContain('javascript');
      expect(headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
      expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    }
  });

  test('are the only files that can be had', async () => {
    for (const path of ['/playground/', '/playground/..%2findex.html', '/playground/..%2f..%2f..%2fpackage.json']) {
      expect((await fetch(web.address + path)).status).toBeGreaterThanOrEqual(400);
    }
  });
});

const hasBrowser = existsSync(CHROMIUM);
if (!hasBrowser) console.warn(`There is no ${CHROMIUM}: the playground's test in a browser is skipped.`);

(isBuilt && hasBrowser ? describe : describe.skip)('in a browser', () => {
  let profile: string;
  let browser: BrowserContext;

  beforeAll(async () => {
    profile = await mkdtemp(join(tmpdir(), 'stowage-browser-'));
    browser = await chromium.launchPersistentContext(profile, {
      executablePath: CHROMIUM,
      viewport: { width: 1400, height: 800 },
      args: [
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    });
  });

  afterAll(async () => {
    await browser.close();
    await rm(profile, { recursive: true });
  });

  test('the first example runs, and nothing is loaded from elsewhere', async () => {
    const page = await browser.newPage();
    page.setDefaultTimeout(15_000);
    const foreign: string[] = [];
    const complaints: string[] = [];
    browser.on('request', (request) => {
      if (!request.url().startsWith(`${web.address}/`) && !request.url().startsWith('data:'))
        foreign.push(request.url());
    });
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));

    await page.goto(web.address);
    expect(page.url()).toBe(`${web.address}/graphql`);
    expect(await page.title()).toBe('Stowage');
    for (const name of ['Overview', 'Repositories', 'Tags', 'Layers', 'TagHistory', 'LayerUses', 'RecentTagEvents']) {
      await page.getByRole('tab', { name: new RegExp(`^${name}`) }).waitFor();
    }

    await page.getByRole('button', { name: /Execute query/ }).click();
    const response = page.locator('.result-window');
    await response.getByText('samples.localhost').waitFor();
    expect(await response.textContent()).toContain('repositoryCount');

    await page.getByRole('button', { name: 'Show Documentation Explorer' }).click();
    await page.getByRole('link', { name: 'Query' }).waitFor();
    await page.getByRole('button', { name: 'Show GraphiQL Explorer' }).click();
    await page.locator('.graphiql-explorer-root').waitFor();
    expect(foreign).toEqual([]);
    expect(complaints).toEqual([]);
  });

  test('a subscription shows what happens, over a socket to the same address', async () => {
    const page = await browser.newPage();
    page.setDefaultTimeout(15_000);
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    await page.goto(`${web.address}/graphql`);
    await page.getByRole('tab', { name: /^Watch/ }).click();
    await page.getByRole('button', { name: /Execute query/ }).click();
    const build = catalogOf(database);
    const repository = await build.repository('watched.localhost/app');
    const image = await build.image(repository);
    const told = page.locator('.result-window').getByText('watched.localhost/app').waitFor();
    let isTold = false;
    void told.then(() => (isTold = true));
    for (let at = 0; !isTold; at++) {
      await build.tag(repository, `tag-${at}`, image);
      await Promise.race([told, page.waitForTimeout(10)]);
    }
    expect(complaints).toEqual([]);
  });
});
