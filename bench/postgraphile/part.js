// PostGraphile over the tables of the catalog, in a process of its own. Plain JavaScript: its types are not installed
// where the rest is checked.
import { createServer } from 'node:http';
import { grafserv } from 'postgraphile/grafserv/node';
import { makePgService } from 'postgraphile/adaptors/pg';
import { postgraphile } from 'postgraphile';
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber';
import { makeV4Preset } from 'postgraphile/presets/v4';
import { jsonPgSmartTags } from 'postgraphile/utils';
import { answerCalls } from '../part.ts';

/** Keys that the catalog has as indexes, or knows without a constraint. */
const KEYS = {
  version: 1,
  config: {
    class: {
      'public.manifest': { tags: { unique: 'digest' } },
      'public.layer': { tags: { unique: 'diff_id' } },
      'public.registry': { tags: { unique: 'host' } },
      'public.repository': { tags: { unique: 'registry_id,name' } },
      'public.image_layer': {
        tags: { foreignKey: ['(layer_id) references layer (id)', '(blob_id) references layer_blob (id)'] },
      },
    },
  },
};

/** Lists without connections where a page is not continued; no mutations; as many connections as the other sides have. */
async function start(databaseUrl) {
  const instance = postgraphile({
    extends: [PostGraphileAmberPreset, makeV4Preset({ simpleCollections: 'both', disableDefaultMutations: true })],
    plugins: [jsonPgSmartTags(KEYS)],
    pgServices: [makePgService({ connectionString: databaseUrl, schemas: ['public'], poolConfig: { max: 8 } })],
    grafserv: { graphqlPath: '/graphql', graphiql: false, watch: false },
    grafast: { explain: false },
  });
  const server = createServer();
  await instance.createServ(grafserv).addTo(server);
  await new Promise((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${server.address().port}/graphql`;
}

answerCalls({ start, cpu: () => process.cpuUsage() });
