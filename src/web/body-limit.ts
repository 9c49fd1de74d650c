import { Transform, type TransformCallback } from 'node:stream';
import { errorCodes, type preParsingAsyncHookHandler } from 'fastify';
import { MAX_BODY } from './limits.ts';

/**
 * Lets those whose Authorization is known send what the route takes, such as reports of many containers, and others no
 * more than MAX_BODY.
 */
export function limitBodiesOfStrangers(isKnown: (authorization: string) => boolean): preParsingAsyncHookHandler {
  return async (request, _, payload) => {
    const { authorization, 'content-length': length } = request.headers;
    if (authorization !== undefined && isKnown(authorization)) return payload;
    if (Number(length ?? 0) > MAX_BODY) throw new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE();
    // Without a length it is counted as it comes.
    return length === undefined ? payload.pipe(new Limited()) : payload;
  };
}

class Limited extends Transform {
  #received = 0;

  override _transform(chunk: Buffer, _: BufferEncoding, done: TransformCallback): void {
    this.#received += chunk.length;
    if (this.#received > MAX_BODY) done(new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE());
    else done(null, chunk);
  }
}
