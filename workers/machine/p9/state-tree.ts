/**
 * A writable tree kept inode by inode: `/state` of the machine, and with a backing in memory `/build` of the builder. All inodes are
 * in memory, content is loaded by chunks. Each operation changes the inodes in one synchronous step and marks them; commits take all
 * marks at once (write-back.ts), so a power cut leaves the tree as it was after some prefix of the operations, every synced file whole.
 */
import { P9Error } from "./errno.ts";
import { FileContent } from "./file-content.ts";
import type { InodeRecord, StateBacking } from "./state-backing.ts";
import {
  S,
  isDirectory,
  isRegular,
  type AttributeChange,
  type Attributes,
  type Creation,
  type DirectoryEntry,
  type FileSystem,
  type FileSystemStatistics,
  type Inode,
  type MaybePromise,
} from "./tree.ts";
import { WriteBack } from "./write-back.ts";

export interface StateTreeOptions {
  /** Milliseconds since the epoch. */
  now: () => number;
  /** Inode numbers count up from here. */
  firstId: number;
  /** Most bytes of content. */
  capacity: number;
  /** Milliseconds a change may wait; default 100. */
  delay?: number;
  /** Told after each commit and each refusal. */
  onStorage?: (storage: StateStorage) => void;
}

export interface StateStorage {
  bytes: number;
  /** The last commit found no room: nothing new is taken until one succeeds. */
  full: boolean;
  commits: number;
}

/** Larger files are refused: the list of their chunks is kept in the inode. */
const largestFile = 4 * 1024 * 1024 * 1024;
/** Content in memory beyond this is dropped after a commit, as far as the backing has it. */
const cachedContent = 48 * 1024 * 1024;

export interface StateInode extends Inode {
  mode: number;
  uid: number;
  gid: number;
  nlink: number;
  rdev: number;
  atime: bigint;
  mtime: bigint;
  ctime: bigint;
  readonly target: string | undefined;
  readonly content: FileContent | undefined;
  readonly entries: Map<string, StateInode> | undefined;
  /** A directory's parent; the root's is itself. */
  parent: StateInode | undefined;
  /** Fids that point here. */
  references: number;
  /** What the tree's sum of used bytes counts for this inode. */
  accounted: number;
}

export class StateTree implements FileSystem {
  readonly #backing: StateBacking;
  readonly #options: StateTreeOptions;
  readonly #writeBack: WriteBack;
  readonly #inodes = new Map<number, StateInode>();
  readonly #dirty = new Set<StateInode>();
  #nextId: number;
  #root!: StateInode;
  #used = 0;
  #full = false;
  #commits = 0;

  private constructor(backing: StateBacking, options: StateTreeOptions) {
    this.#backing = backing;
    this.#options = options;
    this.#nextId = options.firstId;
    this.#writeBack = new WriteBack(
      { dirty: () => this.#dirty.size > 0, commit: () => this.#commit() },
      options.delay ?? 100,
    );
  }

  /** Reads the tree, or begins an empty one. Inodes that no directory names (open when the power went) are dropped. */
  static async open(backing: StateBacking, options: StateTreeOptions): Promise<StateTree> {
    const tree = new StateTree(backing, options);
    tree.#restore(await backing.inodes());
    return tree;
  }

  get root(): StateInode {
    return this.#root;
  }

