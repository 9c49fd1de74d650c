import { createHash } from 'node:crypto';
import { algorithmOf, verifies, type Digest } from '../../domain/digest.ts';
import { RegistryError } from '../../domain/errors.ts';
import type { RepositoryName } from '../../domain/reference.ts';
import type { HttpAnswer } from '../../http/index.ts';
import { errorOf } from '../answer.ts';
import { pullScope, type Session } from './session.ts';

/**
 * A blob, checked. A small one is read whole, and so asked for again when the connection breaks or a cache gives other
 * bytes; a larger one comes as it is sent, and what came before an error is good for nothing.
 */
export async function* fetchBlob(
  session: Session,
  repository: RepositoryName,
  digest: Digest,
  size: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const path = `/v2/${repository}/blobs/${digest}`;
  const what = `GET ${session.addressOf(path)}`;
  const ask = { method: 'GET', path, headers: ACCEPT, scope: pullScope(repository), maxBytes: size } as const;
  if (size > SMALL) {
    yield* checked(await good(session.send({ ...ask, stream: true }, signal), what), digest, size, what);
    return;
  }
  const first = await wholeBody(session.send(ask, signal), size, what);
  if (first !== null && verifies(digest, first)) {
    yield first;
    return;
  }
  const uncached = { ...ask, headers: [...ACCEPT, 'cache-control', 'no-cache'] };
  const second = await wholeBody(session.send(uncached, signal), size, what);
  if (second === null || !verifies(digest, second)) throw mismatch(what, size);
  yield second;
}

const SMALL = 4 * 1024 * 1024;
const ACCEPT = ['accept', '*/*'];

async function good(sent: Promise<HttpAnswer>, what: string): Promise<HttpAnswer> {
  const answer = await sent;
  if (answer.status !== 200) throw errorOf(answer, what);
  return answer;
}

/** Null where it has another size. */
async function wholeBody(sent: Promise<HttpAnswer>, size: number, what: string): Promise<Buffer | null> {
  try {
    const { body } = await good(sent, what);
    return body.length === size ? body : null;
  } catch (error) {
    if (error instanceof RegistryError && error.code === 'TOO_LARGE' && error.status === null) return null;
    throw error;
  }
}

async function* checked(answer: HttpAnswer, digest: Digest, size: number, what: string): AsyncGenerator<Uint8Array> {
  const hash = createHash(algorithmOf(digest));
  let length = 0;
  for await (const chunk of answer.chunks ?? []) {
    length += chunk.length;
    hash.update(chunk);
    yield chunk;
  }
  if (length !== size || !digest.endsWith(`:${hash.digest('hex')}`)) throw mismatch(what, size);
}

function mismatch(what: string, size: number): RegistryError {
  return new RegistryError('DIGEST_MISMATCH', `${what} was answered with other bytes than the ${size} that it names`);
}
