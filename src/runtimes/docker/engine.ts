import type { OpenRuntime, RuntimeKind, RuntimeSettings } from '../runtime.ts';
import { EngineClient } from './client.ts';
import { openContainers } from './containers.ts';
import type { Dialect } from './dialect.ts';
import { parseEndpoint } from './endpoint.ts';
import { fetchLocalImage, listLocalImages } from './local-images.ts';
import { openTransport } from './transport.ts';
import { watchContainers } from './watch.ts';

/** A kind of runtime that has the API of the Docker Engine: https://docs.docker.com/reference/api/engine/ */
export function engineKind(kind: RuntimeKind['kind'], dialect: Dialect): RuntimeKind {
  return {
    kind,
    check: (settings) => void parseEndpoint(settings),
    open: (settings) => openEngine(settings, dialect),
  };
}

async function openEngine(settings: RuntimeSettings, dialect: Dialect): Promise<OpenRuntime> {
  const transport = await openTransport(parseEndpoint(settings), settings);
  const client = new EngineClient(settings.endpoint, transport);
  return {
    describe: (signal) => client.describe(signal),
    async *listContainers(signal) {
      const containers = await openContainers(client, dialect, signal);
      yield* containers.all(signal);
    },
    watchContainers: (signal) => watchContainers(client, dialect, signal),
    listLocalImages: (signal) => listLocalImages(client, dialect, signal),
    fetchLocalImage: (id, signal) => fetchLocalImage(client, id, signal),
    close: async () => client.close(),
  };
}
