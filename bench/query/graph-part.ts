import { randomBytes } from 'node:crypto';
import { pino } from 'pino';
import { openMetrics } from '../../src/bin/metrics.ts';
import { openDatabase } from '../../src/catalog/database.ts';
import { createSeal } from '../../src/catalog/write/index.ts';
import { createCommands } from '../../src/commands/index.ts';
import { checkCredential, defaultRegistryUrl, openRegistry } from '../../src/registries/index.ts';
import { openWeb } from '../../src/web/index.ts';
import { answerCalls } from '../part.ts';

/** Opens what `stowage api` opens; the address of its graph. */
async function start(databaseUrl: string): Promise<string> {
  const database = openDatabase({
    url: databaseUrl,
    poolSize: 8,
    onError: (error) => process.stderr.write(`${error.message}\n`),
  });
  const commands = createCommands({
    database,
    seal: createSeal(randomBytes(32)),
    kinds: {
      detectKind: () => Promise.resolve('OCI'),
      checkCredential,
      defaultUrl: defaultRegistryUrl,
      open: openRegistry,
    },
  });
  const log = pino({ level: 'warn' }, pino.destination(2));
  const web = await openWeb({
    database,
    commands,
    adminToken: randomBytes(32).toString('hex'),
    log,
    metrics: openMetrics(database),
    version: 'bench',
  });
  return `${await web.listen(0, '127.0.0.1')}/graphql`;
}

answerCalls({ start, cpu: () => process.cpuUsage(), memory: () => process.memoryUsage().rss });
