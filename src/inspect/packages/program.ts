import type { FoundPackage } from '../../domain/package.ts';
import type { DocumentReader } from '../document.ts';
import { crates } from './cargo.ts';
import { isExecutable } from './executable.ts';
import { collect } from './found.ts';
import { goModules } from './go.ts';

/** Programs that say what they were built from. */
export const program: DocumentReader = {
  recognises: () => false,
  recognisesContent: isExecutable,
  read: (path, bytes) => collect(packagesOf(path, bytes), path),
};

function* packagesOf(path: string, bytes: Uint8Array): Generator<FoundPackage | null> {
  yield* goModules(bytes);
  yield* crates(bytes, path);
}
