import { Command } from 'commander';
import { readConfig, type Config } from '../config/index.ts';
import { describeFailure } from './failure.ts';
import { openLog } from './log.ts';
import { ownVersion } from './version.ts';

const AFTER_HELP = `
Settings come from the environment and from stowage.yaml; README.md lists them.
Without DATABASE_URL an embedded PostgreSQL runs on the data directory.`;

const program = new Command('stowage')
  .description('A catalog of container images behind one GraphQL API.')
  .version(ownVersion())
  .addHelpText('after', AFTER_HELP)
  .showHelpAfterError('(add --help to see what there is)');

program
  .command('start')
  .description('Run all of it in one process: database, API, worker and playground.')
  .action(run(async (config) => (await import('./start.ts')).start(config, openLog(config.logLevel))));

program
  .command('api')
  .description('Run the API alone; it answers, and queues work for a worker.')
  .action(run(async (config) => (await import('./api.ts')).runApi(config, openLog(config.logLevel))));

program
  .command('worker')
  .description('Run a worker alone; any number of them may share one database.')
  .action(run(async (config) => (await import('./worker.ts')).runWorker(config, openLog(config.logLevel))));

program
  .command('migrate')
  .description('Bring the database up to date, and end.')
  .action(run(async (config) => (await import('./migrate.ts')).migrateOnly(config, openLog(config.logLevel))));

program
  .command('sync')
  .description('Look at one repository or tag now, and tell what changed.')
  .argument('<reference>', 'what to look at: alpine, nginx:1.27, registry.example.com:5000/team/app')
  .action(
    run(async (config, reference) => (await import('./sync.ts')).sync(reference, config, openLog(config.logLevel))),
  );

program
  .command('show')
  .description('Print an image of the catalog: its platforms, layers, configuration and tags.')
  .argument('<reference>', 'a tag or digest: alpine, nginx:1.27, ghcr.io/org/app@sha256:...')
  .action(
    run(async (config, reference) => (await import('./show.ts')).show(reference, config, openLog(config.logLevel))),
  );

await program.parseAsync();

/** Every command: reads the configuration, does its work, and tells in plain words what kept it from that. */
function run(action: (config: Config, argument: string) => Promise<void>): (argument: string) => Promise<void> {
  return async (argument) => {
    try {
      await action(readConfig(process.env, process.cwd()), argument);
    } catch (error) {
      process.stderr.write(describeFailure(error));
      process.exitCode = 1;
    }
  };
}
