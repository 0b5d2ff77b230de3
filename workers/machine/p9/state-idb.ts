/**
 * The persistent tree in IndexedDB, a database of its own for each workspace. Keys: `i/<inode>` a record, `c/<inode>/<chunk>` the
 * bytes. A commit is one transaction of durability "strict", aborted on any error, so it is wholly there or not.
 */
import { createStore, promisifyRequest, type UseStore } from "idb-keyval";
import { StoreError } from "#engine/store/error.ts";
import { atomically } from "#workers/store/idb.ts";
import { P9Error } from "./errno.ts";
import type { InodeRecord, StateBacking, StateBatch } from "./state-backing.ts";

/** The object store's name that `atomically` works on. */
const storeName = "store";

export class IndexedDbStateBacking implements StateBacking {
  readonly #use: UseStore;

  private constructor(use: UseStore) {
    this.#use = use;
  }

  static async open(workspaceId: string): Promise<IndexedDbStateBacking> {
    return new IndexedDbStateBacking(createStore(`terrarium-machine-${workspaceId}`, storeName));
  }

  inodes(): Promise<InodeRecord[]> {
    const range = IDBKeyRange.bound("i/", "i0", false, true); // "0" follows "/"
    return this.#use("readonly", (store) => promisifyRequest<InodeRecord[]>(store.getAll(range)));
  }

  chunk(inode: number, index: number): Promise<Uint8Array | undefined> {
    return this.#use("readonly", (store) =>
      promisifyRequest<Uint8Array | undefined>(store.get(chunkKey(inode, index))),
    );
  }

  async commit(batch: StateBatch): Promise<void> {
    try {
      await atomically(this.#use, (store) => putAll(store, batch));
    } catch (error) {
      throw error instanceof StoreError && error.code === "quota" ? new P9Error("ENOSPC") : error;
    }
  }

  close(): void {
    void this.#use("readonly", (store) => store.transaction.db.close());
  }
}

function putAll(store: IDBObjectStore, { inodes, chunks }: StateBatch): void {
  for (const [id, record] of inodes) {
    if (record === undefined) store.delete(`i/${id}`);
    else store.put(record, `i/${id}`);
  }
  for (const [inode, index, bytes] of chunks) {
    if (bytes === undefined) store.delete(chunkKey(inode, index));
    else store.put(bytes, chunkKey(inode, index));
  }
}

function chunkKey(inode: number, index: number): string {
  return `c/${inode}/${index}`;
}
