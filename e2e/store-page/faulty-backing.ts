/** FaultyBacking: a Backing one of whose commits goes wrong in a chosen way. Invariant: all others are the inner one's own. */
import type { Backing, Batch, StoredValue } from "#engine/store/backing.ts";
import type { Fault } from "./job.ts";

/** More than the whole quota that the tests give an origin; random, because the browser compresses what it stores. */
function ballast(): Uint8Array {
  const noise = crypto.getRandomValues(new Uint8Array(60_000));
  const bytes = new Uint8Array(400 * noise.length);
  for (let at = 0; at < bytes.length; at += noise.length) bytes.set(noise, at);
  return bytes;
}

/** `kill` asks for this worker's end; nothing comes after it. */
export class FaultyBacking implements Backing {
  commits = 0;
  readonly #inner: Backing;
  readonly #fault: Fault | null;
  readonly #kill: () => void;

  constructor(inner: Backing, fault: Fault | null, kill: () => void) {
    this.#inner = inner;
    this.#fault = fault;
    this.#kill = kill;
  }

  get(key: string): Promise<StoredValue> {
    return this.#inner.get(key);
  }

  getMany(keys: readonly string[]): Promise<StoredValue[]> {
    return this.#inner.getMany(keys);
  }

  existing(keys: readonly string[]): Promise<Set<string>> {
    return this.#inner.existing(keys);
  }

  keys(prefix: string): Promise<string[]> {
    return this.#inner.keys(prefix);
  }

  async commit(batch: Batch): Promise<void> {
    const mode = this.commits++ === this.#fault?.point ? this.#fault.mode : undefined;
    switch (mode) {
      case undefined:
        return this.#inner.commit(batch);
      case "abort":
        // The browser cannot store a function: the transaction aborts after everything before it was put.
        return this.#inner.commit({ ...batch, puts: [...batch.puts, ["meta/function", () => undefined]] });
      case "quota":
        return this.#inner.commit({ ...batch, puts: [...batch.puts, ["meta/ballast", ballast()]] });
      case "kill-before":
        return this.#dead();
      case "kill-during":
        void this.#inner.commit(batch);
        return this.#dead();
      case "kill-after":
        await this.#inner.commit(batch);
        return this.#dead();
    }
  }

  #dead(): Promise<never> {
    this.#kill();
    return new Promise(() => undefined);
  }
}
