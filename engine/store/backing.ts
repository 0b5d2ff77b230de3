/**
 * Backing: the small key-value interface that a Store lies on. Invariant: `commit` is atomic and durable — after it
 * resolves everything in it is there, after it fails or the process dies nothing of it is. Values survive structured
 * cloning (Maps and Uint8Arrays included). Key families:
 *
 *   blob/<sha256>          Uint8Array: a file's content, once however many paths hold it
 *   tree/<hash>-<name>     FileTree of a valid path
 *   index/<number>         PathInfo[]: a packed chunk of the path index
 *   realisation/<id>       Realisation of a content-addressed output
 *   profile/<name>         Profile: all generations and which is current, in one value
 *   root/<name>            Root
 *   temp/<owner>           TemporaryRoots of running work
 *   log/<hash>-<name>.drv  Uint8Array: a build's log
 *   meta/schema, meta/seq  numbers
 */

import type { SourceTree } from "./format/tree.ts";

export type StoredValue = unknown;

export interface Batch {
  readonly puts: readonly (readonly [key: string, value: StoredValue])[];
  readonly deletes: readonly string[];
  /** Numbers that must still be stored under these keys (undefined: the key is absent), else nothing is done. */
  readonly expect: readonly (readonly [key: string, value: number | undefined])[];
  /** Keys that must exist, else nothing is done. */
  readonly require: readonly string[];
}

export interface Backing {
  get(key: string): Promise<StoredValue>;
  /** In the order of the keys; undefined where there is nothing. */
  getMany(keys: readonly string[]): Promise<StoredValue[]>;
  /** Which of the keys exist, without reading the values. */
  existing(keys: readonly string[]): Promise<Set<string>>;
  /** All keys with a prefix, sorted. */
  keys(prefix: string): Promise<string[]>;
  /**
   * A path as it lies where others can reach and damage it, by its base name; undefined when it is gone. Only backings that lay paths
   * out have this.
   */
  laidOut?(name: string): Promise<SourceTree | undefined>;
  /** @throws StoreError "conflict" (an expectation), "missing" (a requirement) or "quota" */
  commit(batch: Batch): Promise<void>;
}

export const BLOB = "blob/";
export const TREE = "tree/";
export const INDEX = "index/";
export const REALISATION = "realisation/";
export const PROFILE = "profile/";
export const ROOT = "root/";
export const TEMPORARY = "temp/";
export const LOG = "log/";
export const SCHEMA = "meta/schema";
export const SEQUENCE = "meta/seq";
