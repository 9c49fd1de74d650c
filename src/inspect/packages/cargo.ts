import { inflateSync } from 'node:zlib';
import { isObject, parseJsonObject, textOf } from '../../domain/json.ts';
import { foundPackage, type FoundPackage } from '../../domain/package.ts';
import { sectionOf } from './executable.ts';

const SECTION = '.dep-v0';
const MAX_INFO = 4 * 1024 * 1024;

/**
 * The crates that a program of Rust was built from, where cargo-auditable wrote them into it.
 * https://github.com/rust-secure-code/cargo-auditable/blob/master/PARSING.md
 */
export function* crates(program: Uint8Array, path: string): Generator<FoundPackage | null> {
  const section = sectionOf(program, SECTION);
  if (section === null) return;
  const { packages } = parseJsonObject(inflateSync(section, { maxOutputLength: MAX_INFO }), `${SECTION} of ${path}`);
  for (const crate of Array.isArray(packages) ? packages : []) {
    if (!isObject(crate) || crate['kind'] === 'build') continue;
    yield foundPackage({
      type: 'CARGO',
      name: textOf(crate['name']) ?? '',
      version: textOf(crate['version']) ?? '',
    });
  }
}
