/**
 * A 9P2000.L server for one client, the guest's kernel. Every request gets exactly one reply, an error at worst; a request that can
 * be answered at once is answered before `handle` returns. It checks structure (kinds, names, emptiness), not permissions: the guest's
 * kernel has checked those by the attributes it was given. Locks are granted always, for the same reason: the guest's kernel
 * arbitrates among its own processes before it asks, and a tree never has a second client.
 */
import { P9Error, errno } from "./errno.ts";
import { FidTable, type Fid } from "./fid-table.ts";
import {
  decodeRequest,
  encodeReply,
  frameTag,
  readHeaderSize,
  readdirEntrySize,
  type ReaddirEntry,
  type Reply,
  type Request,
  type SetAttributes,
} from "./messages.ts";
import {
  S,
  andThen,
  isDirectory,
  isSymlink,
  type AttributeChange,
  type DirectoryEntry,
  type Inode,
  type MaybePromise,
} from "./tree.ts";
import type { Qid } from "./wire.ts";

/** Linux's O_TRUNC, as Tlopen and Tlcreate carry it. */
const openTruncate = 0o1000;
/** AT_REMOVEDIR, the only flag of Tunlinkat. */
const removeDirectory = 0x200;
const longestName = 255;

export interface ServerCounters {
  requests: Record<string, number>;
  bytesRead: number;
  bytesWritten: number;
}

export class P9Server {
  readonly counters: ServerCounters = { requests: {}, bytesRead: 0, bytesWritten: 0 };
  readonly #root: Inode;
  readonly #onBug: (error: unknown) => void;
  readonly #fids = new FidTable();
  /** Requests not answered yet, by tag, for Tflush. */
  readonly #pending = new Map<number, Promise<void>>();
  #msize = 8192;
  #dead = false;

  /** `onBug` hears of what a tree threw beside P9Error; the guest gets EIO. */
  constructor(root: Inode, onBug: (error: unknown) => void) {
    this.#root = root;
    this.#onBug = onBug;
  }

  /** From here on nothing is answered: the host has lost its power. */
  kill(): void {
    this.#dead = true;
    this.#fids.clear();
  }

  /** v86's `filesystem.handle9p`. `reply` is called once, now or later, and never after `kill`. */
  handle = (frame: Uint8Array, reply: (frame: Uint8Array) => void): void => {
    if (this.#dead) return;
    const tag = frameTag(frame);
    const answer = (result: Reply): void => {
      if (!this.#dead) reply(encodeReply(tag, result));
    };
    const result = this.#attempt(frame);
    if (!(result instanceof Promise)) {
      answer(result);
      return;
    }
    this.#pending.set(tag, this.#answerLater(tag, result, answer));
  };

  async #answerLater(tag: number, result: Promise<Reply>, answer: (reply: Reply) => void): Promise<void> {
    const reply = await result;
    this.#pending.delete(tag);
    answer(reply);
  }

  #attempt(frame: Uint8Array): MaybePromise<Reply> {
    try {
      const request = decodeRequest(frame);
      this.counters.requests[request.type] = (this.counters.requests[request.type] ?? 0) + 1;
      const reply = this.#serve(request);
      return reply instanceof Promise ? reply.catch((error: unknown) => this.#failure(error)) : reply;
    } catch (error) {
      return this.#failure(error);
    }
  }

  #failure(error: unknown): Reply {
    if (error instanceof P9Error) return { type: "error", number: error.number };
    this.#onBug(error);
    return { type: "error", number: errno.EIO };
  }

  #serve(request: Request): MaybePromise<Reply> {
    switch (request.type) {
      case "version":
        return this.#version(request.msize, request.version);
      case "auth":
      case "xattrwalk":
      case "xattrcreate":
        throw new P9Error("EOPNOTSUPP");
      case "attach":
        return this.#attach(request);
      case "flush":
        return andThen(this.#pending.get(request.tag), () => ({ type: "flush" }) as const);
      case "walk":
        return this.#walk(request);
      case "open":
        return this.#open(request.fid, request.flags);
      case "create":
        return this.#create(request);
      case "symlink":
        return this.#make(request.fid, request.name, request.gid, S.SYMLINK | 0o777, "symlink", {
          target: request.target,
        });
      case "mknod":
        return this.#make(request.fid, request.name, request.gid, request.mode, "mknod", { rdev: request.rdev });
      case "mkdir":
        return this.#make(request.fid, request.name, request.gid, S.DIRECTORY | (request.mode & 0o7777), "mkdir", {});
      case "link":
        return this.#link(request);
      case "rename":
        return this.#renameFid(request);
      case "renameat":
        return this.#rename(this.#directory(request.from), request.name, this.#directory(request.to), request.newName);
      case "unlinkat":
        return this.#unlink(request);
      case "remove":
        this.#fids.clunk(request.fid);
        throw new P9Error("EOPNOTSUPP", "Linux unlinks by name");
      case "clunk":
        this.#fids.clunk(request.fid);
        return { type: "clunk" };
      case "read":
        return this.#read(request);
      case "write":
        return this.#write(request);
      case "readdir":
        return this.#readdir(request);
      case "readlink":
        return this.#readlink(request.fid);
      case "getattr":
        return this.#getattr(request.fid);
      case "setattr":
        return this.#setattr(request.fid, request.attributes);
      case "fsync":
        return andThen(this.#inode(request.fid).fs.sync(), () => ({ type: "fsync" }) as const);
      case "statfs":
        return { type: "statfs", statistics: this.#inode(request.fid).fs.statistics() };
      case "lock":
        this.#fids.get(request.fid);
        return { type: "lock" };
      case "getlock":
        this.#fids.get(request.fid);
        return { ...request, type: "getlock" };
    }
  }

