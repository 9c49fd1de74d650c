import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { KEY_FORM, parseKeys, type CredentialKeys } from './credential-keys.ts';
import { editDistance } from './faults.ts';
import { readTracing, type TracingSettings } from './tracing.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export type LogLevel = (typeof LOG_LEVELS)[number];

/** What concerns the process itself. */
export interface ProcessSettings {
  /** 0 lets the system choose; null where nothing is said: 4000 for the API, none for a worker. */
  readonly port: number | null;
  readonly host: string;
  /** Null means the embedded server. */
  readonly databaseUrl: string | null;
  /** Absolute. */
  readonly dataDirectory: string;
  /** Null means the one that is kept in the data directory. */
  readonly adminToken: string | null;
  /** By which agents report containers: of the server, those that it takes reports from; of an agent, what it sends. */
  readonly agentToken: string | null;
  /** The folder with ca.pem, cert.pem and key.pem for engines over TCP that name none. Absolute. */
  readonly dockerCertificates: string | null;
  /** Null means those that are kept in the data directory. */
  readonly credentialKeys: CredentialKeys | null;
  /** Networks that registries may point to although they are not public, such as 10.0.0.0/8. */
  readonly allowedNetworks: readonly string[];
  /** Whether to catalog the bundled layout and a few images of Docker Hub while nothing else is configured. */
  readonly samples: boolean;
  readonly logLevel: LogLevel;
  /** The file that lists the only documents that are answered; null where every document is. Absolute. */
  readonly trustedDocuments: string | null;
  /** Whether the graph is one of several behind a gateway. */
  readonly isSubgraph: boolean;
  /** Null where nothing is traced. */
  readonly tracing: TracingSettings | null;
}

/** Adds what is wrong to `faults`, and goes on with the default. An empty variable is one that is not set. */
export function readEnvironment(
  environment: Environment,
  directory: string,
  faults: string[],
): ProcessSettings & { readonly configFile: string | null } {
  function read<T>(name: Variable, fallback: T, parse: (text: string) => T | undefined, advice: string): T {
    const text = environment[name]?.trim();
    if (!text) return fallback;
    const value = parse(text);
    if (value !== undefined) return value;
    const shown = SECRETS.has(name) ? '' : ` "${text.slice(0, 200)}"`;
    faults.push(`environment ${name}:${shown} ${advice}`);
    return fallback;
  }

  refuseMisspelt(environment, faults);
  const path = (text: string) => resolve(directory, text);
  const trustedDocuments = read<string | null>('STOWAGE_TRUSTED_DOCUMENTS', null, path, '');
  const isSubgraph = read('STOWAGE_FEDERATION', false, parseSwitch, 'is neither 1 (be a subgraph) nor 0 (do not).');
  if (trustedDocuments !== null && isSubgraph) {
    faults.push(
      'environment STOWAGE_TRUSTED_DOCUMENTS: cannot be used with STOWAGE_FEDERATION, since a gateway writes documents of its own: let the gateway keep the list.',
    );
  }
  return {
    port: read<number | null>('PORT', null, parsePort, 'is not a port: write a number from 0 to 65535, such as 4000.'),
    host: read(
      'HOST',
      '127.0.0.1',
      parseHost,
      'is not an address to listen on: write one such as 127.0.0.1 or 0.0.0.0.',
    ),
    databaseUrl: read<string | null>(
      'DATABASE_URL',
      null,
      parseDatabaseUrl,
      'is not the address of a PostgreSQL database: write postgresql://user:password@host:5432/name.',
    ),
    dataDirectory: read('STOWAGE_DATA', path('data'), path, ''),
    configFile: read<string | null>('STOWAGE_CONFIG', null, path, ''),
    adminToken: read<string | null>('STOWAGE_ADMIN_TOKEN', null, parseToken, UNSENDABLE),
    agentToken: read<string | null>('STOWAGE_AGENT_TOKEN', null, parseToken, UNSENDABLE),
    dockerCertificates: read<string | null>('DOCKER_CERT_PATH', null, path, ''),
    credentialKeys: read<CredentialKeys | null>(
      'STOWAGE_CREDENTIAL_KEY',
      null,
      parseKeys,
      `is not a key: write ${KEY_FORM}; several with commas, the one that seals first.`,
    ),
    allowedNetworks: readNetworks(environment['STOWAGE_ALLOW_NETWORKS'] ?? '', faults),
    samples: read('STOWAGE_SAMPLES', true, parseSwitch, 'is neither 1 (catalog the samples) nor 0 (do not).'),
    logLevel: read('LOG_LEVEL', 'info', parseLogLevel, `is not one of ${LOG_LEVELS.join(', ')}.`),
    trustedDocuments,
    isSubgraph,
    tracing: readTracing(environment, faults),
  };
}

