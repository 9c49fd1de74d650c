import { Command, InvalidArgumentError } from 'commander';
import { benchContainers, type ContainersBench } from './containers/index.ts';
import type { AnswersBench } from './answers.ts';
import { benchEvents, type EventsBench } from './events/index.ts';
import { benchHooks, type HooksBench } from './hooks/index.ts';
import { benchHostile, type HostileBench } from './hostile/index.ts';
import { benchInspect, type InspectBench } from './inspect/index.ts';
import { benchNumbers } from './numbers/index.ts';
import { benchPackages } from './packages/index.ts';
import { benchQuery, type QueryBench } from './query/index.ts';
import { benchSync, type SyncBench } from './sync/index.ts';

const program = new Command('bench')
  .description('Measures Stowage beside the least that any program would need for the same.')
  .addHelpText('after', '\nWithout DATABASE_URL a PostgreSQL of its own is started, and removed at the end.');

program
  .command('sync')
  .description('Sync a generated registry on loopback, and send the same requests by a bare loop.')
  .option('--repositories <number>', 'repositories of the registry', number, 200)
  .option('--tags <number>', 'tags in all, each of an image of its own', number, 2000)
  .option('--layers <number>', 'layers of each image', number, 10)
  .option('--rounds <number>', 'how often, each with an empty catalog', number, 3)
  .action((bench: SyncBench) => benchSync(bench, process.env['DATABASE_URL']));

program
  .command('query')
  .description('Query a large catalog, beside PostGraphile and hand-written SQL over node:http, and a smaller one.')
  .option('--images <number>', 'images of the large catalog', number, 150_000)
  .option('--scale <number>', 'how many times fewer the small one has', number, 10)
  .option('--connections <number>', 'requests at a time', number, 16)
  .option('--seconds <number>', 'how long each measurement takes', number, 5)
  .option('--rounds <number>', 'measurements of each side, in turns', number, 3)
  .action((bench: QueryBench) => benchQuery(bench, process.env['DATABASE_URL']));

program
  .command('numbers')
  .description('Ask what dashboards ask of a large catalog.')
  .option('--images <number>', 'images of the catalog', number, 150_000)
  .option('--times <number>', 'how often each question is asked', number, 7)
  .action((bench: AnswersBench) => benchNumbers(bench, process.env['DATABASE_URL']));

program
  .command('containers')
  .description('Fill a large catalog with containers: reports, changes of state, and questions about what runs.')
  .option('--images <number>', 'images of the catalog', number, 150_000)
  .option('--runtimes <number>', 'runtimes that report', number, 500)
  .option('--containers <number>', 'containers of each', number, 100)
  .option('--seconds <number>', 'how long changes come', number, 30)
  .option('--times <number>', 'how often each report is sent and each question asked', number, 7)
  .action((bench: ContainersBench) => benchContainers(bench, process.env['DATABASE_URL']));

program
  .command('packages')
  .description('Ask a large catalog for what images hold: 300 packages each, in sets that several share.')
  .option('--images <number>', 'images of the catalog', number, 150_000)
  .option('--times <number>', 'how often each question is asked', number, 7)
  .action((bench: AnswersBench) => benchPackages(bench, process.env['DATABASE_URL']));

program
  .command('events')
  .description('Hold idle subscriptions, and tell them all of events.')
  .option('--subscriptions <number>', 'how many, each on a socket of its own', number, 2000)
  .option('--burst <number>', 'events that are written at once', number, 100)
  .option('--rounds <number>', 'how often', number, 5)
  .action((bench: EventsBench) => benchEvents(bench, process.env['DATABASE_URL']));

program
  .command('hooks')
  .description(
    'Send storms of notifications to a webhook, and tell how soon they are answered and how many syncs they make.',
  )
  .option('--notifications <number>', 'how many in each storm', number, 1000)
  .option('--connections <number>', 'how many at a time', number, 16)
  .action((bench: HooksBench) => benchHooks(bench, process.env['DATABASE_URL']));

program
  .command('hostile')
  .description('Send what no client of good will sends, and tell what refusing it costs.')
  .option('--times <number>', 'how often each is sent', number, 1000)
  .action((bench: HostileBench) => benchHostile(bench, process.env['DATABASE_URL']));

program
  .command('inspect')
  .description('Inspect generated layers, beside a loop that unpacks and hashes them.')
  .option('--megabytes <number>', 'of the layer, as it is stored', number, 250)
  .option('--rounds <number>', 'how often, in turns', number, 3)
  .option('--large <number>', 'megabytes of the layer that is watched for memory', number, 2000)
  .action((bench: InspectBench) => benchInspect(bench));

await program.parseAsync();

function number(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new InvalidArgumentError('Write a whole number above 0.');
}
