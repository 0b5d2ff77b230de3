/**
 * What is taken in and taken home, as plain data that crosses to the transfer worker: package sets, binary caches, archives of whole
 * workspaces, exports.
 */
import type { TreeNode } from "#engine/store/format/tree.ts";

/** A package set that a workspace uses, locked: whoever opens the workspace gets these bytes or none. */
export interface SourcePin {
  /** How the language finds it: `<name>`. */
  readonly name: string;
  /** SHA-256 of the unpacked tree's NAR, as SRI. */
  readonly narHash: string;
  /** Where it can be had again; null when it came from a file. */
  readonly url: string | null;
  /** Whether `<nixpkgs>` is this one, too. */
  readonly nixpkgs: boolean;
}

/** A package set that this browser has, unpacked; workspaces share it. */
export interface SourceRecord {
  readonly narHash: string;
  /** The file or address it came from, for people. */
  readonly title: string;
  readonly files: number;
  /** Of all files' contents. */
  readonly bytes: number;
  /** Milliseconds since the epoch. */
  readonly added: number;
}

/** Where a file's bytes lie: in which chunk, from which offset. */
export interface PackedFile {
  readonly chunk: number;
  readonly offset: number;
  readonly size: number;
}

export type PackedTree = TreeNode<PackedFile>;

/** How far some work is: 0 to 1, or null where nobody knows. */
export type OnProgress = (text: string, fraction: number | null) => void;

export interface TransferWorker {
  /**
   * Unpacks an archive (tar, alone or compressed with gzip, xz, zstd or bzip2; zip) and keeps it.
   * Rejects with code "hash-mismatch" when `expected` is another hash: then nothing is kept.
   */
  addSource(
    archive: Blob,
    title: string,
    expected: string | null,
    now: number,
    onProgress: OnProgress,
  ): Promise<SourceRecord>;
  removeSource(narHash: string): Promise<void>;
}

/** What was downloaded, and where the very same can be had again: a branch has become a revision. */
export interface Download {
  readonly archive: Blob;
  readonly url: string;
}

export interface DownloadWorker {
  /**
   * Fetches an archive from an address, or a revision of a repository: `github:OWNER/REPO/REVISION`, or GitHub's address of its archive.
   * Rejects with code "network" in words for the visitor.
   */
  fetchArchive(address: string, onProgress: OnProgress): Promise<Download>;
}
