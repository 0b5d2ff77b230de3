/**
 * PathIndex: every valid path's info in memory, with its referrers, and where each info lies among the packed chunks of the backing.
 * Invariants: `referrers` is the exact inverse of the infos' references; a path's text is in memory once, however many refer to it.
 */
import { type StorePath, hashPartOf } from "./format/store-path.ts";
import type { PathInfo } from "./path-info.ts";

/** Infos in one chunk: few enough to rewrite quickly, enough that 20,000 paths load in some eighty reads. */
const CHUNK_SIZE = 256;

export interface IndexChange {
  readonly chunks: ReadonlyMap<number, readonly PathInfo[] | undefined>;
  readonly apply: () => void;
}

interface Entry {
  info: PathInfo;
  readonly chunk: number;
  /** Shared while empty. */
  referrers: StorePath[];
}

const NOBODY: StorePath[] = [];
const NO_SIGNATURES: readonly string[] = [];

export class PathIndex {
  readonly #entries = new Map<StorePath, Entry>();
  /** Paths of each chunk, in no order. */
  readonly #chunks = new Map<number, StorePath[]>();
  /** By hash part; made when first asked for. */
  #byHash: Map<string, StorePath> | undefined;
  #openChunk = 0;

  get size(): number {
    return this.#entries.size;
  }

  info(path: StorePath): PathInfo | undefined {
    return this.#entries.get(path)?.info;
  }

  has(path: StorePath): boolean {
    return this.#entries.has(path);
  }

  /** All valid paths, in no order. */
  paths(): IterableIterator<StorePath> {
    return this.#entries.keys();
  }

  *infos(): Generator<PathInfo, void> {
    for (const { info } of this.#entries.values()) yield info;
  }

  /** Valid paths that refer to this one (itself too, if it does), in no order. */
  referrers(path: StorePath): readonly StorePath[] {
    return this.#entries.get(path)?.referrers ?? NOBODY;
  }

  byHashPart(hashPart: string): StorePath | undefined {
    this.#byHash ??= new Map(Array.from(this.paths(), (path) => [hashPartOf(path), path]));
    return this.#byHash.get(hashPart);
  }

  /** Holds exactly what these chunks list. */
  load(chunks: Iterable<readonly [number: number, infos: readonly PathInfo[]]>): void {
    this.#entries.clear();
    this.#chunks.clear();
    this.#byHash = undefined;
    this.#openChunk = 0;
    for (const [chunk, infos] of chunks) {
      this.#openChunk = Math.max(this.#openChunk, chunk);
      this.#chunks.set(
        chunk,
        infos.map(({ path }) => path),
      );
      for (const info of infos) this.#entries.set(info.path, { info, chunk, referrers: NOBODY });
    }
    for (const entry of this.#entries.values()) {
      entry.info = this.#compact(entry.info);
      this.#addReferrer(entry.info);
    }
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
      const chunk = this.#entries.get(path)?.chunk;
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
      const kept = (this.#chunks.get(number) ?? []).filter((path) => !gone.has(path) && !placed.has(path));
      const members = [...kept.map((path) => this.info(path) as PathInfo), ...coming];
      chunks.set(number, members.length === 0 ? undefined : members);
    }
    const apply = () => {
      this.#byHash = undefined;
      this.#remove(gone);
      // A path that is new here may be referred to by another one that is.
      for (const info of infos) this.#put(info, placed.get(info.path) as number);
      for (const path of placed.keys()) this.#addReferrer(this.info(path) as PathInfo);
      for (const [number, members] of chunks) {
        if (members === undefined) this.#chunks.delete(number);
        else {
          this.#chunks.set(
            number,
            members.map(({ path }) => path),
          );
        }
      }
      this.#openChunk = lastChunk;
    };
    return { chunks, apply };
  }

  /** Where infos go: a known path stays in its chunk, a new one joins the last chunk that has room. */
  #place(infos: readonly PathInfo[]): { placed: Map<StorePath, number>; lastChunk: number } {
    const placed = new Map<StorePath, number>();
    let chunk = this.#openChunk;
    let room = CHUNK_SIZE - (this.#chunks.get(chunk)?.length ?? 0);
    for (const { path } of infos) {
      const known = this.#entries.get(path)?.chunk;
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
      const info = this.info(path);
      if (info === undefined) continue;
      for (const reference of info.references) poorer.add(reference);
      this.#entries.delete(path);
    }
    for (const reference of poorer) this.#keepReferrers(reference, (path) => !paths.has(path));
  }

  #put(info: PathInfo, chunk: number): void {
    const old = this.#entries.get(info.path);
    for (const reference of old?.info.references ?? []) this.#keepReferrers(reference, (path) => path !== info.path);
    this.#entries.set(info.path, { info: this.#compact(info), chunk, referrers: old?.referrers ?? NOBODY });
  }

  #addReferrer({ path, references }: PathInfo): void {
    for (const reference of references) {
      const entry = this.#entries.get(reference);
      if (entry === undefined) continue;
      if (entry.referrers.length === 0) entry.referrers = [path];
      else entry.referrers.push(path);
    }
  }

  #keepReferrers(reference: StorePath, keep: (path: StorePath) => boolean): void {
    const entry = this.#entries.get(reference);
    if (entry !== undefined) entry.referrers = entry.referrers.filter(keep);
  }

  /** The same info with texts that are in memory already: each comes out of the database as a copy of its own. */
  #compact(info: PathInfo): PathInfo {
    const same = (path: StorePath) => this.#entries.get(path)?.info.path ?? path;
    const { deriver } = info;
    return {
      ...info,
      references: info.references.map(same),
      ...(deriver === undefined ? {} : { deriver: same(deriver) }),
      signatures: info.signatures.length === 0 ? NO_SIGNATURES : info.signatures,
    };
  }
}
