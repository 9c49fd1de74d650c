import type { FileNode, FileTree } from './file-tree.ts';
import type { FileType } from './layer-entry.ts';
import { join } from './path.ts';

/** A file that can be seen in an image. */
export interface ImageFile {
  /** With a slash at its start. */
  readonly path: string;
  /** Of the names of one file the first by path is a FILE, the others are HARDLINKs to it. */
  readonly type: FileType;
  /** In bytes; of a FILE only. */
  readonly size: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly linkTarget: string | null;
  /** Position of the layer that brought it; of a directory, of the first that has it. */
  readonly layer: number;
}

/** All files of an image but the root, a directory before what is in it, its names in order. */
export function* imageFiles(tree: FileTree): Generator<ImageFile> {
  const named = new Map<FileNode, string>();
  const left = childrenOf('', tree.root);
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const { path, node } = next;
    const { mode, uid, gid, layer } = node;
    const first = named.get(node);
    if (first === undefined && node.links > 1) named.set(node, path);
    if (first === undefined) {
      yield { path: `/${path}`, type: node.type, size: node.size, mode, uid, gid, linkTarget: node.linkTarget, layer };
    } else yield { path: `/${path}`, type: 'HARDLINK', size: 0, mode, uid, gid, linkTarget: `/${first}`, layer };
    left.push(...childrenOf(path, node));
  }
}

/** Last first. */
function childrenOf(path: string, { children }: FileNode): { path: string; node: FileNode }[] {
  if (children === null) return [];
  const sorted = [...children].sort(([a], [b]) => (a < b ? 1 : -1));
  return sorted.map(([name, node]) => ({ path: join(path, name), node }));
}