  #version(msize: number, version: string): Reply {
    this.#fids.clear();
    this.#msize = Math.min(Math.max(msize, 4096), 1 << 20);
    return { type: "version", msize: this.#msize, version: version.startsWith("9P2000.L") ? "9P2000.L" : "unknown" };
  }

  #attach({ fid, uid, path }: Request & { type: "attach" }): MaybePromise<Reply> {
    const names = path.split("/").filter((name) => name !== "");
    return andThen(this.#descend(this.#root, names), (found) => {
      if (found.length < names.length) throw new P9Error("ENOENT");
      const inode = found.at(-1) ?? this.#root;
      this.#fids.set(fid, inode, uid);
      return { type: "attach", qid: qid(inode) };
    });
  }

  /** A walk that fails after its first name answers with the qids it got, and leaves the new fid unset. */
  #walk({ fid, newFid, names }: Request & { type: "walk" }): MaybePromise<Reply> {
    const { inode, uid } = this.#fids.get(fid);
    return andThen(this.#descend(inode, names), (found) => {
      if (found.length === 0 && names.length > 0) throw new P9Error("ENOENT");
      if (found.length === names.length) this.#fids.set(newFid, found.at(-1) ?? inode, uid);
      return { type: "walk", qids: found.map(qid) };
    });
  }

  /** The inodes along the names, as far as they exist. */
  #descend(start: Inode, names: string[]): MaybePromise<Inode[]> {
    const found: Inode[] = [];
    const step = (at: Inode): MaybePromise<Inode[]> => {
      const name = names[found.length];
      if (name === undefined) return found;
      if (!isDirectory(at)) {
        if (found.length === 0) throw new P9Error("ENOTDIR");
        return found;
      }
      return andThen(this.#child(at, name), (next) => {
        if (next === undefined) return found;
        found.push(next);
        return step(next);
      });
    };
    return step(start);
  }

  #child(directory: Inode, name: string): MaybePromise<Inode | undefined> {
    if (name === ".") return directory;
    if (name !== "..") return directory.fs.lookup(directory, name);
    const parent = directory.fs.parent(directory);
    return parent === directory ? this.#root : parent;
  }

  #open(number: number, flags: number): MaybePromise<Reply> {
    const { inode } = this.#fids.get(number);
    const reply: Reply = { type: "open", qid: qid(inode), unit: 0 };
    if ((flags & openTruncate) === 0 || isDirectory(inode)) return reply;
    return andThen(inode.fs.change(inode, { size: 0 }), () => reply);
  }

  #create({ fid: number, name, mode, gid }: Request & { type: "create" }): MaybePromise<Reply> {
    const fid = this.#fids.get(number);
    const directory = this.#directory(number);
    const creation = { mode: S.REGULAR | (mode & 0o7777), uid: fid.uid, gid };
    return andThen(directory.fs.create(directory, checkName(name), creation), (inode) => {
      this.#fids.repoint(number, inode);
      return { type: "create", qid: qid(inode), unit: 0 };
    });
  }

  #make(
    number: number,
    name: string,
    gid: number,
    mode: number,
    type: "symlink" | "mknod" | "mkdir",
    extra: { target?: string; rdev?: number },
  ): MaybePromise<Reply> {
    const directory = this.#directory(number);
    const creation = { mode, gid, uid: this.#fids.get(number).uid, ...extra };
    return andThen(directory.fs.create(directory, checkName(name), creation), (inode) => ({ type, qid: qid(inode) }));
  }

  #link({ directory: number, fid, name }: Request & { type: "link" }): MaybePromise<Reply> {
    const directory = this.#directory(number);
    const inode = this.#inode(fid);
    if (inode.fs !== directory.fs) throw new P9Error("EXDEV");
    if (isDirectory(inode)) throw new P9Error("EPERM");
    return andThen(directory.fs.link(directory, checkName(name), inode), () => ({ type: "link" }));
  }

  #rename(from: Inode, name: string, to: Inode, newName: string): MaybePromise<Reply> {
    if (from.fs !== to.fs) throw new P9Error("EXDEV");
    checkName(name);
    return andThen(from.fs.rename(from, name, to, checkName(newName)), () => ({ type: "renameat" }));
  }

  /** The old Trename names the file by fid only; Linux uses it with a server that refuses renameat, which this one does not. */
  #renameFid({ fid, directory }: Request & { type: "rename" }): never {
    this.#fids.get(fid);
    this.#fids.get(directory);
    throw new P9Error("EOPNOTSUPP", "use renameat");
  }

  #unlink({ directory: number, name, flags }: Request & { type: "unlinkat" }): MaybePromise<Reply> {
    const directory = this.#directory(number);
    const isDirectory = (flags & removeDirectory) !== 0;
    return andThen(directory.fs.unlink(directory, checkName(name), isDirectory), () => ({ type: "unlinkat" }));
  }

  #read({ fid, offset, count }: Request & { type: "read" }): MaybePromise<Reply> {
    const inode = this.#inode(fid);
    if (isDirectory(inode)) throw new P9Error("EISDIR");
    const most = Math.min(count, this.#msize - readHeaderSize);
    return andThen(inode.fs.read(inode, offset, most), (bytes) => {
      this.counters.bytesRead += bytes.length;
      return { type: "read", bytes };
    });
  }

  #write({ fid, offset, bytes }: Request & { type: "write" }): MaybePromise<Reply> {
    const inode = this.#inode(fid);
    if (isDirectory(inode)) throw new P9Error("EISDIR");
    return andThen(inode.fs.write(inode, offset, bytes), () => {
      this.counters.bytesWritten += bytes.length;
      return { type: "write", count: bytes.length };
    });
  }

  #readdir({ fid: number, offset, count }: Request & { type: "readdir" }): MaybePromise<Reply> {
    const fid = this.#fids.get(number);
    const directory = this.#directory(number);
    const most = Math.min(count, this.#msize) - readHeaderSize;
    const listing = offset === 0 || fid.listing === undefined ? directory.fs.list(directory) : fid.listing;
    return andThen(listing, (entries) => {
      fid.listing = entries;
      return { type: "readdir", entries: this.#page(fid, entries, offset, most) };
    });
  }

  /** The entries from `offset` that fit; cookie n means "n entries were given", `.` and `..` being the first two. */
  #page(fid: Fid, entries: DirectoryEntry[], offset: number, most: number): ReaddirEntry[] {
    const page: ReaddirEntry[] = [];
    for (let index = offset, room = most; index < entries.length + 2; index++) {
      const [name, inode] = this.#entry(fid.inode, entries, index);
      room -= readdirEntrySize(name);
      if (room < 0) break;
      page.push({ qid: qid(inode), cookie: index + 1, kind: (inode.mode & S.FORMAT) >> 12, name });
    }
    return page;
  }

  #entry(directory: Inode, entries: DirectoryEntry[], index: number): DirectoryEntry {
    if (index === 0) return [".", directory];
    if (index > 1) return entries[index - 2]!;
    const parent = directory.fs.parent(directory);
    return ["..", parent === directory ? this.#root : parent];
  }

  #readlink(number: number): MaybePromise<Reply> {
    const inode = this.#inode(number);
    if (!isSymlink(inode)) throw new P9Error("EINVAL");
    return andThen(inode.fs.readlink(inode), (target) => ({ type: "readlink", target }));
  }

  #getattr(number: number): MaybePromise<Reply> {
    const inode = this.#inode(number);
    return andThen(inode.fs.attributes(inode), (attributes) => ({ type: "getattr", qid: qid(inode), attributes }));
  }

  #setattr(number: number, wanted: SetAttributes): MaybePromise<Reply> {
    const inode = this.#inode(number);
    return andThen(inode.fs.change(inode, attributeChange(wanted)), () => ({ type: "setattr" }));
  }

  #inode(number: number): Inode {
    return this.#fids.get(number).inode;
  }

  #directory(number: number): Inode {
    const { inode } = this.#fids.get(number);
    if (!isDirectory(inode)) throw new P9Error("ENOTDIR");
    return inode;
  }
}