  get storage(): StateStorage {
    return { bytes: this.#used, full: this.#full, commits: this.#commits };
  }

  /** Ends the tree without storing what is not stored: a power cut. */
  kill(): void {
    this.#writeBack.stop();
    this.#backing.close();
  }

  attributes(inode: StateInode): Attributes {
    const { mode, uid, gid, nlink, rdev, atime, mtime, ctime } = inode;
    const size = inode.content?.size ?? inode.target?.length ?? (inode.entries === undefined ? 0 : 4096);
    return { mode, uid, gid, nlink, rdev, size, atime, mtime, ctime };
  }

  lookup(directory: StateInode, name: string): StateInode | undefined {
    return entriesOf(directory).get(name);
  }

  parent(directory: StateInode): StateInode {
    return directory.parent ?? directory;
  }

  list(directory: StateInode): DirectoryEntry[] {
    return [...entriesOf(directory)];
  }

  read(inode: StateInode, offset: number, count: number): MaybePromise<Uint8Array> {
    return contentOf(inode).read(offset, count);
  }

  readlink(inode: StateInode): string {
    if (inode.target === undefined) throw new P9Error("EINVAL");
    return inode.target;
  }

  write(inode: StateInode, offset: number, bytes: Uint8Array): MaybePromise<void> {
    const content = contentOf(inode);
    if (offset + bytes.length > largestFile) throw new P9Error("EFBIG");
    this.#refuseWhenFull(bytes.length);
    return content.write(offset, bytes, () => this.#modified(inode));
  }

  create(directory: StateInode, name: string, creation: Creation): StateInode {
    const entries = entriesOf(directory);
    if (entries.has(name)) throw new P9Error("EEXIST");
    if (directory.nlink === 0) throw new P9Error("ENOENT", "the directory was removed");
    this.#refuseWhenFull(0);
    const inode = this.#newInode(creation, directory);
    entries.set(name, inode);
    if (isDirectory(inode)) directory.nlink++;
    this.#touch(inode);
    this.#modified(directory);
    return inode;
  }

  link(directory: StateInode, name: string, inode: StateInode): void {
    const entries = entriesOf(directory);
    if (entries.has(name)) throw new P9Error("EEXIST");
    if (inode.nlink === 0) throw new P9Error("ENOENT");
    if (inode.nlink >= 65_000) throw new P9Error("EMLINK");
    this.#refuseWhenFull(0);
    entries.set(name, inode);
    inode.nlink++;
    this.#changed(inode);
    this.#modified(directory);
  }

  unlink(directory: StateInode, name: string, wantsDirectory: boolean): void {
    const inode = entryOf(directory, name);
    if (wantsDirectory && !isDirectory(inode)) throw new P9Error("ENOTDIR");
    if (!wantsDirectory && isDirectory(inode)) throw new P9Error("EISDIR");
    if (inode.entries !== undefined && inode.entries.size > 0) throw new P9Error("ENOTEMPTY");
    entriesOf(directory).delete(name);
    this.#dropLink(directory, inode);
    this.#modified(directory);
  }

  rename(from: StateInode, name: string, to: StateInode, newName: string): void {
    const inode = entryOf(from, name);
    const replaced = entriesOf(to).get(newName);
    if (replaced === inode) return;
    if (to.nlink === 0) throw new P9Error("ENOENT");
    checkRename(inode, to, replaced);
    from.entries!.delete(name);
    if (replaced !== undefined) this.#dropLink(to, replaced);
    to.entries!.set(newName, inode);
    if (isDirectory(inode)) {
      from.nlink--;
      to.nlink++;
      inode.parent = to;
    }
    this.#changed(inode);
    this.#modified(from);
    this.#modified(to);
  }

  change(inode: StateInode, change: AttributeChange): MaybePromise<void> {
    if (change.size === undefined) {
      this.#applyChange(inode, change);
      return;
    }
    if (isDirectory(inode)) throw new P9Error("EISDIR");
    const content = contentOf(inode);
    if (change.size > largestFile) throw new P9Error("EFBIG");
    return content.resize(change.size, () => {
      inode.mtime = this.#now();
      this.#applyChange(inode, change);
    });
  }

  sync(): Promise<void> {
    return this.#writeBack.flush();
  }

  statistics(): FileSystemStatistics {
    const blocks = Math.floor(this.#options.capacity / 4096);
    const free = this.#full ? 0 : Math.max(0, blocks - Math.ceil(this.#used / 4096));
    return { blocks, free, files: 1 << 20, freeFiles: (1 << 20) - this.#inodes.size };
  }

  retain(inode: StateInode): void {
    inode.references++;
  }

  release(inode: StateInode): void {
    inode.references--;
    if (isDead(inode)) this.#touch(inode);
  }

  #now(): bigint {
    return BigInt(Math.round(this.#options.now() * 1000)) * 1000n;
  }

  #applyChange(inode: StateInode, { mode, uid, gid, atime, mtime }: AttributeChange): void {
    if (mode !== undefined) inode.mode = (inode.mode & S.FORMAT) | mode;
    if (uid !== undefined) inode.uid = uid;
    if (gid !== undefined) inode.gid = gid;
    if (atime !== undefined) inode.atime = atime === "now" ? this.#now() : atime;
    if (mtime !== undefined) inode.mtime = mtime === "now" ? this.#now() : mtime;
    this.#changed(inode);
  }

  #modified(inode: StateInode): void {
    inode.mtime = this.#now();
    this.#changed(inode);
  }

  #changed(inode: StateInode): void {
    inode.ctime = this.#now();
    this.#touch(inode);
  }

  #touch(inode: StateInode): void {
    const used = isDead(inode) ? 0 : (inode.content?.used ?? 0);
    this.#used += used - inode.accounted;
    inode.accounted = used;
    this.#dirty.add(inode);
    this.#writeBack.touch();
  }

  /** A name of the inode is gone (its directory's entry is the caller's business). */
  #dropLink(directory: StateInode, inode: StateInode): void {
    if (isDirectory(inode)) directory.nlink--;
    inode.nlink = isDirectory(inode) ? 0 : inode.nlink - 1;
    this.#changed(inode);
  }

