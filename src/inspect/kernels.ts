import type { FileTree, Place } from './file-tree.ts';
import { join } from './path.ts';

/** Kernels, and directories of modules, where distributions put them: up to 100, with a slash at the start, links followed. */
export function kernelsOf(tree: FileTree): string[] {
  const files = [
    ...childrenOf(tree, 'boot', (name) => BOOTED.some((start) => name.startsWith(start))),
    ...childrenOf(tree, '', (name) => name.startsWith('vmlinuz')),
    ...modulesOf(tree, 'usr/lib/modules').flatMap(({ path }) => tree.find(join(path, 'vmlinuz')) ?? []),
  ].filter(({ node }) => node.type === 'FILE');
  const modules = modulesOf(tree, 'lib/modules').filter(({ node }) => node.type === 'FILE' || node.children !== null);
  return [...new Set([...files, ...modules].map(({ path }) => `/${path}`))].sort().slice(0, MAX_KERNELS);
}

const MAX_KERNELS = 100;

const BOOTED = ['vmlinuz', 'vmlinux', 'bzImage', 'Image'];

function modulesOf(tree: FileTree, path: string): Place[] {
  return childrenOf(tree, path, (name) => !name.startsWith('.'));
}

function childrenOf(tree: FileTree, path: string, isWanted: (name: string) => boolean): Place[] {
  const directory = tree.find(path);
  const names = [...(directory?.node.children?.keys() ?? [])].filter(isWanted);
  return names.flatMap((name) => tree.find(join(path, name)) ?? []);
}
