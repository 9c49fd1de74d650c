import { FileTree, directory, type FileNode, type TreeLimits } from './file-tree.ts';
import type { LayerDocument } from './layer-document.ts';
import type { LayerEntry } from './layer-entry.ts';
import type { LayerInspection } from './layer.ts';
import type { Notes } from './notes.ts';
import { PackageHistory } from './package-history.ts';
import { baseName, directoryOf } from './path.ts';

/** As much of a layer as is needed to put it on those below. */
export type StackedLayer = Pick<LayerInspection, 'entries' | 'documents' | 'reason'>;

/**
 * The files of an image while its layers are put on one another, bottom first. A layer takes away before it brings: its
 * whiteouts are about the layers below it, wherever in it they stand.
 * https://github.com/opencontainers/image-spec/blob/main/layer.md#applying-changesets
 */
export class Overlay {
  readonly tree: FileTree;
  readonly packages = new PackageHistory();
  /** Those that can be seen. */
  readonly documents = new Map<FileNode, LayerDocument>();
  readonly #notes: Notes;
  #position = 0;
  #wastedSize = 0;

  constructor(limits: TreeLimits, notes: Notes) {
    this.tree = new FileTree((node) => this.#lose(node), limits);
    this.#notes = notes;
  }

  /** Bytes that one layer wrote, and a later one replaced or took away. */
  get wastedSize(): number {
    return this.#wastedSize;
  }

  /** Throws a TreeLimitReached; what has been put until then stays. */
  add(layer: StackedLayer, position: number): void {
    this.#position = position;
    const documents = new Map(layer.documents.map((document) => [document.path, document]));
    try {
      for (const entry of layer.entries) if (entry.whiteout !== null) this.#takeAway(entry);
      for (const entry of layer.entries) if (entry.whiteout === null) this.#bring(entry, documents);
    } finally {
      this.packages.endLayer(position);
    }
  }

  #takeAway({ path, whiteout }: LayerEntry): void {
    this.tree.check();
    if (whiteout === 'OPAQUE') {
      const node = this.tree.find(path)?.node;
      for (const name of node?.children?.keys() ?? []) if (node) this.tree.remove(node, name);
      return;
    }
    const parent = this.tree.find(directoryOf(path))?.node;
    if (parent?.children) this.tree.remove(parent, baseName(path));
  }

  #bring(entry: LayerEntry, documents: ReadonlyMap<string, LayerDocument>): void {
    this.tree.check();
    const { path, type, mode, uid, gid } = entry;
    const name = baseName(path);
    const parent = this.tree.directoryFor(path, this.#position);
    if (parent === null) return this.#notes.add(`/${path} is left out: the links on the way to it lead nowhere.`);
    if (type === 'HARDLINK') return this.#link(entry, parent);
    if (type === 'DIRECTORY') {
      const present = parent.children?.get(name);
      if (present?.children) Object.assign(present, { mode, uid, gid });
      else this.tree.put(parent, name, directory(this.#position, mode, uid, gid));
      return;
    }
    const { size, linkTarget } = entry;
    const node = { type, size, mode, uid, gid, linkTarget, layer: this.#position, links: 0, children: null };
    this.tree.put(parent, name, node);
    const document = type === 'FILE' ? documents.get(path) : undefined;
    if (document !== undefined) this.#show(node, document);
  }

  #link({ path, linkTarget }: LayerEntry, parent: FileNode): void {
    const target = this.tree.findItself(linkTarget ?? '')?.node;
    if (target === undefined || target.children !== null) {
      return this.#notes.add(`/${path} is left out: there is no file that it could be a link to.`);
    }
    this.tree.put(parent, baseName(path), target);
  }

  #show(node: FileNode, document: LayerDocument): void {
    this.documents.set(node, document);
    if ('packages' in document) this.packages.show(document.packages);
  }

  #lose(node: FileNode): void {
    if (node.links > 0) return;
    if (node.layer < this.#position) this.#wastedSize += node.size;
    const document = this.documents.get(node);
    this.documents.delete(node);
    if (document !== undefined && 'packages' in document) this.packages.hide(document.packages);
  }
}
