import type { FileNode, FileTree } from './file-tree.ts';
import { join } from './path.ts';

/** A program that a process in the image could start. */
export interface Program {
  /** With a slash at its start; a directory that is a link is named by what it points to. */
  readonly path: string;
  /** Where the links at the path end. */
  readonly resolvesTo: string;
  /** It is the same file as a busybox, under another name. */
  readonly isBusyboxApplet: boolean;
}

/** Shells in the directories where programs are looked for, by path. `env` is that of the image's configuration. */
export function shellsOf(tree: FileTree, env: readonly string[]): Program[] {
  return programsOf(tree, SHELLS, env);
}

/** Package managers likewise, without those that are a busybox: each busybox has a dpkg and an rpm that unpack only. */
export function packageManagersOf(tree: FileTree, env: readonly string[]): Program[] {
  return programsOf(tree, PACKAGE_MANAGERS, env).filter(({ isBusyboxApplet }) => !isBusyboxApplet);
}

// prettier-ignore
const SHELLS = [
  'sh', 'bash', 'ash', 'dash', 'rbash', 'zsh', 'ksh', 'mksh', 'csh', 'tcsh', 'fish', 'busybox', 'toybox', 'pwsh',
];
// prettier-ignore
const PACKAGE_MANAGERS = [
  'apt', 'apt-get', 'aptitude', 'dpkg', 'apk', 'dnf', 'dnf5', 'yum', 'microdnf', 'tdnf', 'zypper', 'rpm', 'pacman',
  'opkg', 'pip', 'pip3', 'npm', 'yarn', 'pnpm', 'gem', 'conda',
];

/** Looked in whatever PATH says: an entrypoint may have another. */
const DIRECTORIES = ['bin', 'sbin', 'usr/bin', 'usr/sbin', 'usr/local/bin', 'usr/local/sbin'];

/** Of a PATH. */
const MAX_DIRECTORIES = 100;

function programsOf(tree: FileTree, names: readonly string[], env: readonly string[]): Program[] {
  const directories = new Map<string, FileNode>();
  const busyboxes = new Set<FileNode>();
  for (const path of [...DIRECTORIES, ...searchPath(env)]) {
    const place = tree.find(path);
    if (place?.node.children) directories.set(place.path, place.node);
    const busybox = tree.find(join(path, 'busybox'))?.node;
    if (busybox?.type === 'FILE') busyboxes.add(busybox);
  }
  const programs = [...directories].flatMap(([directory, { children }]) =>
    names.flatMap((name): Program[] => {
      const target = children?.has(name) ? tree.find(join(directory, name)) : null;
      if (target?.node.type !== 'FILE' || (target.node.mode & 0o111) === 0) return [];
      const isBusyboxApplet = name !== 'busybox' && busyboxes.has(target.node);
      return [{ path: `/${join(directory, name)}`, resolvesTo: `/${target.path}`, isBusyboxApplet }];
    }),
  );
  return programs.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** The directories of PATH that begin at the root. */
function searchPath(env: readonly string[]): string[] {
  return env
    .filter((variable) => variable.startsWith('PATH='))
    .flatMap((variable) => variable.slice('PATH='.length).split(':'))
    .filter((directory) => directory.startsWith('/'))
    .slice(0, MAX_DIRECTORIES);
}
