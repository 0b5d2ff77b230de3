/**
 * The persistent tree in IndexedDB, a database of its own for each workspace. Keys: `i/<inode>` a record, `c/<inode>/<chunk>` the
 * bytes. A commit is one transaction of durability "strict", aborted on any error, so it is wholly there or not.
 */
import { createStore, type UseStore } from "idb-keyval";
import { P9Error } from "./errno.ts";
import type { InodeRecord, StateBacking, StateBatch } from "./state-backing.ts";

const storeName = "inodes";

/** The name of a workspace's database, for whoever deletes the workspace. */
export function stateDatabaseName(workspaceId: string): string {
  return `terrarium-state-${workspaceId}`;
}

export class IndexedDbStateBacking implements StateBacking {
  readonly #use: UseStore;
  #database: IDBDatabase | undefined;

  private constructor(use: UseStore) {
    this.#use = use;
  }

  static async open(workspaceId: string): Promise<IndexedDbStateBacking> {
    const backing = new IndexedDbStateBacking(createStore(stateDatabaseName(workspaceId), storeName));
    backing.#database = await backing.#use("readonly", (store) => store.transaction.db);
    return backing;
  }

  inodes(): Promise<InodeRecord[]> {
    const range = IDBKeyRange.bound("i/", "i0", false, true); // "0" follows "/"
    return this.#use("readonly", (store) => request<InodeRecord[]>(store.getAll(range)));
  }

  chunk(inode: number, index: number): Promise<Uint8Array | undefined> {
    return this.#use("readonly", (store) => request<Uint8Array | undefined>(store.get(chunkKey(inode, index))));
  }

  commit(batch: StateBatch): Promise<void> {
    return new Promise((resolve, reject) => {
      const transaction = this.#database!.transaction(storeName, "readwrite", { durability: "strict" });
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(commitError(transaction.error));
      try {
        putAll(transaction.objectStore(storeName), batch);
      } catch (error) {
        transaction.abort();
        reject(error);
      }
    });
  }

  close(): void {
    this.#database?.close();
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

function request<T>(idbRequest: IDBRequest): Promise<T> {
  return new Promise((resolve, reject) => {
    idbRequest.onsuccess = () => resolve(idbRequest.result as T);
    idbRequest.onerror = () => reject(idbRequest.error ?? new P9Error("EIO"));
  });
}

function commitError(error: DOMException | null): Error {
  return error?.name === "QuotaExceededError" ? new P9Error("ENOSPC") : new P9Error("EIO", error?.message);
}
