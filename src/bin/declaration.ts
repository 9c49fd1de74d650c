import type { Logger } from 'pino';
import type { Database } from '../catalog/database.ts';
import { LOCKS } from '../catalog/lock.ts';
import {
  EVERY_TAG,
  findRegistry,
  saveRegistry,
  sealSecrets,
  type Seal,
  type StoredRegistry,
} from '../catalog/write/index.ts';
import { applyConfiguration, type Declaration, type DeclaredRuntime } from '../commands/index.ts';
import type {
  Config,
  DeclaredRegistry as ConfiguredRegistry,
  DeclaredRuntime as ConfiguredRuntime,
} from '../config/index.ts';
import { CatalogError, messageOf } from '../domain/errors.ts';
import { DOCKER_HUB, type RegistryHost } from '../domain/reference.ts';
import { checkCredential, credentialFromDockerConfig, defaultRegistryUrl } from '../registries/index.ts';
import type { Credential } from '../registries/registry.ts';
import { checkRuntime } from '../runtimes/index.ts';
import { kindOf } from './registry-kinds.ts';

/**
 * Makes the catalog follow stowage.yaml; where nothing is declared there, the samples. Workers that start together do
 * it one after the other.
 */
export async function applyDeclarations(config: Config, database: Database, seal: Seal, log: Logger): Promise<void> {
  const declaration = await declarationOf(config, database, log);
  const turn = await database.pool.connect();
  try {
    await turn.query('select pg_advisory_lock($1)', [LOCKS.configuration]);
    await applyConfiguration(database, seal, declaration, new Date());
  } finally {
    await turn.query('select pg_advisory_unlock($1)', [LOCKS.configuration]).finally(() => turn.release());
  }
}

/** Makes one registry known, as stowage.yaml declares it or with its defaults; one that is known stays as it is. */
export async function declareRegistry(
  host: RegistryHost,
  config: Config,
  database: Database,
  seal: Seal,
  log: Logger,
): Promise<void> {
  if (await findRegistry(database, { host })) return;
  const declared = config.declarations?.registries.find((registry) => registry.host === host);
  const registry = await resolved(declared ?? bare(host), null, config, log);
  const secrets = sealSecrets(seal, host, registry);
  await saveRegistry(database, {
    ...registry,
    ...secrets,
    url: registry.url.href,
    managedBy: declared ? 'CONFIG' : 'API',
  });
}

async function declarationOf(config: Config, database: Database, log: Logger): Promise<Declaration> {
  const { registries = [], sources = [] } = config.declarations ?? {};
  const runtimes = (config.declarations?.runtimes ?? []).map(reached);
  if (registries.length + sources.length === 0)
    return { runtimes, ...(config.samples ? await samples(database) : { registries: [], sources: [] }) };

  const declaredHosts = new Set(registries.map(({ host }) => host));
  const otherHosts = new Set(sources.map(({ registry }) => registry).filter((host) => !declaredHosts.has(host)));
  // Side by side: each may have to be asked what it is.
  const found = await Promise.all([
    ...registries.map(async (registry) =>
      resolved(registry, await findRegistry(database, { host: registry.host }), config, log),
    ),
    ...[...otherHosts].map(async (host) => {
      const stored = await findRegistry(database, { host });
      // One that a mutation added stays as that made it.
      return stored?.managedBy === 'API' ? null : resolved(bare(host), stored, config, log);
    }),
  ]);
  return { registries: found.filter((registry) => registry !== null), sources, runtimes };
}

/** A Docker Hub that a mutation added stays as that made it. */
async function samples(database: Database): Promise<Followed> {
  const hub = await findRegistry(database, { host: DOCKER_HUB });
  const isTheirs = hub?.managedBy === 'API';
  return { ...SAMPLES, registries: SAMPLES.registries.filter(({ host }) => !(isTheirs && host === DOCKER_HUB)) };
}

type Followed = Pick<Declaration, 'registries' | 'sources'>;
type Resolved = Declaration['registries'][number];

/** Throws INVALID_CONFIGURATION where it can't be reached so. */
function reached({ name, kind, ...settings }: ConfiguredRuntime): DeclaredRuntime {
  try {
    checkRuntime(kind, settings);
  } catch (error) {
    throw new CatalogError('INVALID_CONFIGURATION', `The runtime "${name}": ${messageOf(error)}`, { cause: error });
  }
  return { name, kind, settings };
}

/** A registry that does not say what it is just now stays what it was at that address. */
async function resolved(
  registry: ConfiguredRegistry,
  stored: StoredRegistry | null,
  config: Config,
  log: Logger,
): Promise<Resolved> {
  const { host, title, webhookSecret, limits } = registry;
  const url = registry.url ?? defaultRegistryUrl(host, registry.insecure ?? undefined);
  const known = stored?.url === url.href ? stored.kind : 'OCI';
  const kind = registry.kind ?? (await kindOf(url, known, config, log));
  const credential = await credentialOf(registry, log);
  checkCredential(kind, url, credential);
  return { host, title, url, kind, credential, webhookSecret, limits };
}

async function credentialOf({ host, credential }: ConfiguredRegistry, log: Logger): Promise<Credential | null> {
  if (credential?.kind !== 'docker-config') return credential;
  const found = await credentialFromDockerConfig(host, { environment: process.env });
  if (found === null) log.warn(`Docker's configuration has no credential for ${host}: it is asked without one.`);
  return found;
}

function bare(host: RegistryHost): ConfiguredRegistry {
  const limits = { concurrency: null, requestsPerSecond: null };
  return { host, kind: null, url: null, title: null, insecure: null, credential: null, webhookSecret: null, limits };
}

const SAMPLES_HOST = 'samples.localhost' as RegistryHost;

/** Something to query at once, network or not, and something real. */
const SAMPLES: Followed = {
  registries: [
    {
      host: SAMPLES_HOST,
      kind: 'OCI_LAYOUT',
      title: 'Samples',
      url: new URL('../../samples/', import.meta.url),
      credential: null,
      webhookSecret: null,
    },
    {
      host: DOCKER_HUB,
      kind: 'DOCKER_HUB',
      title: 'Docker Hub',
      url: defaultRegistryUrl(DOCKER_HUB),
      credential: null,
      webhookSecret: null,
    },
  ],
  sources: [
    { ...sample(SAMPLES_HOST, '*', null, null), inspectContents: true },
    sample(DOCKER_HUB, 'library/alpine', 10, '17 */6 * * *'),
    sample(DOCKER_HUB, 'library/busybox', 10, '27 */6 * * *'),
    sample(DOCKER_HUB, 'library/hello-world', 10, '37 */6 * * *'),
  ],
};

function sample(registry: RegistryHost, repositories: string, maxTags: number | null, schedule: string | null) {
  return { registry, ...EVERY_TAG, repositories, maxTags, schedule, inspectContents: false, paused: false };
}
