import pg from 'pg';
import { request } from 'undici';
import { type QUESTIONS, type Side } from './questions.ts';

/** A question with what it is asked with. */
export interface Scenario {
  readonly name: string;
  readonly question: keyof typeof QUESTIONS;
  /** In turn; for each side its variables, or the values of its statement. */
  readonly requests: readonly Record<Side, object>[];
}

/** A catalog, and where its sides answer; those that are not asked are not there. */
export interface Catalog {
  readonly databaseUrl: string;
  readonly images: number;
  readonly urls: Partial<Record<Side, string>> & { readonly graph: string };
}

/** What is measured on a catalog: the same on every one, but for the keys, which are taken from it. */
export async function prepareScenarios(catalog: Catalog): Promise<Scenario[]> {
  const client = new pg.Client({ connectionString: catalog.databaseUrl });
  await client.connect();
  try {
    const [images, layers] = [
      await byDigest(client, 'select digest from manifest where id % 30 = 7'),
      await byDigest(client, 'select diff_id as digest from layer where image_count > 50 order by id limit 2000'),
    ];
    return [
      { name: 'an image by digest, with its layers', question: 'imageByDigest', requests: images },
      {
        name: '50 tags of a repository, with images and layers',
        question: 'tagsOfRepository',
        requests: await byRepository(client),
      },
      { name: 'a layer, its first 50 images and their tags', question: 'imagesOfLayer', requests: layers },
      ...(await bySize(catalog)),
      { name: 'repositories by a text', question: 'repositoriesByText', requests: byText() },
    ];
  } finally {
    await client.end();
  }
}

async function byDigest(client: pg.Client, sql: string): Promise<Scenario['requests']> {
  const { rows } = await client.query<{ digest: Buffer }>(sql);
  return rows.map(({ digest }) => {
    const hex = digest.toString('hex');
    return { graph: { digest: `sha256:${hex}` }, postgraphile: { digest: digest.toString('base64') }, sql: [hex] };
  });
}

async function byRepository(client: pg.Client): Promise<Scenario['requests']> {
  const { rows } = await client.query<{ host: string; name: string }>(
    'select g.host, r.name from repository r join registry g on g.id = r.registry_id where r.tag_count >= 50 order by r.id limit 500',
  );
  return rows.map(({ host, name }) => ({
    graph: { reference: `${host}/${name}` },
    postgraphile: { host, name },
    sql: [host, name],
  }));
}

/** Each is in a few names, as when people look for a repository that they know. */
function byText(): Scenario['requests'] {
  const texts = Array.from({ length: 300 }, (_, at) => `${['web', 'api', 'mail'][at % 3]}-${10 + at}`);
  return texts.map((text) => ({ graph: { text }, postgraphile: { text }, sql: [text] }));
}

/** Where a page of images by size begins, for each side. */
interface SizeCursor {
  readonly graph: string | null;
  readonly postgraphile: string | null;
  readonly sql: readonly [size: number, id: number];
}

/** The first page, and one behind more than half of the list: the 500th of a catalog of 150,000 images. */
async function bySize(catalog: Catalog): Promise<Scenario[]> {
  const page = Math.floor(catalog.images / 300);
  const first: SizeCursor = { graph: null, postgraphile: null, sql: [Number.MAX_SAFE_INTEGER, 2 ** 31 - 1] };
  const scenarioFrom = (name: string, { graph, postgraphile, sql }: SizeCursor): Scenario => ({
    name: `linux/arm64 images by size with counts, ${name}`,
    question: 'imagesBySize',
    requests: [{ graph: { after: graph }, postgraphile: { after: postgraphile }, sql }],
  });
  return [scenarioFrom('page 1', first), scenarioFrom('a deep page', await cursorBehind(catalog, (page - 1) * 50))];
}

async function cursorBehind({ databaseUrl, urls }: Catalog, entries: number): Promise<SizeCursor> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  const { rows } = await client
    .query<{ size: string; manifest_id: number }>(
      `select size, manifest_id from image where os = 'linux' and architecture = 'arm64'
       order by size desc, manifest_id desc offset $1 limit 1`,
      [entries - 1],
    )
    .finally(() => client.end());
  const { size, manifest_id: id } = rows[0] ?? { size: '0', manifest_id: 0 };
  return {
    graph: await walk(urls.graph, entries),
    postgraphile: urls.postgraphile === undefined ? null : await leap(urls.postgraphile, entries),
    sql: [Number(size), id],
  };
}

/** By pages, as the graph gives no more than a hundred entries at once. */
async function walk(url: string, entries: number): Promise<string | null> {
  const query = `query ($first: Int!, $after: String) {
    images(first: $first, after: $after, filter: { os: "linux", architecture: "arm64" }, orderBy: { field: SIZE, direction: DESC }) {
      pageInfo { endCursor }
    }
  }`;
  let after: string | null = null;
  for (let left = entries; left > 0; left -= 100) {
    const { images }: { images: { pageInfo: { endCursor: string } } } = await ask(url, query, {
      first: Math.min(left, 100),
      after,
    });
    after = images.pageInfo.endCursor;
  }
  return after;
}

async function leap(url: string, entries: number): Promise<string> {
  const query = `query ($first: Int!) {
    allImages(first: $first, condition: { os: "linux", architecture: "arm64" }, orderBy: [SIZE_DESC, MANIFEST_ID_DESC]) {
      pageInfo { endCursor }
    }
  }`;
  const { allImages } = await ask<{ allImages: { pageInfo: { endCursor: string } } }>(url, query, { first: entries });
  return allImages.pageInfo.endCursor;
}

async function ask<T>(url: string, query: string, variables: object): Promise<T> {
  const headers = { 'content-type': 'application/json', accept: 'application/json' };
  const { body } = await request(url, { method: 'POST', headers, body: JSON.stringify({ query, variables }) });
  const { data, errors } = (await body.json()) as { data: T; errors?: { message: string }[] };
  if (errors) throw new Error(`${url} refused a query: ${errors.map(({ message }) => message).join('; ')}`);
  return data;
}