/** Tsetattr's valid bits. */
const set = {
  MODE: 1,
  UID: 2,
  GID: 4,
  SIZE: 8,
  ATIME: 0x10,
  MTIME: 0x20,
  CTIME: 0x40,
  ATIME_SET: 0x80,
  MTIME_SET: 0x100,
};

function attributeChange({ valid, mode, uid, gid, size, atime, mtime }: SetAttributes): AttributeChange {
  return {
    ...(valid & set.MODE ? { mode: mode & 0o7777 } : {}),
    ...(valid & set.UID ? { uid } : {}),
    ...(valid & set.GID ? { gid } : {}),
    ...(valid & set.SIZE ? { size } : {}),
    ...(valid & set.ATIME ? { atime: valid & set.ATIME_SET ? atime : "now" } : {}),
    ...(valid & set.MTIME ? { mtime: valid & set.MTIME_SET ? mtime : "now" } : {}),
    ...(valid & set.CTIME ? { ctime: true } : {}),
  };
}

function checkName(name: string): string {
  if (name.length > longestName) throw new P9Error("ENAMETOOLONG");
  if (name === "" || name === "." || name === ".." || name.includes("/") || name.includes("\0")) {
    throw new P9Error("EINVAL", "name");
  }
  return name;
}

function qid(inode: Inode): Qid {
  const type = isDirectory(inode) ? 0x80 : isSymlink(inode) ? 0x02 : 0;
  return { type, path: inode.id };
}
