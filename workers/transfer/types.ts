/**
 * What is taken in and taken home, as plain data that crosses to the transfer worker: package sets, binary caches, archives of whole
 * workspaces, exports.
 */
import type { SourceTree, TreeNode } from "#engine/store/format/tree.ts";

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

/** A binary cache that this browser has. */
export interface CacheRecord {
  readonly id: string;
  /** The file or folder it came from, for people. */
  readonly title: string;
  /** Milliseconds since the epoch. */
  readonly added: number;
  readonly paths: number;
  readonly bytes: number;
  /** Names of the keys that signed its paths. */
  readonly signers: readonly string[];
  /** The key that is trusted, `name:base64`; without one only content-addressed paths are taken. */
  readonly key: string | null;
  /** How many of its paths are taken. */
  readonly trusted: number;
  /** As it asks for itself: lower is asked first. */
  readonly priority: number;
}

/** A file with its path below what was chosen. */
export interface GivenFile {
  readonly path: string;
  readonly contents: Blob;
}

/** Where a file's bytes lie: in which chunk, from which offset. */
export interface PackedFile {
  readonly chunk: number;
  readonly offset: number;
  readonly size: number;
}

export type PackedTree = TreeNode<PackedFile>;

/** What an archive holds of the page's own records. As read from an archive nothing of it is checked. */
export interface PageRecords {
  readonly workspace: {
    readonly title: string;
    readonly entry: string;
    readonly files: readonly { readonly path: string; readonly text: string }[];
    readonly origin: string | null;
    readonly sources: readonly SourcePin[];
  };
  /** The files that generations were made from, by number. */
  readonly snapshots: Readonly<Record<string, readonly { readonly path: string; readonly text: string }[]>>;
  /** How far lessons are; `here`: its workspace is this one. */
  readonly lessons: Readonly<
    Record<string, { readonly at: number; readonly predicted: readonly (number | null)[]; readonly here: boolean }>
  >;
}

/** How far some work is: 0 to 1, or null where nobody knows. */
export type OnProgress = (text: string, fraction: number | null) => void;

/** The embedded channel as the page loads it: its archive of texts, and its seeds. */
export interface ChannelParts {
  readonly archive: Uint8Array;
  readonly seeds: readonly (readonly [name: string, tree: SourceTree])[];
}

/** How much of the browser's space a workspace's store takes. */
export interface StoreSize {
  readonly workspace: string;
  readonly paths: number;
  readonly bytes: number;
}

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
  /** Keeps a binary cache: one archive that holds it, or the files of its folder. */
  addCache(files: readonly GivenFile[], title: string, now: number, onProgress: OnProgress): Promise<CacheRecord>;
  caches(): Promise<CacheRecord[]>;
  /** Trusts a key for a cache, or none. Rejects with code "signature" on what is no key. */
  trustKey(id: string, key: string | null): Promise<CacheRecord>;
  removeCache(id: string): Promise<void>;
  /** The archive of a whole workspace: the page's records, the store, the machine's files, the package sets. */
  exportWorkspace(workspace: string, page: PageRecords, onProgress: OnProgress): Promise<Blob>;
  /**
   * Makes the store and the machine's files of a new workspace from an archive. When it rejects, what was written so far is in the
   * workspace's own databases, for the caller to delete.
   */
  importWorkspace(archive: Blob, workspace: string, now: number, onProgress: OnProgress): Promise<PageRecords>;
  /** A zip of the workspace's folder for real Nix; `expected` is the system it is. */
  takeHome(
    workspace: PageRecords["workspace"],
    channel: ChannelParts,
    expected: string | null,
    onProgress: OnProgress,
  ): Promise<Blob>;
  /** The closure of a path as `nix-store --import` takes it. */
  exportClosure(workspace: string, root: string, onProgress: OnProgress): Promise<Blob>;
  /** The closure of a system as an OCI image in one tar file. */
  exportImage(workspace: string, root: string, reference: string, onProgress: OnProgress): Promise<Blob>;
  storeSizes(workspaces: readonly string[]): Promise<StoreSize[]>;
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
