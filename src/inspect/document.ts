import type { FoundPackage } from '../domain/package.ts';

/**
 * Reads one form in which packages are told of inside an image: a database of a package manager, a manifest that came
 * with a package, the build info of a program. Pure: a path and bytes in, packages out.
 */
export interface DocumentReader {
  /** By the path alone, normalised and without a slash at its start: lib/apk/db/installed. */
  recognises(path: string): boolean;
  /**
   * By the first bytes of a regular file that may be executed, for what no path tells: at most `HEAD_SIZE`, fewer where
   * the file has fewer. Asked only of files that no reader recognises by their paths.
   */
  recognisesContent?(head: Uint8Array): boolean;
  /** Files of more bytes are not read, and that is noted; `MAX_DOCUMENT_BYTES` when not given. */
  readonly maxBytes?: number;
  /**
   * All bytes of the file, which are not to be kept: they are overwritten by the next. Whatever it throws is noted with
   * the path, and is the end of nothing.
   */
  read(path: string, bytes: Uint8Array): readonly FoundPackage[];
}

/** How much of a file `recognisesContent` is shown. */
export const HEAD_SIZE = 512;

/** What a reader takes that sets no limit of its own. */
export const MAX_DOCUMENT_BYTES = 64 * 1024 * 1024;
