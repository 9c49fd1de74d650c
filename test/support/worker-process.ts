// A worker in a process of its own, to be killed by tests. Run by Node itself, with the database's URL.
import pino from 'pino';
import { openDatabase } from '../../src/catalog/database.ts';
import { createSeal } from '../../src/catalog/write/index.ts';
import { openRegistry } from '../../src/registries/index.ts';
import { startWorker } from '../../src/worker/index.ts';

const database = openDatabase({
  url: process.argv[2] ?? '',
  poolSize: 6,
  isWorker: true,
  onError: () => undefined,
});
const worker = await startWorker({
  database,
  seal: createSeal(Buffer.alloc(32, 7)),
  openRegistry,
  log: pino({ level: 'warn' }, pino.destination(2)),
  concurrency: 4,
});
process.once('SIGTERM', () => {
  void worker
    .stop()
    .then(() => database.close())
    .then(() => process.exit(0));
});
