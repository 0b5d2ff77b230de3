/**
 * IndexedDB as a Backing. Invariant: `atomically` is the only thing that opens a readwrite transaction. Its body is
 * synchronous, any throw aborts the whole transaction, and it resolves only when the browser reports `complete` with
 * strict durability: idb-keyval's own callback would commit what went before a throw.
 */
import { type UseStore, createStore, promisifyRequest } from "idb-keyval";
import type { Backing, Batch, StoredValue } from "#engine/store/backing.ts";
import { StoreError } from "#engine/store/error.ts";

const OBJECT_STORE = "store";

/** The database of one workspace's store. */
export function openIdb(databaseName: string): IdbBacking {
  return new IdbBacking(createStore(databaseName, OBJECT_STORE));
}

export class IdbBacking implements Backing {
  readonly #use: UseStore;

  constructor(use: UseStore) {
    this.#use = use;
  }

  get(key: string): Promise<StoredValue> {
    return this.#use("readonly", (store) => promisifyRequest<StoredValue>(store.get(key)));
  }

  getMany(keys: readonly string[]): Promise<StoredValue[]> {
    if (keys.length === 0) return Promise.resolve([]);
    return this.#use("readonly", (store) =>
      Promise.all(keys.map((key) => promisifyRequest<StoredValue>(store.get(key)))),
    );
  }

  async existing(keys: readonly string[]): Promise<Set<string>> {
    if (keys.length === 0) return new Set();
    const found = await this.#use("readonly", (store) =>
      Promise.all(keys.map((key) => promisifyRequest<IDBValidKey | undefined>(store.getKey(key)))),
    );
    return new Set(keys.filter((_, index) => found[index] !== undefined));
  }

  keys(prefix: string): Promise<string[]> {
    const range = IDBKeyRange.bound(prefix, `${prefix}\uFFFF`);
    return this.#use("readonly", (store) => promisifyRequest(store.getAllKeys(range) as IDBRequest<string[]>));
  }

  commit(batch: Batch): Promise<void> {
    return atomically(this.#use, (store, fail) => {
      const apply = () => {
        for (const key of batch.deletes) store.delete(key);
        for (const [key, value] of batch.puts) store.put(value, key);
      };
      checkThenApply(store, batch, fail, apply);
    });
  }
}

/** Queues the reads that the batch's conditions need; the writes follow in the last one's callback, in the same transaction. */
function checkThenApply(store: IDBObjectStore, batch: Batch, fail: (error: Error) => void, apply: () => void): void {
  let waiting = batch.expect.length + batch.require.length;
  if (waiting === 0) return apply();
  const settle = (problem: StoreError | undefined) => {
    if (problem !== undefined) return fail(problem);
    waiting -= 1;
    return waiting === 0 ? guarded(apply, fail) : undefined;
  };
  for (const [key, value] of batch.expect) {
    const request = store.get(key);
    request.onsuccess = () => {
      settle(request.result === value ? undefined : new StoreError("conflict", `'${key}' has changed`, { key }));
    };
  }
  for (const key of batch.require) {
    const request = store.getKey(key);
    request.onsuccess = () => {
      settle(request.result === undefined ? new StoreError("missing", `'${key}' does not exist`, { key }) : undefined);
    };
  }
}

/**
 * One readwrite transaction, strictly durable. `body` must not await; it may go on in request callbacks, where it
 * reports its own errors by `fail`.
 * @throws the body's error, or StoreError "quota" when the disk or quota is full
 */
export function atomically(
  use: UseStore,
  body: (store: IDBObjectStore, fail: (error: Error) => void) => void,
): Promise<void> {
  return use("readonly", (probe) => probe.transaction.db).then(
    (database) =>
      new Promise<void>((resolve, reject) => {
        const transaction = database.transaction(OBJECT_STORE, "readwrite", { durability: "strict" });
        let failure: Error | undefined;
        const fail = (error: Error) => {
          failure ??= error;
          transaction.abort();
        };
        transaction.oncomplete = () => resolve();
        transaction.onabort = () => reject(failure ?? translate(transaction.error));
        guarded(() => body(transaction.objectStore(OBJECT_STORE), fail), fail);
      }),
  );
}

function guarded(body: () => void, fail: (error: Error) => void): void {
  try {
    body();
  } catch (error) {
    fail(error instanceof Error ? error : new Error(String(error)));
  }
}

function translate(error: DOMException | null): Error {
  if (error?.name === "QuotaExceededError") return new StoreError("quota", "the browser's storage quota is full");
  return error ?? new StoreError("corrupt", "the transaction was aborted");
}
