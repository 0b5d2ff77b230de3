/**
 * PathIndex: every valid path's info in memory, with its referrers, found also by hash part, and where each info lies
 * among the packed chunks of the backing. Invariant: `referrers` is the exact inverse of the infos' references.
 */
import { type StorePath, hashPartOf } from "./format/store-path.ts";
import type { PathInfo } from "./path-info.ts";

/** Infos in one chunk: few enough to rewrite quickly, enough that 20,000 paths load in some eighty reads. */
const CHUNK_SIZE = 256;

export interface IndexChange {
  readonly chunks: ReadonlyMap<number, readonly PathInfo[] | undefined>;
  readonly apply: () => void;
}

export class PathIndex {
  readonly #infos = new Map<StorePath, PathInfo>();
  readonly #referrers = new Map<StorePath, StorePath[]>();
  readonly #byHash = new Map<string, StorePath>();
  readonly #chunkOf = new Map<StorePath, number>();
  readonly #chunks = new Map<number, Set<StorePath>>();
  #openChunk = 0;

  get size(): number {
    return this.#infos.size;
  }

  info(path: StorePath): PathInfo | undefined {
    return this.#infos.get(path);
  }

  has(path: StorePath): boolean {
    return this.#infos.has(path);
  }

  /** All valid paths, in no order. */
  paths(): IterableIterator<StorePath> {
    return this.#infos.keys();
  }

  infos(): IterableIterator<PathInfo> {
    return this.#infos.values();
  }

  /** Valid paths that refer to this one (itself too, if it does), in no order. */
  referrers(path: StorePath): readonly StorePath[] {
    return this.#referrers.get(path) ?? [];
  }

  byHashPart(hashPart: string): StorePath | undefined {
    return this.#byHash.get(hashPart);
  }

  load(chunk: number, infos: readonly PathInfo[]): void {
    this.#openChunk = Math.max(this.#openChunk, chunk);
    for (const info of infos) this.#put(info, chunk);
  }

  /**
   * A change to come: the chunks as they must be written (undefined: the key goes), and `apply`, which makes it so in
   * memory. Nothing is visible before the commit in between has succeeded.
   */
  change(infos: readonly PathInfo[], removed: readonly StorePath[]): IndexChange {
    const { placed, lastChunk } = this.#place(infos);
    const gone = new Set(removed);
    const touched = new Map<number, PathInfo[]>();
    for (const path of gone) {
      const chunk = this.#chunkOf.get(path);
      if (chunk !== undefined) touched.set(chunk, []);
    }
    for (const info of infos) {
      const chunk = placed.get(info.path) as number;
      const coming = touched.get(chunk);
      if (coming === undefined) touched.set(chunk, [info]);
      else coming.push(info);
    }
    const chunks = new Map<number, PathInfo[] | undefined>();
    for (const [number, coming] of touched) {
      const kept = Array.from(this.#chunks.get(number) ?? []).filter((path) => !gone.has(path) && !placed.has(path));
      const members = [...kept.map((path) => this.#infos.get(path) as PathInfo), ...coming];
      chunks.set(number, members.length === 0 ? undefined : members);
    }
    const apply = () => {
      this.#remove(gone);
      for (const info of infos) this.#put(info, placed.get(info.path) as number);
      this.#openChunk = lastChunk;
    };
    return { chunks, apply };
  }

  clear(): void {
    for (const map of [this.#infos, this.#referrers, this.#byHash, this.#chunkOf, this.#chunks]) map.clear();
    this.#openChunk = 0;
  }

  /** Where infos go: a known path stays in its chunk, a new one joins the last chunk that has room. */
  #place(infos: readonly PathInfo[]): { placed: Map<StorePath, number>; lastChunk: number } {
    const placed = new Map<StorePath, number>();
    let chunk = this.#openChunk;
    let room = CHUNK_SIZE - (this.#chunks.get(chunk)?.size ?? 0);
    for (const { path } of infos) {
      const known = this.#chunkOf.get(path);
      if (known === undefined && room <= 0) {
        chunk++;
        room = CHUNK_SIZE;
      }
      if (known === undefined) room--;
      placed.set(path, known ?? chunk);
    }
    return { placed, lastChunk: chunk };
  }

  /** Each list of referrers is gone through once, however many leave it. */
  #remove(paths: ReadonlySet<StorePath>): void {
    const poorer = new Set<StorePath>();
    for (const path of paths) {
      const info = this.#infos.get(path);
      if (info === undefined) continue;
      for (const reference of info.references) poorer.add(reference);
      this.#infos.delete(path);
      this.#byHash.delete(hashPartOf(path));
      this.#chunks.get(this.#chunkOf.get(path) as number)?.delete(path);
      this.#chunkOf.delete(path);
    }
    for (const reference of poorer) this.#keepReferrers(reference, (path) => !paths.has(path));
  }

  #put(info: PathInfo, chunk: number): void {
    const old = this.#infos.get(info.path);
    for (const reference of old?.references ?? []) this.#keepReferrers(reference, (path) => path !== info.path);
    this.#infos.set(info.path, info);
    this.#byHash.set(hashPartOf(info.path), info.path);
    this.#chunkOf.set(info.path, chunk);
    const members = this.#chunks.get(chunk);
    if (members === undefined) this.#chunks.set(chunk, new Set([info.path]));
    else members.add(info.path);
    for (const reference of info.references) {
      const referrers = this.#referrers.get(reference);
      if (referrers === undefined) this.#referrers.set(reference, [info.path]);
      else referrers.push(info.path);
    }
  }

  #keepReferrers(reference: StorePath, keep: (path: StorePath) => boolean): void {
    const left = this.#referrers.get(reference)?.filter(keep) ?? [];
    if (left.length === 0) this.#referrers.delete(reference);
    else this.#referrers.set(reference, left);
  }
}
