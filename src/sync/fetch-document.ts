import type { Digest } from '../domain/digest.ts';
import { RegistryError } from '../domain/errors.ts';
import type { RepositoryName } from '../domain/reference.ts';
import type { OpenRegistry } from '../registries/registry.ts';

export interface DocumentSource {
  readonly registry: OpenRegistry;
  readonly repository: RepositoryName;
  readonly signal: AbortSignal;
}

const MAX_DOCUMENT = 4 * 1024 * 1024;

/**
 * A blob that is read whole, such as a configuration. `what` is its name in the error that says that it has more bytes
 * than `most`.
 */
export async function fetchDocument(
  { registry, repository, signal }: DocumentSource,
  { digest, size }: { readonly digest: Digest; readonly size: number },
  what: string,
  most = MAX_DOCUMENT,
): Promise<Uint8Array> {
  if (size > most) {
    throw new RegistryError('TOO_LARGE', `the ${what} has ${size} bytes, more than ${most}`);
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of registry.fetchBlob(repository, digest, size, signal)) chunks.push(chunk);
  return chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks);
}
