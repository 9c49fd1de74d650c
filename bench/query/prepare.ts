import pg from 'pg';
import { request } from 'undici';
import * as texts from './scenarios.ts';
import type { Scenario, ScenarioRequest } from './scenarios.ts';

const PAGE = 500;

/** The queries with what they ask for, taken from the catalog. Each is tried once on the graph, which must answer it. */
export async function prepareScenarios(databaseUrl: string, graphUrl: string): Promise<Scenario[]> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const scenarios: Scenario[] = [
      {
        name: 'an image by digest, with layers',
        query: texts.IMAGE_BY_DIGEST,
        sql: texts.IMAGE_BY_DIGEST_SQL,
        requests: await byDigest(client, 'select digest from manifest where id % 30 = 7'),
      },
      {
        name: '50 tags of a repository, with images and layers',
        query: texts.TAGS_OF_REPOSITORY,
        sql: texts.TAGS_OF_REPOSITORY_SQL,
        requests: await byRepository(client),
      },
      {
        name: 'a layer, its first 50 images and their tags',
        query: texts.IMAGES_OF_LAYER,
        sql: texts.IMAGES_OF_LAYER_SQL,
        requests: await byDigest(
          client,
          'select diff_id as digest from layer where image_count > 50 order by id limit 2000',
        ),
      },
      ...(await bySize(graphUrl)),
    ];
    for (const { query, requests } of scenarios) await ask(graphUrl, query, requests[0]?.variables ?? {});
    return scenarios;
  } finally {
    await client.end();
  }
}

async function byDigest(client: pg.Client, sql: string): Promise<ScenarioRequest[]> {
  const { rows } = await client.query<{ digest: Buffer }>(sql);
  return rows.map(({ digest }) => {
    const hex = digest.toString('hex');
    return { variables: { digest: `sha256:${hex}` }, values: [hex] };
  });
}

async function byRepository(client: pg.Client): Promise<ScenarioRequest[]> {
  const { rows } = await client.query<{ host: string; name: string }>(
    'select g.host, r.name from repository r join registry g on g.id = r.registry_id where r.tag_count >= 50 order by r.id limit 500',
  );
  return rows.map(({ host, name }) => ({ variables: { reference: `${host}/${name}` }, values: [host, name] }));
}

interface SizePage {
  readonly images: {
    readonly nodes: readonly { readonly digest: string; readonly size: number }[];
    readonly pageInfo: { readonly endCursor: string };
  };
}

/** The first page and, walked to by cursors, the last one that is measured. */
async function bySize(graphUrl: string): Promise<Scenario[]> {
  const scenario = { query: texts.IMAGES_BY_SIZE, sql: texts.IMAGES_BY_SIZE_SQL };
  let after: string | null = null;
  let size = Number.MAX_SAFE_INTEGER;
  const first = { variables: { after }, values: [size, 2 ** 31 - 1] };
  for (let page = 1; page < PAGE; page++) {
    const { images }: SizePage = await ask(graphUrl, scenario.query, { after });
    after = images.pageInfo.endCursor;
    size = images.nodes.at(-1)?.size ?? 0;
  }
  return [
    { ...scenario, name: 'linux/arm64 images by size, page 1', requests: [first] },
    {
      ...scenario,
      name: `linux/arm64 images by size, page ${PAGE}`,
      requests: [{ variables: { after }, values: [size, 0] }],
    },
  ];
}

async function ask<T>(graphUrl: string, query: string, variables: Record<string, unknown>): Promise<T> {
  const { body } = await request(graphUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await body.json()) as { data: T; errors?: { message: string }[] };
  if (errors) throw new Error(`the graph refused a query: ${errors.map(({ message }) => message).join('; ')}`);
  if (Object.values(data as object).includes(null))
    throw new Error(`the graph has nothing for ${JSON.stringify(variables)}`);
  return data;
}
