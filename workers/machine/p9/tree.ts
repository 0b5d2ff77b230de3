/**
 * What the 9P server serves: inodes, and file systems that know how to read and change theirs. An inode belongs to one file system
 * for its whole life; the server never mixes them (rename or link across two is EXDEV).
 *
 * Everything may answer at once or by a promise: content is loaded when it is first read. A mutation takes effect in one synchronous
 * step once its promise's loads are done, so a snapshot taken between two steps is always the state after some prefix of operations.
 */

/** File kinds, the top bits of `mode`. */
export const S = {
  FORMAT: 0o170000,
  SOCKET: 0o140000,
  SYMLINK: 0o120000,
  REGULAR: 0o100000,
  BLOCK: 0o060000,
  DIRECTORY: 0o040000,
  CHARACTER: 0o020000,
  FIFO: 0o010000,
} as const;

export type MaybePromise<T> = T | Promise<T>;

/** stat(2)'s fields. Times are nanoseconds since the epoch. */
export interface Attributes {
  mode: number;
  uid: number;
  gid: number;
  nlink: number;
  rdev: number;
  size: number;
  atime: bigint;
  mtime: bigint;
  ctime: bigint;
}

/** A file of some tree. `id` is unique in the whole server: it is the client's inode number. */
export interface Inode {
  readonly id: number;
  readonly fs: FileSystem;
  /** Kind and permission bits. */
  readonly mode: number;
}

/** What setattr changes; what is absent stays. A time of `now` is the server's clock. */
export interface AttributeChange {
  mode?: number;
  uid?: number;
  gid?: number;
  size?: number;
  atime?: bigint | "now";
  mtime?: bigint | "now";
  /** The client asks for a new ctime; it changes with anything else anyway. */
  ctime?: boolean;
}

/** Who makes a file, and with which kind and permission bits (umask applied by the client). */
export interface Creation {
  mode: number;
  uid: number;
  gid: number;
  rdev?: number;
  /** A symlink's target, bytes. */
  target?: string;
}

/** statfs(2)'s fields, in blocks of 4,096 bytes. */
export interface FileSystemStatistics {
  blocks: number;
  free: number;
  files: number;
  freeFiles: number;
}

export type DirectoryEntry = readonly [name: string, inode: Inode];

export interface FileSystem {
  attributes(inode: Inode): MaybePromise<Attributes>;
  /** The entry, or undefined. `name` is never `.` or `..`. */
  lookup(directory: Inode, name: string): MaybePromise<Inode | undefined>;
  /** Where `..` leads; the tree's root gives itself. */
  parent(directory: Inode): Inode;
  /** A snapshot of the entries, without `.` and `..`. */
  list(directory: Inode): MaybePromise<DirectoryEntry[]>;
  /** At most `count` bytes; fewer at the end of the file only. */
  read(inode: Inode, offset: number, count: number): MaybePromise<Uint8Array>;
  readlink(inode: Inode): MaybePromise<string>;
  write(inode: Inode, offset: number, bytes: Uint8Array): MaybePromise<void>;
  create(directory: Inode, name: string, creation: Creation): MaybePromise<Inode>;
  link(directory: Inode, name: string, inode: Inode): MaybePromise<void>;
  unlink(directory: Inode, name: string, isDirectory: boolean): MaybePromise<void>;
  rename(from: Inode, name: string, to: Inode, newName: string): MaybePromise<void>;
  change(inode: Inode, change: AttributeChange): MaybePromise<void>;
  /** Resolves when all that was done to the tree so far is durable. */
  sync(): MaybePromise<void>;
  statistics(): FileSystemStatistics;
  /** The server holds the inode (a fid points at it): it must stay readable even after it lost its last name. */
  retain(inode: Inode): void;
  release(inode: Inode): void;
}

export function isDirectory(inode: { readonly mode: number }): boolean {
  return (inode.mode & S.FORMAT) === S.DIRECTORY;
}

export function isRegular(inode: { readonly mode: number }): boolean {
  return (inode.mode & S.FORMAT) === S.REGULAR;
}

export function isSymlink(inode: { readonly mode: number }): boolean {
  return (inode.mode & S.FORMAT) === S.SYMLINK;
}

/** Goes on with a value that may still be on its way, without a turn of the event loop when it is there. */
export function andThen<A, B>(value: MaybePromise<A>, next: (value: A) => MaybePromise<B>): MaybePromise<B> {
  return value instanceof Promise ? goOn(value, next) : next(value);
}

async function goOn<A, B>(value: Promise<A>, next: (value: A) => MaybePromise<B>): Promise<B> {
  return next(await value);
}
