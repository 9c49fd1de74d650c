import { foundPackage, type FoundPackage } from '../../domain/package.ts';

/**
 * The modules that a program of Go was built from, the main one and Go itself among them. Reads what Go writes since
 * 1.18, wherever the program's format has put it. https://pkg.go.dev/debug/buildinfo
 */
export function* goModules(program: Uint8Array): Generator<FoundPackage | null> {
  const info = buildInfoOf(Buffer.from(program.buffer, program.byteOffset, program.length));
  if (info === null) return;
  // "go1.22.3 X:nocoverageredesign" names experiments as well.
  const [, release] = /^go(\d\S*)/.exec(info.goVersion) ?? [];
  if (release !== undefined) yield foundPackage({ type: 'GO', name: 'stdlib', version: release });
  let module: readonly string[] | null = null;
  for (const line of info.modules.split('\n')) {
    const [word = '', ...fields] = line.split('\t');
    if (word === '=>') {
      // It stands for the module of the line before; a folder that does has no version of its own.
      if (fields[1]?.startsWith('v')) module = fields;
      continue;
    }
    if (module) yield packageOf(module);
    module = word === 'mod' || word === 'dep' ? fields : null;
  }
  if (module) yield packageOf(module);
}

const MAGIC = Buffer.from('\xff Go buildinf:', 'latin1');
const ALIGNMENT = 16;
const HEADER_SIZE = 32;
const HAS_INLINE_STRINGS = 2;
const FLAGS_AT = 15;
/** What the linker puts before and after the list of modules. */
const FRAME_SIZE = 16;
const MAX_INFO = 1024 * 1024;

interface BuildInfo {
  readonly goVersion: string;
  readonly modules: string;
}

/** Programs that read build info hold the magic, too, so the first place that makes sense is taken. */
function buildInfoOf(program: Buffer): BuildInfo | null {
  for (let at = program.indexOf(MAGIC); at >= 0; at = program.indexOf(MAGIC, at + 1)) {
    if (at % ALIGNMENT !== 0 || ((program[at + FLAGS_AT] ?? 0) & HAS_INLINE_STRINGS) === 0) continue;
    const version = readText(program, at + HEADER_SIZE);
    const modules = version && readText(program, version.end);
    if (!modules || !/^(?:go\d|devel)/.test(version.text)) continue;
    const isFramed = modules.text.length > 2 * FRAME_SIZE && modules.text.at(-FRAME_SIZE - 1) === '\n';
    const text = isFramed ? modules.text.slice(FRAME_SIZE, -FRAME_SIZE) : '';
    return { goVersion: version.text, modules: Buffer.from(text, 'latin1').toString() };
  }
  return null;
}

/** A text, a character for each byte, after its length as a varint; null where it does not fit. */
function readText(program: Buffer, start: number): { readonly text: string; readonly end: number } | null {
  let length = 0;
  for (let at = start; at < start + 5; at++) {
    const byte = program[at];
    if (byte === undefined) return null;
    length += (byte & 0x7f) * 2 ** (7 * (at - start));
    if (byte < 0x80) {
      const end = at + 1 + length;
      if (length > MAX_INFO || end > program.length) return null;
      return { text: program.toString('latin1', at + 1, end), end };
    }
  }
  return null;
}

/** The main module, where it was built from a folder, has no version, or (devel). */
function packageOf([name = '', version = '']: readonly string[]): FoundPackage | null {
  return foundPackage({ type: 'GO', name, version });
}
