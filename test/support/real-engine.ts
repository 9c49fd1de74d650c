import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('../../../shared/images/engine.sh', import.meta.url));

export type EngineName = 'docker' | 'podman';

/** A real engine of a test, with a store of its own. */
export interface RealEngine {
  readonly endpoint: string;
  /** Asks its API, and gives what it answers; rejects where that is an error. */
  call<T = unknown>(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object): Promise<T>;
  /** Away, with what it has kept. */
  stop(): Promise<void>;
  /** There again. */
  start(): Promise<void>;
  close(): Promise<void>;
}

/**
 * A group of tests on a real engine. Where none can be started, as in many containers, it is reported as skipped with
 * the reason, which the check of a clean clone does not count as a failure.
 */
export function describeEngine(name: EngineName, title: string, tests: () => void): void {
  const reason = whyNoEngine(name);
  if (reason === null) describe(title, tests);
  else describe.skip(`${title} (skipped: no ${name} can be started here: ${reason})`, tests);
}

/** With what it pulls by plain HTTP from this registry of loopback. */
export async function startEngine(name: EngineName, registry: string): Promise<RealEngine> {
  const state = await mkdtemp(join(tmpdir(), `stowage-${name}-`));
  const socket = join(state, 'engine.sock');
  const environment = { ...process.env, ENGINE_STATE: state, REGISTRIES: registry };
  // It is a daemon: its output must not be a pipe that would be waited for.
  const engine = (...words: string[]) => {
    execFileSync(script, words, { env: environment, stdio: 'ignore', timeout: 60_000 });
  };
  engine('start', name);
  return {
    endpoint: `unix://${socket}`,
    call: (method, path, body) => call(socket, method, path, body),
    stop: async () => engine('stop', name),
    start: async () => engine('start', name),
    async close() {
      // Containers of Podman live on without it.
      const containers = await call<{ Id: string }[]>(socket, 'GET', '/containers/json?all=1');
      for (const { Id } of containers) await call(socket, 'DELETE', `/containers/${Id}?force=1`);
      engine('stop', name, '--wipe');
      await rm(state, { recursive: true, force: true });
    },
  };
}

function whyNoEngine(name: EngineName): string | null {
  if (!existsSync(script)) return 'there is no ../shared/images';
  const state = mkdtempSync(join(tmpdir(), `stowage-${name}-try-`));
  const options = { env: { ...process.env, ENGINE_STATE: state }, timeout: 60_000, encoding: 'utf8' } as const;
  const tried = spawnSync(script, ['start', name], options);
  spawnSync(script, ['stop', name, '--wipe'], options);
  return tried.status === 0 ? null : tried.stderr.trim().replaceAll('\n', '; ') || String(tried.error);
}

function call<T>(socketPath: string, method: string, path: string, body?: object): Promise<T> {
  return new Promise((resolve, reject) => {
    const headers = { host: 'engine', 'content-type': 'application/json' };
    const sent = request({ socketPath, method, path: `/v1.41${path}`, headers, agent: false }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => {
        const text = Buffer.concat(parts).toString();
        if ((response.statusCode ?? 500) >= 400) reject(new Error(`${method} ${path}: ${response.statusCode} ${text}`));
        else resolve(parsed(text) as T);
      });
    });
    sent.on('error', reject);
    sent.end(body && JSON.stringify(body));
  });
}

/** Null for the progress of a pull, which is many documents, and for what is none. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
