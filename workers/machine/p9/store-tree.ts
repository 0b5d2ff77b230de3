/**
 * `/store`: the browser's Nix store as a read-only tree. Names come from an index; a path's tree is fetched on the first walk into
 * it, a file's bytes on the first read. A name that is missing is asked for again each time, because the store grows while the guest
 * runs (the guest's kernel drops missing names too, so a path is visible as soon as it is registered).
 */
import type { FileTree } from "#engine/store/format/tree.ts";
import { P9Error } from "./errno.ts";
import { ReadOnlyFileSystem } from "./read-only.ts";
import { S, andThen, type Attributes, type DirectoryEntry, type Inode, type MaybePromise } from "./tree.ts";

/** What the tree reads. `names` are base names, `<hash>-<name>`; each call sees everything registered before it. */
export interface StoreSource {
  has(name: string): MaybePromise<boolean>;
  names(): MaybePromise<Iterable<string>>;
  tree(name: string): Promise<FileTree>;
  blob(sha256: string): Promise<Uint8Array>;
}

export interface StoreCounters {
  trees: number;
  blobs: number;
  bytes: number;
}

/** Content kept between two reads of one file; the guest's own page cache keeps the rest. */
const cachedBytes = 24 * 1024 * 1024;

/** Everything in a store has this time: one second after the epoch. */
const storeTime = 1_000_000_000n;

/** nixbld, the group of the store directory. */
const storeGroup = 30_000;

interface StoreInode extends Inode {
  readonly file: FileTree | undefined;
  readonly parent: StoreInode | undefined;
  children?: Map<string, StoreInode>;
}

export class StoreTree extends ReadOnlyFileSystem {
  readonly counters: StoreCounters = { trees: 0, blobs: 0, bytes: 0 };
  readonly #root: StoreInode;
  readonly #source: StoreSource;
  /** Paths walked into, and the numbers given to names: a path keeps its number while the server lives. */
  readonly #paths = new Map<string, StoreInode>();
  readonly #ids = new Map<string, number>();
  readonly #loading = new Map<string, Promise<StoreInode>>();
  readonly #content = new Map<string, Uint8Array>();
  readonly #fetching = new Map<string, Promise<Uint8Array>>();
  readonly #served = new Map<string, number>();
  #contentBytes = 0;
  #nextId: number;
  #visible: ReadonlySet<string> | undefined;
  /** Lists every directory from its end. */
  #reversed = false;

  /** Inode numbers count up from `firstId`. */
  constructor(source: StoreSource, firstId: number) {
    super();
    this.#source = source;
    this.#nextId = firstId;
    this.#root = { id: this.#nextId++, fs: this, mode: S.DIRECTORY | 0o1775, file: undefined, parent: undefined };
  }

  get root(): Inode {
    return this.#root;
  }

  /** Shows only these base names (the builder's input closure); undefined shows all. `reversed` lists directories from their end. */
  restrict(names: ReadonlySet<string> | undefined, reversed = false): void {
    this.#visible = names;
    this.#reversed = reversed;
  }

  attributes(inode: StoreInode): Attributes {
    const times = { atime: storeTime, mtime: storeTime, ctime: storeTime };
    const owner = { uid: 0, gid: inode.file === undefined ? storeGroup : 0, rdev: 0 };
    return { mode: inode.mode, nlink: 1, size: fileSize(inode.file), ...owner, ...times };
  }

  lookup(directory: StoreInode, name: string): MaybePromise<StoreInode | undefined> {
    if (directory.file !== undefined) return this.#children(directory).get(name);
    if (this.#visible?.has(name) === false) return undefined;
    const known = this.#paths.get(name);
    if (known !== undefined) return andThen(this.#source.has(name), (has) => (has ? known : this.#forget(name)));
    return andThen(this.#source.has(name), (has) => (has ? this.#load(name) : undefined));
  }

  parent(directory: StoreInode): StoreInode {
    return directory.parent ?? directory;
  }

  list(directory: StoreInode): MaybePromise<DirectoryEntry[]> {
    if (directory.file !== undefined) return this.#inOrder([...this.#children(directory)]);
    return andThen(this.#source.names(), (names) => {
      const entries: DirectoryEntry[] = [];
      for (const name of names) {
        if (this.#visible?.has(name) !== false) entries.push([name, this.#paths.get(name) ?? this.#unread(name)]);
      }
      return this.#inOrder(entries);
    });
  }

  #inOrder(entries: DirectoryEntry[]): DirectoryEntry[] {
    return this.#reversed ? entries.reverse() : entries;
  }

  read(inode: StoreInode, offset: number, count: number): MaybePromise<Uint8Array> {
    const { file } = inode;
    if (file?.type !== "regular") throw new P9Error("EINVAL");
    return andThen(this.#blob(file.blob), (bytes) => {
      const part = bytes.subarray(offset, offset + count);
      this.#served.set(file.blob, (this.#served.get(file.blob) ?? 0) + part.length);
      return part;
    });
  }

  readlink(inode: StoreInode): string {
    if (inode.file?.type !== "symlink") throw new P9Error("EINVAL");
    return inode.file.target;
  }

  /** A name whose tree nobody has walked into: its number is fixed already, its kind still unknown (DT_UNKNOWN in the listing). */
  #unread(name: string): Inode {
    return { id: this.#pathId(name), fs: this, mode: 0 };
  }

  #pathId(name: string): number {
    const id = this.#ids.get(name) ?? this.#nextId++;
    this.#ids.set(name, id);
    return id;
  }

