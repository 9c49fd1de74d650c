/**
 * Where an entry of a layer goes, without a slash at its start: `./a//b/` is `a/b`, and the root is the empty path. Null
 * for what goes up, or has a zero in it: no tool writes that in good faith.
 */
export function entryPath(name: string): string | null {
  if (PLAIN.test(name)) return name;
  if (name.includes('\0')) return null;
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  return parts.includes('..') ? null : parts.join('/');
}

/** Its last part. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** What it lies in; the empty path for what lies in the root. */
export function directoryOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 0));
}

/** Of a name in a directory. */
export function join(directory: string, name: string): string {
  return directory === '' ? name : `${directory}/${name}`;
}

/** How many directories it goes through. */
export function depthOf(path: string): number {
  let depth = 0;
  for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) depth++;
  return depth;
}

/** Nothing to be done: parts that are neither empty nor begin with a dot. */
const PLAIN = /^[^/.\0][^/\0]*(\/[^/.\0][^/\0]*)*$/;
