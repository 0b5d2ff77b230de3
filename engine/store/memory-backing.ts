/** MemoryBacking: a Map as a Backing. Values are kept as they are: callers treat what they stored or read as frozen. */
import type { Backing, Batch, StoredValue } from "./backing.ts";
import { StoreError } from "./error.ts";

export class MemoryBacking implements Backing {
  readonly #values = new Map<string, StoredValue>();

  async get(key: string): Promise<StoredValue> {
    return this.#values.get(key);
  }

  async getMany(keys: readonly string[]): Promise<StoredValue[]> {
    return keys.map((key) => this.#values.get(key));
  }

  async existing(keys: readonly string[]): Promise<Set<string>> {
    return new Set(keys.filter((key) => this.#values.has(key)));
  }

  async keys(prefix: string): Promise<string[]> {
    return [...this.#values.keys()].filter((key) => key.startsWith(prefix)).sort();
  }

  async commit(batch: Batch): Promise<void> {
    for (const [key, value] of batch.expect) {
      if (this.#values.get(key) !== value) throw new StoreError("conflict", `'${key}' has changed`, { key });
    }
    for (const key of batch.require) {
      if (!this.#values.has(key)) throw new StoreError("missing", `'${key}' does not exist`, { key });
    }
    for (const key of batch.deletes) this.#values.delete(key);
    for (const [key, value] of batch.puts) this.#values.set(key, value);
  }
}