const VARIABLES = [
  'PORT',
  'HOST',
  'DATABASE_URL',
  'STOWAGE_DATA',
  'STOWAGE_CONFIG',
  'STOWAGE_ADMIN_TOKEN',
  'STOWAGE_AGENT_TOKEN',
  'STOWAGE_CREDENTIAL_KEY',
  'DOCKER_CERT_PATH',
  'STOWAGE_ALLOW_NETWORKS',
  'STOWAGE_SAMPLES',
  'STOWAGE_TRUSTED_DOCUMENTS',
  'STOWAGE_FEDERATION',
  'LOG_LEVEL',
] as const;
type Variable = (typeof VARIABLES)[number];

/** Never shown: a fault may well be in the password. */
const SECRETS: ReadonlySet<Variable> = new Set([
  'DATABASE_URL',
  'STOWAGE_ADMIN_TOKEN',
  'STOWAGE_AGENT_TOKEN',
  'STOWAGE_CREDENTIAL_KEY',
]);

const UNSENDABLE = 'cannot be sent as a bearer token: write letters, digits and -._~+/ only.';

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

/**
 * Only near misses: Kubernetes itself sets STOWAGE_PORT and its like where a service is called stowage, and the names
 * of secrets are the operator's to choose.
 */
function refuseMisspelt(environment: Environment, faults: string[]): void {
  const known: readonly string[] = VARIABLES;
  for (const name of Object.keys(environment)) {
    if (!name.startsWith('STOWAGE_') || known.includes(name)) continue;
    const meant = VARIABLES.find((variable) => editDistance(name, variable) <= 2);
    if (meant) faults.push(`environment ${name}: is not known; did you mean ${meant}?`);
  }
}

function parsePort(text: string): number | undefined {
  return /^\d{1,5}$/.test(text) && Number(text) <= 65535 ? Number(text) : undefined;
}

function parseHost(text: string): string | undefined {
  return isIP(text) !== 0 || /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(text) ? text : undefined;
}

function parseDatabaseUrl(text: string): string | undefined {
  const url = URL.parse(text);
  return url?.protocol === 'postgresql:' || url?.protocol === 'postgres:' ? text : undefined;
}

/** https://datatracker.ietf.org/doc/html/rfc6750#section-2.1 */
function parseToken(text: string): string | undefined {
  return /^[A-Za-z0-9._~+/-]+=*$/.test(text) ? text : undefined;
}

function readNetworks(text: string, faults: string[]): string[] {
  const networks = text.split(',').flatMap((part) => (part.trim() === '' ? [] : [part.trim()]));
  for (const network of networks) {
    if (isNetwork(network)) continue;
    faults.push(
      `environment STOWAGE_ALLOW_NETWORKS: "${network.slice(0, 200)}" is not a network: write addresses with the length of their prefix, such as 10.0.0.0/8 or fd00::/8, several with commas.`,
    );
  }
  return networks;
}

/** https://www.rfc-editor.org/rfc/rfc4632#section-3.1; an address alone is a network of one. */
function isNetwork(text: string): boolean {
  const [, address = '', prefix] = /^([0-9A-Fa-f.:]+)(?:\/(0|[1-9]\d{0,2}))?$/.exec(text) ?? [];
  const version = isIP(address);
  return version !== 0 && Number(prefix ?? 0) <= (version === 4 ? 32 : 128);
}

function parseSwitch(text: string): boolean | undefined {
  return text === '0' ? false : text === '1' ? true : undefined;
}

function parseLogLevel(text: string): LogLevel | undefined {
  return LOG_LEVELS.find((level) => level === text);
}
