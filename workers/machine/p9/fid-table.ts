/**
 * The client's handles. A fid points at one inode, under the user that attached, and holds it alive; a directory's fid also keeps the
 * snapshot its listing goes on from, so that a listing shows each entry that was there throughout exactly once.
 */
import { P9Error } from "./errno.ts";
import type { DirectoryEntry, Inode } from "./tree.ts";

export interface Fid {
  inode: Inode;
  /** The user of the attach this fid descends from: the owner of what is created through it. */
  readonly uid: number;
  listing?: DirectoryEntry[];
}

export class FidTable {
  readonly #fids = new Map<number, Fid>();

  get size(): number {
    return this.#fids.size;
  }

  get(number: number): Fid {
    const fid = this.#fids.get(number);
    if (fid === undefined) throw new P9Error("EBADF", `fid ${number}`);
    return fid;
  }

  /** Replaces what the number held before. */
  set(number: number, inode: Inode, uid: number): void {
    inode.fs.retain(inode);
    this.#drop(number);
    this.#fids.set(number, { inode, uid });
  }

  /** Lcreate turns the directory's fid into the new file's. */
  repoint(number: number, inode: Inode): void {
    this.set(number, inode, this.get(number).uid);
  }

  clunk(number: number): void {
    this.get(number);
    this.#drop(number);
    this.#fids.delete(number);
  }

  clear(): void {
    for (const number of this.#fids.keys()) this.#drop(number);
    this.#fids.clear();
  }

  #drop(number: number): void {
    const fid = this.#fids.get(number);
    fid?.inode.fs.release(fid.inode);
  }
}
