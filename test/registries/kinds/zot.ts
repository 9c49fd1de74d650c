import type { RepositoryName } from '../../../src/domain/reference.ts';
import { openZot } from '../../../src/registries/zot/index.ts';
import { DESCRIBE, searchPath, TAG_QUERIES } from '../../../src/registries/zot/search.ts';
import {
  describeRegistry,
  namesAndAll,
  never,
  openPlayed,
  type RegistryPlay,
} from '../../support/registry-contract.ts';
import { sampleJson } from '../../support/samples.ts';
import type { Entry } from '../../support/scripted-server.ts';

const repository = 'library/app' as RepositoryName;
const LIST = '/v2/library/app/tags/list';
const DIGEST = 'sha256:ad51d2168f26941df058c2272998ad3351238dfd83c7a9abc84840c909d63b1b';
const SIGNATURE = `${DIGEST.replace(':', '-')}.sig`;
const DISCOVER = 'GET /v2/_oci/ext/discover';
const [WITH_DATES = '', WITHOUT_DATES = ''] = TAG_QUERIES;
const challenge = { status: 401, headers: { 'www-authenticate': 'Basic realm="Authorization Required"' } };
const BASIC = 'Basic bWU6emFrX3g=';

const discovered = (...endpoints: string[]): Entry => ({
  request: DISCOVER,
  body: { extensions: [{ name: '_zot', url: '', description: 'zot registry extensions', endpoints }] },
});
const searches = discovered('/v2/_zot/ext/search', '/v2/_zot/ext/mgmt');
const search = (query: string, offset = 0) => `GET ${searchPath(query, repository, offset)}`;
const refused = { body: { errors: [{ message: 'Cannot query field "TaggedTimestamp" on type "ImageSummary".' }] } };

const play: RegistryPlay = {
  kind: 'ZOT',
  addresses: [],
  open: openZot,
  repository,
  always: () => [
    { ...searches, times: 'any' },
    { request: search(WITH_DATES), body: sampleJson<object>('zot-search-image-list.json') ?? {}, times: 'any' },
  ],
  pages: (origin) => [
    {
      request: `GET ${LIST}?n=1000`,
      body: { tags: ['1.0', 'new'] },
      headers: { link: `<${origin}${LIST}?n=1000&last=new>; rel="next"` },
    },
    { request: `GET ${LIST}?n=1000&last=new`, body: { tags: [SIGNATURE] } },
  ],
  tags: [
    { name: '1.0', digest: DIGEST, pushedAt: new Date('2026-08-20T10:00:00.000Z') },
    { name: 'new' },
    { name: SIGNATURE },
  ],
  signIn: {
    credential: { kind: 'basic', username: 'me', password: 'zak_x' },
    right: () => [
      { request: DISCOVER, ...challenge },
      { ...searches, having: { authorization: BASIC } },
    ],
    authorization: BASIC,
    wrong: () => [
      { request: DISCOVER, ...challenge, times: 2 },
      { request: `GET ${LIST}?n=1000`, ...challenge },
    ],
  },
  limited: (until) => ({
    status: 429,
    headers: { 'retry-after': until.toUTCString() },
    body: { errors: [{ code: 'TOOMANYREQUESTS' }] },
  }),
  described: {
    entries: [
      {
        request: search(DESCRIBE),
        body: { data: { ExpandedRepoInfo: { Summary: { StarCount: 2, DownloadCount: 30 } } } },
      },
    ],
    expected: { description: null, isPrivate: null, starCount: 2, pullCount: 30 },
  },
};

describeRegistry(play, () => {
  const tagsOf = async (script: readonly Entry[], times = 1) => {
    const { registry, server } = await openPlayed({ ...play, always: () => [] }, () => script);
    let tags: object[] = [];
    for (let time = 0; time < times; time++) tags = await namesAndAll(registry.listTags(repository, never));
    server.verify();
    return tags;
  };
  const names = (times = 1): Entry => ({ request: `GET ${LIST}?n=1000`, body: { tags: ['1.0'] }, times });
  const found = (total: number, ...results: object[]) => ({
    body: { data: { ImageList: { Page: { TotalCount: total, ItemCount: results.length }, Results: results } } },
  });

  test.each<[string, Entry]>([
    ['is switched off', discovered('/v2/_zot/ext/mgmt')],
    ['is not known', { request: DISCOVER, status: 404, body: '404 page not found' }],
  ])('a search that %s is looked for once', async (_name, discovery) => {
    expect(await tagsOf([discovery, names(2)], 2)).toEqual([{ name: '1.0' }]);
  });

  test.each<[string, Partial<Entry>]>([
    ['with status 200', refused],
    ['with 422', { status: 422, ...refused }],
  ])('an older search, which refuses the dates %s, is not asked for them again', async (_name, refusal) => {
    const without = { request: search(WITHOUT_DATES), ...found(1, { Tag: '1.0', Digest: DIGEST }), times: 2 };
    const script = [searches, { request: search(WITH_DATES), ...refusal }, without, names(2)];
    expect(await tagsOf(script, 2)).toEqual([{ name: '1.0', digest: DIGEST }]);
  });

  test('a search that can not answer leaves the names', async () => {
    const broken = { errors: [{ message: 'metadb: failed' }], data: null };
    const script = TAG_QUERIES.map((query) => ({ request: search(query), body: broken }));
    expect(await tagsOf([searches, ...script, names()])).toEqual([{ name: '1.0' }]);
  });

  test('more images than a page holds are asked for by their offset', async () => {
    const image = (Tag: string) => ({ Tag, Digest: DIGEST, TaggedTimestamp: '0001-01-01T00:00:00Z' });
    const script = [
      searches,
      { request: search(WITH_DATES), ...found(501, image('0.9')) },
      { request: search(WITH_DATES, 500), ...found(501, image('1.0')) },
      names(),
    ];
    expect(await tagsOf(script)).toEqual([{ name: '1.0', digest: DIGEST }]);
  });
});
