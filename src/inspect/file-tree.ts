import type { FileType } from './layer-entry.ts';
import { baseName, directoryOf, join } from './path.ts';

/** A file as it is, whatever names it has: an inode. */
export interface FileNode {
  readonly type: Exclude<FileType, 'HARDLINK'>;
  readonly size: number;
  mode: number;
  uid: number;
  gid: number;
  /** Of a symbolic link, as it is written. */
  readonly linkTarget: string | null;
  /** Position of the layer that brought it. */
  readonly layer: number;
  /** How many names it has. */
  links: number;
  /** Of a directory; null for everything else. */
  readonly children: Map<string, FileNode> | null;
}

/** Where a way through the tree leads. */
export interface Place {
  /** Without a slash at its start, no link in it. */
  readonly path: string;
  readonly node: FileNode;
}

/** Told of everything but a directory that lost a name. */
export type TreeWatcher = (node: FileNode) => void;

export interface TreeLimits {
  /** Names in it. */
  readonly nodes: number;
  /** From a directory to one in it, over all ways that are gone: links make a short path a long way. */
  readonly steps: number;
}

export const TREE_LIMITS: TreeLimits = { nodes: 1_000_000, steps: 200_000_000 };

export class TreeLimitReached extends Error {
  override readonly name = 'TreeLimitReached';
}

/**
 * The files of an image as a process in it sees them: links are followed inside, and never
 * out.
 */
export class FileTree {
  readonly root: FileNode = directory(0);
  readonly #watcher: TreeWatcher;
  readonly #limits: TreeLimits;
  #nodes = 0;
  #steps = 0;
  /** Where the last directory was that was asked for, as neighbours in a layer are in the same one. */
  #last: { readonly path: string; readonly node: FileNode } | null = null;

  constructor(watcher: TreeWatcher, limits: TreeLimits) {
    this.#watcher = watcher;
    this.#limits = limits;
  }

  /** What is at a path, all links followed; null where there is nothing, or links go round. */
  find(path: string): Place | null {
    const walk = this.#walk(path);
    return walk === null || walk.missing.length > 0 ? null : { path: walk.path, node: walk.node };
  }

  /** What is at a path, links in it followed, and one at its end not. */
  findItself(path: string): Place | null {
    const place = this.find(directoryOf(path));
    const node = place?.node.children?.get(baseName(path));
    return place == null || node === undefined ? null : { path: join(place.path, baseName(path)), node };
  }

  /**
   * The directory that a path goes to, links followed. It is made where it is missing, in place of what is no directory;
   * null where links lead to no place for it.
   */
  directoryFor(path: string, layer: number): FileNode | null {
    const directoryPath = directoryOf(path);
    if (this.#last?.path === directoryPath) return this.#last.node;
    const walk = this.#walk(directoryPath);
    if (walk === null || walk.missing.includes('..')) return null;
    let { node } = walk;
    if (node.children === null) {
      node = this.put(this.directoryFor(walk.path, layer) ?? this.root, baseName(walk.path), directory(layer));
    }
    for (const name of walk.missing) node = this.put(node, name, directory(layer));
    this.#last = { path: directoryPath, node };
    return node;
  }

  /** Gives a node a name, in place of what has that name. */
  put(parent: FileNode, name: string, node: FileNode): FileNode {
    if (node === parent.children?.get(name)) return node;
    // Before what may hold its last other name is taken away.
    node.links++;
    this.remove(parent, name);
    parent.children?.set(name, node);
    this.#nodes++;
    return node;
  }

  /** Takes away a name, and all that is below it. */
  remove(parent: FileNode, name: string): void {
    const node = parent.children?.get(name);
    if (node === undefined) return;
    parent.children?.delete(name);
    if (node.type !== 'FILE') this.#last = null;
    const left = [node];
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      this.#nodes--;
      next.links--;
      if (next.children === null) this.#watcher(next);
      else left.push(...next.children.values());
    }
  }

  /** Throws a TreeLimitReached, once it is too large to be added to. */
  check(): void {
    const { nodes, steps } = this.#limits;
    if (this.#nodes > nodes) throw new TreeLimitReached(`The image has more than ${nodes} files and directories.`);
    if (this.#steps <= steps) return;
    throw new TreeLimitReached(`The ways through the files of the image take more than ${steps} steps.`);
  }

  #walk(path: string): { path: string; node: FileNode; missing: string[] } | null {
    const parts = path.split('/').reverse();
    const above: FileNode[] = [];
    const names: string[] = [];
    let node = this.root;
    let links = 0;
    for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
      this.#steps++;
      if (part === '' || part === '.') continue;
      if (part === '..') {
        node = above.pop() ?? this.root;
        names.pop();
        continue;
      }
      const child = node.children?.get(part);
      if (child === undefined) {
        const missing = [part, ...parts.reverse()].filter((name) => name !== '' && name !== '.');
        return { path: names.join('/'), node, missing };
      }
      if (child.linkTarget === null) {
        above.push(node);
        names.push(part);
        node = child;
        continue;
      }
      if (++links > MAX_LINKS) return null;
      if (child.linkTarget.startsWith('/')) {
        node = this.root;
        above.length = 0;
        names.length = 0;
      }
      parts.push(...child.linkTarget.split('/').reverse());
    }
    return { path: names.join('/'), node, missing: [] };
  }
}

export function directory(layer: number, mode = 0o755, uid = 0, gid = 0): FileNode {
  return { type: 'DIRECTORY', size: 0, mode, uid, gid, linkTarget: null, layer, links: 0, children: new Map() };
}

/** As Linux has it. */
const MAX_LINKS = 40;
