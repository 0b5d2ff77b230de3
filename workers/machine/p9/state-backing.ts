/**
 * Where a persistent tree is kept: records of inodes and chunks of file content, changed by one atomic commit after another. The
 * invariant everything rests on: after any interruption the backing holds what some prefix of its commits gives.
 */

/** Bytes of a chunk. Small enough that a small write to a large file stays small, large enough for few keys. */
export const chunkSize = 65_536;

/** One inode as stored. Times are nanoseconds since the epoch; names and targets are byte strings. */
export interface InodeRecord {
  id: number;
  mode: number;
  uid: number;
  gid: number;
  nlink: number;
  rdev: number;
  size: number;
  atime: bigint;
  mtime: bigint;
  ctime: bigint;
  /** Runs of stored chunks, start and count in turn; the rest of the file are holes. */
  chunks: number[];
  target?: string;
  entries?: [name: string, id: number][];
}

/** What one commit changes; undefined deletes. The byte arrays are the batch's own: nobody writes to them any more. */
export interface StateBatch {
  inodes: [id: number, record: InodeRecord | undefined][];
  chunks: [inode: number, index: number, bytes: Uint8Array | undefined][];
}

export interface StateBacking {
  /** All inodes, in any order; empty for a new tree. */
  inodes(): Promise<InodeRecord[]>;
  /** May be shorter than `chunkSize`: the rest is zeros. Undefined when it was never committed. */
  chunk(inode: number, index: number): Promise<Uint8Array | undefined>;
  /** All or nothing, durable when it resolves. Throws `P9Error` ENOSPC when there is no room. */
  commit(batch: StateBatch): Promise<void>;
  /** Gives the backing back to others. */
  close(): void;
}

/** A backing that lives as long as its object: tests, and trees that need not outlive their machine. */
export class MemoryStateBacking implements StateBacking {
  readonly #inodes = new Map<number, InodeRecord>();
  readonly #chunks = new Map<string, Uint8Array>();
  commits = 0;

  async inodes(): Promise<InodeRecord[]> {
    return [...this.#inodes.values()].map((record) => structuredClone(record));
  }

  async chunk(inode: number, index: number): Promise<Uint8Array | undefined> {
    return this.#chunks.get(`${inode}/${index}`)?.slice();
  }

  async commit(batch: StateBatch): Promise<void> {
    this.commits++;
    for (const [id, record] of batch.inodes) {
      if (record === undefined) this.#inodes.delete(id);
      else this.#inodes.set(id, structuredClone(record));
    }
    for (const [inode, index, bytes] of batch.chunks) {
      if (bytes === undefined) this.#chunks.delete(`${inode}/${index}`);
      else this.#chunks.set(`${inode}/${index}`, bytes);
    }
  }

  close(): void {}

  /** Chunks held, for tests that look for leaks. */
  get chunkCount(): number {
    return this.#chunks.size;
  }
}