  /** Removing and shortening stay possible on a full disk, or there would be no way out. */
  #refuseWhenFull(extra: number): void {
    if (this.#full || this.#used + extra > this.#options.capacity) throw new P9Error("ENOSPC");
  }

  #newInode({ mode, uid, gid, rdev = 0, target }: Creation, parent: StateInode | undefined): StateInode {
    const time = this.#now();
    const nlink = (mode & S.FORMAT) === S.DIRECTORY ? 2 : 1;
    const times = { atime: time, mtime: time, ctime: time };
    return this.#adopt(
      {
        id: this.#nextId,
        mode,
        uid,
        gid,
        nlink,
        rdev,
        size: 0,
        chunks: [],
        ...times,
        ...(target === undefined ? {} : { target }),
      },
      parent,
    );
  }

  #adopt(record: InodeRecord, parent: StateInode | undefined): StateInode {
    const { id, mode, uid, gid, nlink, rdev, atime, mtime, ctime, target } = record;
    const directory = (mode & S.FORMAT) === S.DIRECTORY;
    const content = isRegular(record) ? this.#content(record) : undefined;
    const inode: StateInode = {
      id,
      fs: this,
      mode,
      uid,
      gid,
      nlink,
      rdev,
      atime,
      mtime,
      ctime,
      target,
      content,
      entries: directory ? new Map() : undefined,
      parent: directory ? parent : undefined,
      references: 0,
      accounted: content?.used ?? 0,
    };
    this.#inodes.set(id, inode);
    this.#used += inode.accounted;
    this.#nextId = Math.max(this.#nextId, id + 1);
    return inode;
  }

  #content({ id, size, chunks }: InodeRecord): FileContent {
    return new FileContent((index) => this.#backing.chunk(id, index), size, chunks);
  }

  #restore(records: InodeRecord[]): void {
    for (const record of records) this.#adopt(record, undefined);
    for (const { id, entries } of records) this.#fillDirectory(this.#inodes.get(id)!, entries ?? []);
    const root = this.#inodes.get(this.#options.firstId);
    this.#root = root ?? this.#newInode({ mode: S.DIRECTORY | 0o755, uid: 0, gid: 0 }, undefined);
    if (root === undefined) this.#touch(this.#root);
    this.#sweep();
  }

  #fillDirectory(directory: StateInode, entries: [name: string, id: number][]): void {
    for (const [name, id] of entries) {
      const child = this.#inodes.get(id);
      if (child === undefined) continue;
      directory.entries!.set(name, child);
      if (isDirectory(child)) child.parent = directory;
    }
  }

  /** Drops what the root does not reach. */
  #sweep(): void {
    const reached = new Set<StateInode>([this.#root]);
    for (const inode of reached) for (const child of inode.entries?.values() ?? []) reached.add(child);
    for (const inode of this.#inodes.values()) {
      if (reached.has(inode)) continue;
      inode.nlink = 0;
      this.#touch(inode);
    }
  }

  async #commit(): Promise<void> {
    const taken = [...this.#dirty];
    this.#dirty.clear();
    const batch = { inodes: taken.map(recordOf), chunks: taken.flatMap((inode) => this.#captureContent(inode)) };
    try {
      await this.#backing.commit(batch);
    } catch (error) {
      this.#commitFailed(taken, error);
      throw error;
    }
    this.#commitDone(taken);
  }

  #captureContent(inode: StateInode): [number, number, Uint8Array | undefined][] {
    if (inode.content === undefined) return [];
    if (isDead(inode)) void inode.content.resize(0, () => undefined);
    return inode.content.capture().map(([index, bytes]) => [inode.id, index, bytes]);
  }

  #commitDone(taken: StateInode[]): void {
    let cached = 0;
    for (const inode of taken) {
      inode.content?.committed();
      if (isDead(inode)) this.#inodes.delete(inode.id);
    }
    for (const inode of this.#inodes.values()) cached += inode.content?.cached ?? 0;
    if (cached > cachedContent) for (const inode of this.#inodes.values()) inode.content?.evict();
    this.#full = false;
    this.#commits++;
    this.#options.onStorage?.(this.storage);
  }

  #commitFailed(taken: StateInode[], error: unknown): void {
    for (const inode of taken) {
      inode.content?.failed();
      this.#dirty.add(inode);
    }
    if (error instanceof P9Error && error.code === "ENOSPC") {
      this.#full = true;
      this.#options.onStorage?.(this.storage);
    }
  }
}

/** No name and no fid: it cannot be reached again, so its record goes with the next commit. */
function isDead(inode: StateInode): boolean {
  return inode.nlink === 0 && inode.references === 0;
}

function entriesOf(directory: StateInode): Map<string, StateInode> {
  if (directory.entries === undefined) throw new P9Error("ENOTDIR");
  return directory.entries;
}

function entryOf(directory: StateInode, name: string): StateInode {
  const inode = entriesOf(directory).get(name);
  if (inode === undefined) throw new P9Error("ENOENT");
  return inode;
}

function contentOf(inode: StateInode): FileContent {
  if (inode.content === undefined) throw new P9Error("EINVAL");
  return inode.content;
}

/** rename(2)'s rules about kinds. */
function checkRename(inode: StateInode, to: StateInode, replaced: StateInode | undefined): void {
  for (let up: StateInode | undefined = to; isDirectory(inode) && up !== undefined; up = up.parent) {
    if (up === inode) throw new P9Error("EINVAL", "a directory cannot move into itself");
    if (up.parent === up) break;
  }
  if (replaced === undefined) return;
  if (isDirectory(inode) && !isDirectory(replaced)) throw new P9Error("ENOTDIR");
  if (!isDirectory(inode) && isDirectory(replaced)) throw new P9Error("EISDIR");
  if (replaced.entries !== undefined && replaced.entries.size > 0) throw new P9Error("ENOTEMPTY");
}

function recordOf(inode: StateInode): [id: number, record: InodeRecord | undefined] {
  const { id, mode, uid, gid, nlink, rdev, atime, mtime, ctime, target, entries, content } = inode;
  if (isDead(inode)) return [id, undefined];
  const size = content?.size ?? 0;
  const record: InodeRecord = {
    id,
    mode,
    uid,
    gid,
    nlink,
    rdev,
    size,
    atime,
    mtime,
    ctime,
    chunks: content?.runs ?? [],
  };
  if (target !== undefined) record.target = target;
  if (entries !== undefined) record.entries = Array.from(entries, ([name, child]) => [name, child.id]);
  return [id, record];
}