  /**
   * Bytes read since the last call, and the sizes of the files they came from, each once. The guest's kernel reads a file again and
   * again only when it has no memory left to keep it.
   */
  takeReads(): { served: number; distinct: number } {
    let served = 0;
    let distinct = 0;
    for (const [blob, bytes] of this.#served) {
      served += bytes;
      distinct += this.#content.get(blob)?.length ?? bytes;
    }
    this.#served.clear();
    return { served, distinct };
  }

  #forget(name: string): undefined {
    this.#paths.delete(name);
  }

  #load(name: string): Promise<StoreInode> {
    const running = this.#loading.get(name);
    if (running !== undefined) return running;
    const loading = this.#source
      .tree(name)
      .then((file) => {
        this.counters.trees++;
        const inode = this.#inode(file, this.#root, this.#pathId(name));
        this.#paths.set(name, inode);
        return inode;
      })
      .finally(() => this.#loading.delete(name));
    this.#loading.set(name, loading);
    return loading;
  }

  #inode(file: FileTree, parent: StoreInode, id = this.#nextId++): StoreInode {
    return { id, fs: this, mode: storeMode(file), file, parent };
  }

  #children(directory: StoreInode): Map<string, StoreInode> {
    if (directory.file?.type !== "directory") throw new P9Error("ENOTDIR");
    directory.children ??= new Map(
      Array.from(directory.file.entries, ([name, node]) => [name, this.#inode(node, directory)]),
    );
    return directory.children;
  }

  #blob(sha256: string): MaybePromise<Uint8Array> {
    const cached = this.#content.get(sha256);
    if (cached === undefined) return this.#fetch(sha256);
    this.#content.delete(sha256);
    this.#content.set(sha256, cached); // the most recently read is the last to go
    return cached;
  }

  #fetch(sha256: string): Promise<Uint8Array> {
    const running = this.#fetching.get(sha256);
    if (running !== undefined) return running;
    const fetching = this.#source
      .blob(sha256)
      .then((bytes) => {
        this.counters.blobs++;
        this.counters.bytes += bytes.length;
        this.#keep(sha256, bytes);
        return bytes;
      })
      .finally(() => this.#fetching.delete(sha256));
    this.#fetching.set(sha256, fetching);
    return fetching;
  }

  #keep(sha256: string, bytes: Uint8Array): void {
    this.#content.set(sha256, bytes);
    this.#contentBytes += bytes.length;
    for (const [oldest, content] of this.#content) {
      if (this.#contentBytes <= cachedBytes || oldest === sha256) break;
      this.#content.delete(oldest);
      this.#contentBytes -= content.length;
    }
  }
}

/** A source that holds everything in memory: tests, and the closure handed to a builder. */
export class MemoryStoreSource implements StoreSource {
  readonly #paths = new Map<string, FileTree>();
  readonly #blobs = new Map<string, Uint8Array>();

  add(name: string, file: FileTree): void {
    this.#paths.set(name, file);
  }

  remove(name: string): void {
    this.#paths.delete(name);
  }

  addBlob(sha256: string, bytes: Uint8Array): void {
    this.#blobs.set(sha256, bytes);
  }

  has(name: string): boolean {
    return this.#paths.has(name);
  }

  names(): Iterable<string> {
    return this.#paths.keys();
  }

  async tree(name: string): Promise<FileTree> {
    const file = this.#paths.get(name);
    if (file === undefined) throw new P9Error("ENOENT", name);
    return file;
  }

  async blob(sha256: string): Promise<Uint8Array> {
    const bytes = this.#blobs.get(sha256);
    if (bytes === undefined) throw new P9Error("EIO", `blob ${sha256} is missing`);
    return bytes;
  }
}

/** The canonical modes of a store: 0444 or 0555, nothing else. */
function storeMode(file: FileTree): number {
  switch (file.type) {
    case "regular":
      return S.REGULAR | (file.executable ? 0o555 : 0o444);
    case "symlink":
      return S.SYMLINK | 0o777;
    case "directory":
      return S.DIRECTORY | 0o555;
  }
}

function fileSize(file: FileTree | undefined): number {
  switch (file?.type) {
    case undefined:
    case "directory":
      return 4096;
    case "regular":
      return file.size;
    case "symlink":
      return file.target.length;
  }
}
