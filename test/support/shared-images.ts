import { execFile, execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** Real images, a real registry and the truth about them; they lie beside the checkout, where they are at all. */
const imagesFolder = fileURLToPath(new URL('../../../shared/images/', import.meta.url));

/** The layout that comes with Stowage. */
const samplesFolder = fileURLToPath(new URL('../../samples/', import.meta.url));

/** Each with the package of Debian that has it. */
const NEEDED = {
  'docker-registry': 'docker-registry',
  skopeo: 'skopeo',
  htpasswd: 'apache2-utils',
  openssl: 'openssl',
  jq: 'jq',
  curl: 'curl',
};

/** Why tests against the real registry can't run here; null when they can. */
function whyNoRegistry(): string | null {
  if (!existsSync(imagesFolder)) return 'there are no real images beside the checkout (../shared/images)';
  const missing = Object.entries(NEEDED).flatMap(([command, name]) => (isInstalled(command) ? [] : [name]));
  return missing.length > 0 ? `not installed: ${missing.join(', ')} (apt-get install ${missing.join(' ')})` : null;
}

/** A group of tests on the real registry, reported as skipped, with the reason, where it can't run. */
export function describeRegistry(title: string, tests: () => void): void {
  const reason = whyNoRegistry();
  if (reason === null) describe(title, tests);
  else describe.skip(`${title} (skipped: ${reason})`, tests);
}

/** A group of tests on the bytes of the images alone, reported as skipped where there are none. */
export function describeImages(title: string, tests: () => void): void {
  if (existsSync(imagesFolder)) describe(title, tests);
  else describe.skip(`${title} (skipped: there are no real images beside the checkout)`, tests);
}

/** The bytes of a blob, as a registry would serve them. */
export function readBlob(digest: string): Buffer {
  const paths = imageFolders().map((folder) => join(folder, 'oci/blobs', digest.replace(':', '/')));
  const path = paths.find((each) => existsSync(each));
  if (path === undefined) throw new Error(`${digest} is in none of ${imageFolders().join(', ')}`);
  return readFileSync(path);
}

export interface ExpectedLayer {
  readonly digest: string;
  readonly media_type: string;
  readonly size: number;
  readonly diff_id?: string;
  readonly uncompressed_size?: number;
  readonly whiteouts?: number;
}

/** The final file system of an image; null where a layer is not to be had. */
export interface ExpectedContents {
  readonly os_release: { readonly id: string; readonly version_id: string; readonly pretty_name: string } | null;
  /** By the kind: deb, apk, rpm. */
  readonly packages: Readonly<Record<string, ExpectedPackages>>;
  readonly shells: readonly ExpectedProgram[];
  readonly package_managers: readonly string[];
  readonly package_manager_paths: readonly ExpectedProgram[];
  readonly kernel: { readonly paths: readonly string[] };
  readonly regular_files: number;
  readonly regular_bytes: number;
}

export interface ExpectedProgram {
  readonly path: string;
  readonly resolves_to: string;
  readonly busybox_applet?: true;
}

export interface ExpectedManifest {
  readonly digest: string;
  readonly kind: 'image' | 'index' | 'artifact' | 'attestation' | 'signature';
  readonly media_type: string;
  readonly size: number;
  readonly annotations?: Record<string, string>;
  readonly artifact_type?: string;
  readonly subject?: string;
  readonly config?: { readonly digest: string; readonly media_type: string; readonly size: number };
  readonly layers?: readonly ExpectedLayer[];
  readonly layers_size?: number;
  readonly members?: readonly {
    readonly digest: string;
    readonly mediaType: string;
    readonly platform?: Record<string, string>;
  }[];
  readonly platform?: {
    readonly os: string;
    readonly architecture: string;
    readonly variant?: string;
    readonly os_version?: string;
  };
  readonly image?: {
    readonly created: string | null;
    readonly author: string | null;
    readonly entrypoint: string[] | null;
    readonly cmd: string[] | null;
    readonly env: string[] | null;
    readonly labels: Record<string, string> | null;
    readonly exposed_ports: string[];
    readonly user: string | null;
    readonly working_dir: string | null;
    readonly volumes: string[];
    readonly stop_signal: string | null;
    readonly healthcheck: { readonly Test?: string[]; readonly Interval?: number } | null;
    readonly history: number;
    readonly empty_history: number;
  };
  readonly contents?: ExpectedContents | null;
  readonly tagged_as: readonly string[];
  /** Images whose layers are the bottom of its own, nearest first; those with the same layers are one entry. */
  readonly bases?: readonly { readonly layers: number; readonly images: readonly string[] }[];
  readonly same_layers_as?: readonly string[];
  readonly in_repositories: readonly string[];
}

export interface ExpectedPackages {
  readonly count: number;
  readonly samples: readonly { readonly name: string; readonly version: string }[];
  /** Of the sorted lines `name version`. */
  readonly list_sha256: string;
}

export interface Expected {
  readonly repositories: Record<
    string,
    {
      readonly tags: Record<string, string>;
      readonly tags_after_stage: Record<string, Record<string, string>>;
    }
  >;
  readonly manifests: Record<string, ExpectedManifest>;
}

/** With the images that make-images.sh made, where MADE_IMAGES names their folder: load.sh pushes those, too. */
export function readExpected(): Expected {
  const parts = imageFolders().map(
    (folder) => JSON.parse(readFileSync(join(folder, 'EXPECTED.json'), 'utf8')) as Expected,
  );
  return {
    repositories: Object.assign({}, ...parts.map((part) => part.repositories)) as Expected['repositories'],
    manifests: Object.assign({}, ...parts.map((part) => part.manifests)) as Expected['manifests'],
  };
}

function imageFolders(): string[] {
  return [imagesFolder, process.env['MADE_IMAGES']].filter((folder) => folder !== undefined);
}

export interface RealRegistry {
  readonly host: string;
  /** Pushes one stage of pushes.txt. */
  load(stage: number): Promise<void>;
  /** Pushes all tags of one repository of pushes.txt. */
  loadRepository(name: string): Promise<void>;
  /** Pushes those of pushes.txt whose repository:tag matches. */
  loadOnly(pattern: string): Promise<void>;
  /** Pushes an image of the samples, such as demo/base:1.1, with all its platforms. */
  push(reference: string, sample: string): Promise<void>;
  /** Copies what a tag names, whole, from another registry. */
  copy(from: RealRegistry, reference: string): Promise<void>;
  /** Makes one tag of a repository name what another names. */
  retag(repository: string, from: string, to: string): Promise<void>;
  /** Deletes a manifest, and so all tags that name it. */
  deleteManifest(repository: string, digest: string): Promise<void>;
  /** Lines of its access log, such as `GET /v2/library/alpine/manifests/3.20`. */
  requests(): string[];
  stop(): Promise<void>;
}

const run = promisify(execFile);

export interface RegistryOptions {
  /** Whether it deletes when it is asked to; true when not given. */
  readonly deletes?: boolean;
  /** Where it tells what happens in it, given the host that it has, and the bearer token that it sends there. */
  readonly notify?: { readonly token: string; urlOf(host: string): string };
  /** Whom it lets in: by password, or with tokens of the service whose variables are given. Everybody when not given. */
  readonly account?: {
    readonly username: string;
    readonly password: string;
    readonly tokens: Readonly<Record<string, string>> | null;
  };
}

export async function startRegistry({ deletes = true, notify, account }: RegistryOptions = {}): Promise<RealRegistry> {
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), 'stowage-registry-'));
  const environment = {
    ...process.env,
    REGISTRY_STATE: join(folder, 'state'),
    REGISTRY_STORAGE_DELETE_ENABLED: String(deletes),
    ...(notify && { NOTIFY_URL: notify.urlOf(`127.0.0.1:${port}`), NOTIFY_TOKEN: notify.token }),
    ...(account && { REGISTRY_USER: account.username, REGISTRY_PASSWORD: account.password, ...account.tokens }),
  };
  const script = join(imagesFolder, 'registry.sh');
  const host = `127.0.0.1:${port}`;
  // It is a daemon: its output must not be a pipe that would be waited for.
  const mode = account ? (account.tokens ? 'token' : 'htpasswd') : notify ? 'notify' : 'plain';
  execFileSync(script, ['start', mode, String(port)], { env: environment, stdio: 'ignore' });
  const load = async (what: string[]) => {
    await run(join(imagesFolder, 'load.sh'), [...what, host], { env: environment, maxBuffer: 1e8 });
  };
  return {
    host,
    load: (stage) => load(['--stage', String(stage)]),
    loadRepository: (name) => load(['--only', `^${name}:`]),
    loadOnly: (pattern) => load(['--only', pattern]),
    async push(reference, sample) {
      const source = `oci:${samplesFolder}:${sample}`;
      await run('skopeo', ['copy', '--all', '--dest-tls-verify=false', source, `docker://${host}/${reference}`]);
    },
    async copy(from, reference) {
      const plain = ['--src-tls-verify=false', '--dest-tls-verify=false', '--all', '--preserve-digests'];
      await run('skopeo', ['copy', ...plain, `docker://${from.host}/${reference}`, `docker://${host}/${reference}`]);
    },
    async retag(repository, from, to) {
      const plain = ['--src-tls-verify=false', '--dest-tls-verify=false', '--all', '--preserve-digests'];
      const place = `docker://${host}/${repository}`;
      await run('skopeo', ['copy', ...plain, `${place}:${from}`, `${place}:${to}`]);
    },
    async deleteManifest(repository, digest) {
      const response = await fetch(`http://${host}/v2/${repository}/manifests/${digest}`, { method: 'DELETE' });
      if (response.status !== 202) throw new Error(`the registry answered ${response.status}`);
    },
    requests() {
      const log = readFileSync(join(folder, 'state', 'log'), 'utf8');
      return [...log.matchAll(/"(GET|HEAD) (\/v2\/[^ ]*) HTTP/g)].map(([, method, path]) => `${method} ${path}`);
    },
    async stop() {
      execFileSync(script, ['stop', String(port)], { env: environment, stdio: 'ignore' });
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function isInstalled(command: string): boolean {
  return (process.env['PATH'] ?? '').split(':').some((folder) => existsSync(join(folder, command)));
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}
