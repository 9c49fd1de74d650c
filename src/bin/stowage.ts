import { Command } from 'commander';
import type { AgentOptions } from './agent.ts';
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
    run(async (config, reference: string) =>
      (await import('./sync.ts')).sync(reference, config, openLog(config.logLevel)),
    ),
  );

program
  .command('show')
  .description('Print an image of the catalog: its platforms, layers, configuration and tags.')
  .argument('<reference>', 'a tag or digest: alpine, nginx:1.27, ghcr.io/org/app@sha256:...')
  .action(
    run(async (config, reference: string) =>
      (await import('./show.ts')).show(reference, config, openLog(config.logLevel)),
    ),
  );

program
  .command('agent')
  .description('Report the containers of an engine or a cluster to a Stowage that can not reach it.')
  .argument('<server>', 'address of the Stowage: https://stowage.example.com; its token is in STOWAGE_AGENT_TOKEN')
  .option('--name <name>', 'what the runtime is called there (default: the name of this host)')
  .option('--kind <kind>', 'docker, podman or kubernetes', 'docker')
  .option('--endpoint <endpoint>', 'how the runtime is reached (default: DOCKER_HOST, the usual socket, or in-cluster)')
  .option('--namespace <names...>', 'namespaces of a cluster; all without this', [])
  .option('--deny-label <patterns...>', 'names of labels that are not reported, in which * is any text', [])
  .option('--insecure', 'take tcp:// without TLS', false)
  .action(
    run(async (config, server: string, options: AgentOptions) =>
      (await import('./agent.ts')).agent(server, options, config, openLog(config.logLevel)),
    ),
  );

await program.parseAsync();

/** Every command: reads the configuration, does its work, and tells in plain words what kept it from that. */
function run<A extends unknown[]>(
  action: (config: Config, ...given: A) => Promise<void>,
): (...given: A) => Promise<void> {
  return async (...given) => {
    try {
      await action(readConfig(process.env, process.cwd()), ...given);
    } catch (error) {
      process.stderr.write(describeFailure(error));
      process.exitCode = 1;
    }
  };
}
