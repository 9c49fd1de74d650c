/** A request that no client of good will sends. */
export interface HostileRequest {
  readonly name: string;
  /** What is posted: JSON made of an object, or as it is. */
  readonly body: object | string;
  readonly status: number;
  readonly code: string;
  /** What the first message must tell. */
  readonly message: RegExp;
}

const repeated = (count: number, part: (at: number) => string, separator = ' ') =>
  Array.from({ length: count }, (_, at) => part(at)).join(separator);
const nested = (levels: number, before: string, inner: string, after: string) =>
  before.repeat(levels) + inner + after.repeat(levels);
const idOf = (text: string) => Buffer.from(text).toString('base64url');
const cursorOf = (content: unknown) => Buffer.from(JSON.stringify(content)).toString('base64url');

const PARSE = { status: 400, code: 'GRAPHQL_PARSE_FAILED' };
const INVALID = { status: 400, code: 'GRAPHQL_VALIDATION_FAILED' };
const INPUT = { status: 400, code: 'BAD_USER_INPUT' };
/** A field that may be null is, and its error stands beside the data. */
const NULL = { status: 200, code: 'BAD_USER_INPUT' };
const REQUEST = { status: 400, code: 'BAD_REQUEST' };

/** Each aims at something that grows faster than the request: the parser, a rule, the answer, the database. */
export const hostileRequests: readonly HostileRequest[] = [
  {
    name: 'a document of 5 MB',
    body: { query: `{ __typename } # ${'x'.repeat(5 * 1024 * 1024)}` },
    status: 413,
    code: 'BAD_REQUEST',
    message: /larger than 1 MB: send less/,
  },
  {
    name: '10,000 aliases',
    body: { query: `{ ${repeated(10_000, (at) => `a${at}: __typename`)} }` },
    ...PARSE,
    message: /6000 tokens/,
  },
  {
    name: '1,900 aliases',
    body: { query: `{ ${repeated(1_900, (at) => `a${at}: __typename`)} }` },
    ...INVALID,
    message: /more than 250 aliases: send several/,
  },
  {
    name: '5,000 times the same field',
    body: { query: `{ ${'__typename '.repeat(5_000)} }` },
    ...INVALID,
    message: /./,
  },
  {
    name: '600 times the same field with fields',
    body: { query: `{ ${'repositories { nodes { name tagCount } } '.repeat(600)} }` },
    ...INVALID,
    message: /selects the same fields too often to compare all of them: select each once/,
  },
  {
    name: '302 levels',
    body: {
      query: `{ registry(host: "docker.io") { ${nested(100, 'repositories { nodes { registry { ', 'id', ' } } }')} } }`,
    },
    ...INVALID,
    message: /302 levels deep: at most 25/,
  },
  {
    name: '5,900 lists in one another in the document',
    body: { query: `{ nodes(ids: ${'['.repeat(5_900)}` },
    ...PARSE,
    // How much of the stack is left says which.
    message: /nests too deeply to be read: nest less|Syntax Error/,
  },
  {
    name: '2,900 open braces',
    body: { query: '{a'.repeat(2_900) },
    ...PARSE,
    message: /Syntax Error|nests too deeply to be read: nest less/,
  },
  {
    name: '5,000 unknown fields',
    body: { query: `{ ${repeated(5_000, (at) => `registriez${at}`)} }` },
    ...INVALID,
    message: /registriez0/,
  },
  {
    name: '1,400 unknown arguments',
    body: { query: `{ repositories(${repeated(1_400, (at) => `frist${at}: 1`)}) { totalCount } }` },
    ...INVALID,
    message: /frist0/,
  },
  {
    name: '1,400 times the same argument',
    body: { query: `{ repositories(${'first: 1 '.repeat(1_400)}) { totalCount } }` },
    ...INVALID,
    message: /argument named "first"/,
  },
  {
    name: '1,400 variables that nothing uses',
    body: { query: `query (${repeated(1_400, (at) => `$v${at}: Int`)}) { __typename }` },
    ...INVALID,
    message: /"\$v0" is never used/,
  },
  {
    name: '1,900 directives that do not exist',
    body: { query: `{ __typename ${repeated(1_900, (at) => `@d${at}`)} }` },
    ...INVALID,
    message: /@d0/,
  },
  {
    name: '800 times the same directive',
    body: { query: `{ __typename ${'@skip(if: false) '.repeat(800)} }` },
    ...INVALID,
    message: /@skip/,
  },
  {
    name: '800 fragments that nothing uses',
    body: { query: `{ __typename } ${repeated(800, (at) => `fragment F${at} on Query { __typename }`)}` },
    ...INVALID,
    message: /"F0" is never used/,
  },
  {
    name: 'fragments that spread each other in a circle',
    body: { query: '{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }' },
    ...INVALID,
    message: /Cannot spread fragment "A" within itself/,
  },
  {
    name: 'a circle of 600 fragments',
    body: { query: `{ ...F0 } ${repeated(600, (at) => `fragment F${at} on Query { ...F${(at + 1) % 600} }`)}` },
    ...INVALID,
    message: /./,
  },
  {
    name: 'fragments that double 40 times',
    body: {
      query: `{ ...F0 } ${repeated(40, (at) => `fragment F${at} on Query { ...F${at + 1} ...F${at + 1} }`)} fragment F40 on Query { __typename }`,
    },
    ...INVALID,
    message: /too many selections/,
  },
  {
    name: '40 fragments that each spread all others behind them',
    body: {
      query: `{ ...F0 } ${repeated(50, (at) => `fragment F${at} on Query { ${repeated(50 - at, (more) => `...F${at + more + 1}`)} }`)} fragment F50 on Query { __typename }`,
    },
    ...INVALID,
    message: /too many selections/,
  },
  {
    name: 'introspection that goes round',
    body: { query: `{ __schema { types { ${nested(5, 'fields { type { ', 'name', ' } }')} } } }` },
    ...INVALID,
    message: /introspection depth/i,
  },
  {
    name: 'all of the schema 200 times',
    body: {
      query: `{ ${repeated(200, (at) => `a${at}: __schema { ...S }`)} } fragment S on __Schema { types { name description fields { name description args { name description type { name } } type { name } } inputFields { name } enumValues { name } } }`,
    },
    ...INPUT,
    message: /may cost .* __schema/,
  },
  {
    name: 'pages within pages',
    body: {
      query: `{ registry(host: "docker.io") { ${nested(6, 'repositories(first: 100) { nodes { registry { ', 'id', ' } } }')} } }`,
    },
    ...INPUT,
    message: /may cost .*Most of it is in registry\.repositories\(first: 100\).*smaller pages/,
  },
  {
    name: '200 lists of all that there is',
    body: {
      query: `{ ${repeated(200, (at) => `a${at}: tags(first: 100) { nodes { images { layers { size } } } }`)} }`,
    },
    ...INPUT,
    message: /may cost .*Most of it is in tags\(first: 100\)/,
  },
  {
    name: 'a page of a thousand million',
    body: { query: '{ repositories(first: 1000000000) { totalCount } }' },
    ...INPUT,
    message: /first is 1000000000: a page has 0 to 100/,
  },
  {
    name: 'a page of less than nothing',
    body: { query: '{ repositories(last: -1) { totalCount } }' },
    ...INPUT,
    message: /last is -1: a page has 0 to 100/,
  },
  {
    name: 'a page beyond an Int',
    body: { query: '{ repositories(first: 99999999999999999999) { totalCount } }' },
    ...INVALID,
    message: /Int cannot represent/,
  },
  {
    name: '4,000 ids',
    body: {
      query: 'query ($ids: [ID!]!) { nodes(ids: $ids) { id } }',
      variables: { ids: Array.from({ length: 4_000 }, () => idOf('Tag:1')) },
    },
    ...INPUT,
    message: /ids has 4000 entries: ask for at most 100/,
  },
  {
    name: 'an id of another type',
    body: { query: `{ syncRun(id: "${idOf('Tag:1')}") { id } }` },
    ...NULL,
    message: /not the id of a SyncRun but of a Tag/,
  },
  {
    name: 'an id beyond every number',
    body: { query: `{ node(id: "${idOf('Tag:99999999999999999999')}") { id } }` },
    ...NULL,
    message: /not an id of this catalog/,
  },
  {
    name: 'a cursor made up',
    body: { query: `{ repositories(after: "${cursorOf(['repositories.NAME ASC', 1, { a: 1 }])}") { totalCount } }` },
    ...INPUT,
    message: /not a cursor of this list/,
  },
  {
    name: 'a cursor of 900 KB',
    body: {
      query: 'query ($c: String) { repositories(after: $c) { totalCount } }',
      variables: { c: 'x'.repeat(900_000) },
    },
    ...INPUT,
    message: /not a cursor of this list/,
  },
  {
    name: 'a reference of 900 KB',
    body: {
      query: 'query ($r: ImageReference!) { tag(reference: $r) { id } }',
      variables: { r: 'a/'.repeat(450_000) },
    },
    ...INPUT,
    message: /"\$r" got invalid value/,
  },
  {
    name: 'a pattern of 900 KB',
    body: {
      query: 'query ($n: String) { repositories(filter: { name: $n }) { totalCount } }',
      variables: { n: '*a'.repeat(450_000) },
    },
    ...INPUT,
    message: /./,
  },
  {
    name: 'a host of 900 KB',
    body: { query: 'query ($h: String!) { registry(host: $h) { id } }', variables: { h: 'a.'.repeat(450_000) } },
    ...NULL,
    message: /a\.a\./,
  },
  {
    name: 'a text of 900 KB for a number',
    body: {
      query: 'query ($n: Int) { repositories(first: $n) { totalCount } }',
      variables: { n: 'x'.repeat(900_000) },
    },
    ...INPUT,
    message: /"\$n" got invalid value/,
  },
  {
    name: '100,000 lists in one another in a variable',
    body: `{"query":"query ($ids: [ID!]!) { nodes(ids: $ids) { id } }","variables":{"ids":${nested(100_000, '[', '', ']')}}}`,
    ...INPUT,
    message: /variables are more than 32 levels deep: nest less/,
  },
  {
    name: '20,000 filters in one another in a variable',
    body: `{"query":"query ($f: ImageFilter) { images(filter: $f) { totalCount } }","variables":{"f":${nested(20_000, '{"not":', '{}', '}')}}}`,
    ...INPUT,
    message: /variables are more than 32 levels deep: nest less/,
  },
  {
    name: '10 filters in one another in a variable',
    body: `{"query":"query ($f: ImageFilter) { images(filter: $f) { totalCount } }","variables":{"f":${nested(10, '{"not":', '{}', '}')}}}`,
    ...INPUT,
    message: /filters nest 5 deep at most/,
  },
  {
    name: '1,400 filters in one another in the document',
    body: { query: `{ images(filter: ${nested(1_400, '{ not: ', '{}', ' }')}) { totalCount } }` },
    ...INPUT,
    message: /./,
  },
  {
    name: '2,400 filters side by side',
    body: {
      query: 'query ($f: ImageFilter) { images(filter: $f) { totalCount } }',
      variables: { f: { or: Array.from({ length: 2_400 }, () => ({ os: 'linux' })) } },
    },
    ...INPUT,
    message: /a filter is made of 100 filters at most/,
  },
  {
    name: '50,000 members that an input does not have',
    body: {
      query: 'query ($f: ImageFilter) { images(filter: $f) { totalCount } }',
      variables: { f: Object.fromEntries(Array.from({ length: 50_000 }, (_, at) => [`os${at}`, 1])) },
    },
    ...INPUT,
    message: /variables have more than 5,000 values: send several/,
  },
  {
    name: '4,900 members that an input does not have',
    body: {
      query: 'query ($f: ImageFilter) { images(filter: $f) { totalCount } }',
      variables: { f: Object.fromEntries(Array.from({ length: 4_900 }, (_, at) => [`os${at}`, 1])) },
    },
    ...INPUT,
    message: /"\$f" got invalid value/,
  },
  {
    name: 'a batch of 1,000',
    body: JSON.stringify(Array.from({ length: 1_000 }, () => ({ query: '{ __typename }' }))),
    ...REQUEST,
    message: /batch/i,
  },
  { name: 'a body that is no JSON', body: '{"query":', ...REQUEST, message: /./ },
  { name: 'nothing', body: {}, ...REQUEST, message: /body missing/ },
  { name: 'a body with a prototype', body: '{"query":"{ __typename }","__proto__":{"a":1}}', ...REQUEST, message: /./ },
  { name: 'a query that is no text', body: { query: { a: 1 } }, ...REQUEST, message: /must be strings/ },
  {
    name: 'variables that are a list',
    body: { query: '{ __typename }', variables: [1] },
    ...REQUEST,
    message: /variables/,
  },
  {
    name: 'an operation that is not there',
    body: { query: 'query A { __typename }', operationName: 'B' },
    status: 400,
    code: 'OPERATION_RESOLUTION_FAILURE',
    message: /"B"/,
  },
];
