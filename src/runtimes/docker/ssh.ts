import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { Agent } from 'node:http';
import { Duplex, type Readable, type Writable } from 'node:stream';
import type { SshEndpoint } from './endpoint.ts';

/**
 * Connections through ssh, as the docker command makes them: each is an ssh that runs `docker system dial-stdio` on the
 * host, and HTTP goes over its input and output. It signs in by the keys and the configuration that this user has.
 */
export function openSshAgent(endpoint: SshEndpoint): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets: MAX_CONNECTIONS });
  agent.createConnection = () => new SshConnection(endpoint);
  return agent;
}

/** What ssh itself said. */
export class SshFault extends Error {
  override readonly name = 'SshFault';
}

/** One of them has the events. A host that is not told otherwise refuses the eleventh that signs in at a time. */
const MAX_CONNECTIONS = 4;
const MAX_COMPLAINT = 2000;

const OPTIONS = [
  // Nobody is there who could be asked for a password.
  'BatchMode=yes',
  'ConnectTimeout=30',
  // A host that went away is noticed within a minute and a half.
  'ServerAliveInterval=30',
  'ServerAliveCountMax=3',
];

class SshConnection extends Duplex {
  readonly #process: ChildProcessByStdio<Writable, Readable, Readable>;
  #complaint = '';

  constructor(endpoint: SshEndpoint) {
    super();
    this.#process = spawn('ssh', argumentsFor(endpoint), { stdio: ['pipe', 'pipe', 'pipe'] });
    const { stdin, stdout, stderr } = this.#process;
    this.#process.on('error', (error) => this.destroy(new SshFault(`ssh can't be started: ${error.message}`)));
    // When all is read: only then it has said why.
    this.#process.on('close', (status) => {
      if (status === 0) this.push(null);
      else this.destroy(this.#fault());
    });
    stderr.on('data', (chunk: Buffer) => {
      this.#complaint = (this.#complaint + chunk.toString()).slice(-MAX_COMPLAINT);
    });
    stdout.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) stdout.pause();
    });
    // Its end is told by the process.
    stdin.on('error', () => undefined);
  }

  override _read(): void {
    this.#process.stdout.resume();
  }

  override _write(chunk: Buffer, _: string, done: (error?: Error | null) => void): void {
    this.#process.stdin.write(chunk, (error) => done(error ? this.#fault() : null));
  }

  override _final(done: () => void): void {
    this.#process.stdin.end(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#process.kill();
    done(error);
  }

  // What HTTP asks of a socket. ssh keeps the connection alive by itself.
  setKeepAlive(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setTimeout(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  #fault(): SshFault {
    return new SshFault(
      this.#complaint
        .trim()
        .split(/\s*\n\s*/)
        .slice(-3)
        .join('; ') || 'ssh ended',
    );
  }
}

/** No shell reads them here. On the other side one does, and the path of the socket is all that it gets from us. */
function argumentsFor({ host, user, port, socket }: SshEndpoint): string[] {
  return [
    '-T',
    ...OPTIONS.flatMap((option) => ['-o', option]),
    ...(user === null ? [] : ['-l', user]),
    ...(port === null ? [] : ['-p', String(port)]),
    '--',
    host.replace(/^\[|\]$/g, ''),
    'docker',
    ...(socket === null ? [] : [`--host=unix://${socket}`]),
    'system',
    'dial-stdio',
  ];
}
