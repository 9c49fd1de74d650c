import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { CatalogError, messageOf } from '../domain/errors.ts';
import { isObject, parseJsonObject, textOf, type JsonObject } from '../domain/json.ts';
import { DOCKER_HUB, type RegistryHost } from '../domain/reference.ts';
import type { Credential } from './registry.ts';

export interface DockerConfigSettings {
  /** Where the file is; without it, where Docker looks: $DOCKER_CONFIG, else ~/.docker/config.json. */
  readonly path?: string;
  /** Of the process: it says where the file is, and helpers run in it. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * The credential that `docker login` left for a registry; null where there is none, or no file. Throws
 * INVALID_CONFIGURATION where the file can't be read or its helper fails. A helper is a program of the user's own: it
 * is run as Docker runs it, and what it prints is never shown.
 * https://docs.docker.com/reference/cli/docker/login/#credential-stores
 */
export async function credentialFromDockerConfig(
  host: RegistryHost,
  settings: DockerConfigSettings,
): Promise<Credential | null> {
  const path =
    settings.path ?? join(settings.environment['DOCKER_CONFIG'] ?? join(homedir(), '.docker'), 'config.json');
  const config = await readConfig(path);
  if (config === null) return null;

  const helpers = entryFor(host, config['credHelpers']);
  const helper = textOf(helpers ?? undefined) ?? textOf(config['credsStore']);
  if (helper !== null) {
    const fromHelper = await askHelper(helper, host, settings.environment, path);
    if (fromHelper !== null || helpers !== null) return fromHelper;
  }
  const entry = entryFor(host, config['auths']);
  return isObject(entry) ? readEntry(entry, `${path}: the entry of ${host}`) : null;
}

const HUB_KEY = 'https://index.docker.io/v1/';
const HELPER_TIMEOUT = 10_000;
const MAX_HELPER_OUTPUT = 1024 * 1024;

async function readConfig(path: string): Promise<JsonObject | null> {
  try {
    return parseJsonObject(await readFile(path), path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new CatalogError('INVALID_CONFIGURATION', `${path} can't be read: ${messageOf(error)}`, { cause: error });
  }
}

/** The member whose key names the host: as it is, as an old-style address, or, for Docker Hub, as its first address. */
function entryFor(host: RegistryHost, map: JsonObject[string] | undefined): JsonObject[string] | null {
  if (!isObject(map)) return null;
  const exact = map[host] ?? (host === DOCKER_HUB ? map[HUB_KEY] : undefined);
  if (exact !== undefined) return exact;
  const key = Object.keys(map).find((written) => hostOf(written) === host);
  return key === undefined ? null : (map[key] ?? null);
}

/** `https://registry.example.com/v2/` is registry.example.com; a key with a path of its own is of a repository. */
function hostOf(key: string): string {
  const [, scheme, host = '', path = ''] = /^(https?:\/\/)?([^/]*)(.*)$/.exec(key) ?? [];
  if (scheme === undefined && path !== '' && path !== '/') return '';
  const name = host.toLowerCase().replace(/:443$/, '');
  return name === 'index.docker.io' || name === 'registry-1.docker.io' ? DOCKER_HUB : name;
}

function readEntry(entry: JsonObject, what: string): Credential | null {
  const registryToken = textOf(entry['registrytoken']);
  if (registryToken !== null) return { kind: 'bearer', token: registryToken };
  const identityToken = textOf(entry['identitytoken']);
  if (identityToken !== null) return { kind: 'identity', token: identityToken };

  const encoded = textOf(entry['auth']);
  if (encoded === null) return basic(textOf(entry['username']), textOf(entry['password']));
  const decoded = Buffer.from(encoded, 'base64').toString('utf8').replace(/\0+$/, '');
  const colon = decoded.indexOf(':');
  if (colon < 1) {
    throw new CatalogError('INVALID_CONFIGURATION', `${what} has an "auth" that is not user:password in base64`);
  }
  return basic(decoded.slice(0, colon), decoded.slice(colon + 1));
}

function basic(username: string | null, password: string | null): Credential | null {
  if (username === null || password === null) return null;
  // The name that Docker's helpers give with a token of the OAuth2 kind.
  return username === '<token>' ? { kind: 'identity', token: password } : { kind: 'basic', username, password };
}

/** https://github.com/docker/docker-credential-helpers#development */
async function askHelper(
  suffix: string,
  host: RegistryHost,
  environment: DockerConfigSettings['environment'],
  path: string,
): Promise<Credential | null> {
  if (!/^[A-Za-z0-9._-]+$/.test(suffix)) {
    throw new CatalogError(
      'INVALID_CONFIGURATION',
      `${path} names the credential helper "${suffix.slice(0, 100)}": only letters, digits, ".", "_" and "-" can stand in its name`,
    );
  }
  const program = `docker-credential-${suffix}`;
  const { code, output } = await run(program, host === DOCKER_HUB ? HUB_KEY : host, environment, path);
  if (code !== 0) {
    if (/credentials not found/i.test(output)) return null;
    throw new CatalogError('INVALID_CONFIGURATION', `${path}: ${program} failed for ${host} with exit code ${code}`);
  }
  const answer = parseJsonObject(Buffer.from(output), `the answer of ${program}`);
  return basic(textOf(answer['Username']), textOf(answer['Secret']));
}

function run(
  program: string,
  input: string,
  environment: DockerConfigSettings['environment'],
  path: string,
): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, ['get'], { env: environment, stdio: ['pipe', 'pipe', 'ignore'] });
    const fail = (reason: string, cause?: unknown) => {
      clearTimeout(deadline);
      child.kill('SIGKILL');
      reject(new CatalogError('INVALID_CONFIGURATION', `${path}: ${program} ${reason}`, { cause }));
    };
    const deadline = setTimeout(fail, HELPER_TIMEOUT, `did not answer within ${HELPER_TIMEOUT / 1000} s`);
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (output.length > MAX_HELPER_OUTPUT) fail('wrote more than a credential');
    });
    // A helper may end without having read its input.
    child.stdin.on('error', () => undefined).end(input);
    child.on('error', (error) => fail('could not be run', error));
    child.on('close', (code) => {
      clearTimeout(deadline);
      resolve({ code, output });
    });
  });
}
