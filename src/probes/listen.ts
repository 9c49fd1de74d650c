import type { FastifyInstance } from 'fastify';
import { CatalogError } from '../domain/errors.ts';

/** Begins to listen; the address. What the operator can change throws INVALID_CONFIGURATION with what to change. */
export async function listenOn(app: FastifyInstance, port: number, host: string): Promise<string> {
  try {
    return await app.listen({ port, host });
  } catch (error) {
    const advice = ADVICE[(error as NodeJS.ErrnoException).code ?? ''];
    if (!advice) throw error;
    throw new CatalogError('INVALID_CONFIGURATION', `Can't listen on port ${port} of ${host}: ${advice}`, {
      cause: error,
    });
  }
}

const ADVICE: Readonly<Record<string, string | undefined>> = {
  EADDRINUSE: 'another process has it. Stop that one, or set PORT to a free port.',
  EACCES: 'this user may not. Set PORT to 1024 or higher.',
  EADDRNOTAVAIL: 'this machine has no such address. Set HOST to one that it has, such as 127.0.0.1 or 0.0.0.0.',
  ENOTFOUND: 'the name is not known. Set HOST to an address such as 127.0.0.1 or 0.0.0.0.',
};
