import { cut } from '../domain/json.ts';
import { endOfLifeOf } from './end-of-life.ts';
import { baseName } from './path.ts';

export interface OperatingSystem {
  /** ID of os-release: alpine, debian, rhel; windows. */
  readonly id: string;
  readonly versionId: string | null;
  readonly prettyName: string | null;
  /** See `endOfLifeOf`. */
  readonly endOfLifeAt: Date | null;
}

/** Whether a file may say which operating system an image has. os-release is mostly a link, to names that end alike. */
export function isOperatingSystemText(path: string): boolean {
  return VERSION_FILES.some((file) => file.path === path) || baseName(path).includes('os-release');
}

/**
 * By os-release; where there is none, by the files in which Alpine and Debian keep their version. Null where nothing
 * tells. `textOf` gives the text of a file, links followed, or null.
 * https://www.freedesktop.org/software/systemd/man/latest/os-release.html
 */
export function operatingSystemOf(textOf: (path: string) => string | null): OperatingSystem | null {
  const release = textOf('etc/os-release') ?? textOf('usr/lib/os-release');
  if (release !== null) return fromRelease(parseAssignments(release));
  for (const { path, id, name } of VERSION_FILES) {
    const versionId = textOf(path)?.trim();
    if (versionId) return operatingSystem(id, cut(versionId, MAX_VALUE), cut(`${name} ${versionId}`, MAX_VALUE));
  }
  return null;
}

/** Images of Windows say in their configuration what they are, and nowhere else. */
export function windowsOf(osVersion: string | null): OperatingSystem {
  return operatingSystem('windows', osVersion, osVersion === null ? 'Windows' : `Windows ${osVersion}`);
}

const VERSION_FILES = [
  { path: 'etc/alpine-release', id: 'alpine', name: 'Alpine Linux' },
  { path: 'etc/debian_version', id: 'debian', name: 'Debian GNU/Linux' },
];
const MAX_VALUE = 200;

function fromRelease(values: ReadonlyMap<string, string>): OperatingSystem {
  // What has no ID is to be taken for linux.
  return operatingSystem(
    values.get('ID') ?? 'linux',
    values.get('VERSION_ID') ?? null,
    values.get('PRETTY_NAME') ?? null,
  );
}

function operatingSystem(id: string, versionId: string | null, prettyName: string | null): OperatingSystem {
  return { id, versionId, prettyName, endOfLifeAt: endOfLifeOf(id, versionId) };
}

/** Assignments as a shell has them, quoted or not, without its expansions. */
function parseAssignments(text: string): Map<string, string> {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, name, value] = /^\s*([A-Z_][A-Z0-9_]*)=(.*?)\s*$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) values.set(name, cut(unquote(value), MAX_VALUE));
  }
  return values;
}

function unquote(value: string): string {
  if (/^'.*'$/.test(value)) return value.slice(1, -1);
  const inner = /^"(.*)"$/.exec(value)?.[1] ?? value;
  return inner.replace(/\\(["$`\\])/g, '$1');
}
