/** The directories above the mounted trees: `/store`, `/state`, `/build`. Fixed once made; what lies below belongs to other trees. */
import { P9Error } from "./errno.ts";
import { ReadOnlyFileSystem } from "./read-only.ts";
import {
  S,
  type Attributes,
  type DirectoryEntry,
  type FileSystem,
  type FileSystemStatistics,
  type Inode,
} from "./tree.ts";

export class RootTree extends ReadOnlyFileSystem {
  readonly root: Inode;
  readonly #entries: Map<string, Inode>;

  readonly #writable: FileSystem;

  /** `id` must be unlike any inode number of the mounted trees. `writable` is the tree whose free space `df` shows for the mount. */
  constructor(id: number, mounts: Record<string, Inode>, writable: FileSystem) {
    super();
    this.#writable = writable;
    this.root = { id, fs: this, mode: S.DIRECTORY | 0o755 };
    this.#entries = new Map(Object.entries(mounts));
  }

  attributes(): Attributes {
    const nlink = 2 + this.#entries.size;
    return { mode: this.root.mode, uid: 0, gid: 0, nlink, rdev: 0, size: 4096, atime: 0n, mtime: 0n, ctime: 0n };
  }

  lookup(_directory: Inode, name: string): Inode | undefined {
    return this.#entries.get(name);
  }

  parent(): Inode {
    return this.root;
  }

  list(): DirectoryEntry[] {
    return [...this.#entries];
  }

  override statistics(): FileSystemStatistics {
    return this.#writable.statistics();
  }

  read(): never {
    throw new P9Error("EISDIR");
  }

  readlink(): never {
    throw new P9Error("EINVAL");
  }
}
