/**
 * The content of one regular file in chunks: loaded when touched, changed in memory, handed to a commit chunk by chunk. A chunk is
 * present (stored or in memory) or a hole, which reads as zeros and is never asked of the backing. Bytes of a chunk array beyond the
 * file's size are zeros, so that growing a file shows no old bytes.
 */
import { andThen, type MaybePromise } from "./tree.ts";
import { chunkSize } from "./state-backing.ts";

export type LoadChunk = (index: number) => Promise<Uint8Array | undefined>;

export class FileContent {
  #size: number;
  readonly #load: LoadChunk;
  readonly #memory = new Map<number, Uint8Array>();
  readonly #present: Set<number>;
  readonly #dirty = new Set<number>();
  readonly #inFlight = new Set<number>();

  /** `runs` as InodeRecord.chunks has them. */
  constructor(load: LoadChunk, size = 0, runs: readonly number[] = []) {
    this.#load = load;
    this.#size = size;
    this.#present = new Set(expandRuns(runs));
  }

  get size(): number {
    return this.#size;
  }

  /** Bytes that this file's chunks take. */
  get used(): number {
    return Math.min(this.#size, this.#present.size * chunkSize);
  }

  get runs(): number[] {
    return packRuns(this.#present);
  }

  /** Bytes of chunk arrays in memory. */
  get cached(): number {
    let bytes = 0;
    for (const chunk of this.#memory.values()) bytes += chunk.length;
    return bytes;
  }

  read(offset: number, count: number): MaybePromise<Uint8Array> {
    const length = Math.max(0, Math.min(count, this.#size - offset));
    if (length === 0) return new Uint8Array(0);
    return andThen(this.#loaded(offset, length), () => this.#copyOut(offset, length));
  }

  /** `applied` runs in the same step as the change. */
  write(offset: number, bytes: Uint8Array, applied: () => void): MaybePromise<void> {
    if (bytes.length === 0) return;
    const owned = bytes.slice(); // the frame's buffer may be reused while chunks load
    return andThen(this.#loaded(offset, owned.length), () => {
      this.#copyIn(offset, owned);
      this.#size = Math.max(this.#size, offset + owned.length);
      applied();
    });
  }

  resize(size: number, applied: () => void): MaybePromise<void> {
    const cut = size < this.#size && size % chunkSize !== 0;
    return andThen(cut ? this.#loaded(size, 1) : undefined, () => {
      if (size < this.#size) this.#shrink(size);
      this.#size = size;
      applied();
    });
  }

  /** The changes since the last capture, moved in flight: chunks to store, undefined to delete. */
  capture(): [index: number, bytes: Uint8Array | undefined][] {
    const batch: [number, Uint8Array | undefined][] = [];
    for (const index of this.#dirty) {
      const length = Math.min(chunkSize, this.#size - index * chunkSize);
      batch.push([index, this.#present.has(index) ? this.#memory.get(index)?.slice(0, length) : undefined]);
      this.#inFlight.add(index);
    }
    this.#dirty.clear();
    return batch;
  }

  committed(): void {
    this.#inFlight.clear();
  }

  failed(): void {
    for (const index of this.#inFlight) this.#dirty.add(index);
    this.#inFlight.clear();
  }

  /** Forgets the chunks that the backing holds as they are. */
  evict(): void {
    for (const index of this.#memory.keys()) {
      if (!this.#dirty.has(index) && !this.#inFlight.has(index)) this.#memory.delete(index);
    }
  }

  /** Loads the present chunks of a range. A chunk dropped or written meanwhile is left as it then is. */
  #loaded(offset: number, length: number): MaybePromise<void> {
    const missing: Promise<void>[] = [];
    for (let index = Math.floor(offset / chunkSize); index * chunkSize < offset + length; index++) {
      if (this.#present.has(index) && !this.#memory.has(index)) missing.push(this.#loadChunk(index));
    }
    return missing.length === 0 ? undefined : Promise.all(missing).then(() => this.#loaded(offset, length));
  }

  async #loadChunk(index: number): Promise<void> {
    const bytes = (await this.#load(index)) ?? new Uint8Array(0);
    if (this.#present.has(index) && !this.#memory.has(index)) this.#memory.set(index, bytes);
  }

  #copyOut(offset: number, length: number): Uint8Array {
    const end = Math.min(offset + length, this.#size);
    const bytes = new Uint8Array(Math.max(0, end - offset));
    for (let at = offset; at < end;) {
      const index = Math.floor(at / chunkSize);
      const from = at - index * chunkSize;
      const next = Math.min(end, (index + 1) * chunkSize);
      const part = this.#memory.get(index)?.subarray(from, from + next - at);
      if (part !== undefined) bytes.set(part, at - offset);
      at = next;
    }
    return bytes;
  }

  #copyIn(offset: number, bytes: Uint8Array): void {
    const end = offset + bytes.length;
    for (let at = offset; at < end;) {
      const index = Math.floor(at / chunkSize);
      const from = at - index * chunkSize;
      const next = Math.min(end, (index + 1) * chunkSize);
      this.#writable(index, from + next - at).set(bytes.subarray(at - offset, next - offset), from);
      at = next;
    }
  }

  /** The chunk's array, at least this long, marked changed. */
  #writable(index: number, length: number): Uint8Array {
    const chunk = this.#memory.get(index);
    this.#dirty.add(index);
    this.#present.add(index);
    if (chunk !== undefined && chunk.length >= length) return chunk;
    const larger = new Uint8Array(Math.min(chunkSize, Math.max(1024, 2 ** Math.ceil(Math.log2(length)))));
    if (chunk !== undefined) larger.set(chunk);
    this.#memory.set(index, larger);
    return larger;
  }

  #shrink(size: number): void {
    const last = Math.ceil(size / chunkSize);
    for (const index of this.#present) {
      if (index < last) continue;
      this.#present.delete(index);
      this.#memory.delete(index);
      this.#dirty.add(index);
    }
    const tail = size % chunkSize;
    const chunk = this.#memory.get(last - 1);
    if (tail === 0 || chunk === undefined) return;
    chunk.fill(0, tail);
    this.#dirty.add(last - 1);
  }
}

function expandRuns(runs: readonly number[]): number[] {
  const indices: number[] = [];
  for (let i = 0; i + 1 < runs.length; i += 2) {
    for (let n = 0; n < runs[i + 1]!; n++) indices.push(runs[i]! + n);
  }
  return indices;
}

function packRuns(indices: ReadonlySet<number>): number[] {
  const runs: number[] = [];
  let end = -1;
  for (const index of [...indices].sort((a, b) => a - b)) {
    if (index === end) runs[runs.length - 1]!++;
    else runs.push(index, 1);
    end = index + 1;
  }
  return runs;
}
