/**
 * `Io`: everything the evaluator needs from outside, as synchronous calls over byte strings.
 *
 * Node's adapter answers at once. The browser's answers from what is already loaded and throws one `NeedsIO` for a miss; the worker
 * fulfils that request and resumes the evaluation, in which every thunk evaluated so far keeps its value. `tryEval` never catches a
 * `NeedsIO`, and a thunk it unwinds returns to unevaluated.
 *
 * All paths are absolute and canonical (no `.`, `..`, doubled or trailing slashes). Adapters report failures by throwing `IoError`.
 */

export type FileType = "regular" | "directory" | "symlink" | "unknown";

/** A request that could not be answered now. Plain data, so it can cross a worker. */
export type IoRequest =
  | { readonly kind: "read"; readonly path: string }
  | { readonly kind: "realise"; readonly drvPath: string; readonly outputs: readonly string[] }
  | { readonly kind: "fetch"; readonly fetch: FetchRequest }
  | { readonly kind: "store"; readonly path: string };

/** Thrown by an `Io` whose answer is not there yet. Never caught by the language. */
export class NeedsIO extends Error {
  readonly request: IoRequest;
  constructor(request: IoRequest) {
    super(`needs ${request.kind}`);
    this.name = "NeedsIO";
    this.request = request;
  }
}

/** ENOENT, EACCES, ENOTDIR, EISDIR, EINVAL…: `code` as in errno; `path` as asked. */
export class IoError extends Error {
  readonly code: string;
  readonly path: string;
  constructor(code: string, path: string, message = `${code}: ${path}`) {
    super(message);
    this.name = "IoError";
    this.code = code;
    this.path = path;
  }
}

export interface FileStatus {
  readonly type: FileType;
  readonly executable: boolean;
  /** Bytes, for regular files. */
  readonly size: number;
}

/** A tree to be put into the store, already filtered: what `builtins.path`, `filterSource` and path coercion produce. */
export type SourceTree =
  | { readonly type: "regular"; readonly executable: boolean; readonly path: string }
  | { readonly type: "symlink"; readonly target: string }
  | { readonly type: "directory"; readonly entries: readonly (readonly [name: string, tree: SourceTree])[] };

export interface AddSourceRequest {
  readonly name: string;
  /** `nar` hashes the tree's NAR, `flat` one file's bytes, `text` a file without references. */
  readonly method: "nar" | "flat" | "text";
  readonly tree: SourceTree;
  /** Only compute the path (no writing), as `--eval` without --read-write-mode does. */
  readonly dryRun: boolean;
}

export interface FetchRequest {
  readonly kind: "file" | "tarball" | "git" | "mercurial" | "tree";
  readonly url: string;
  readonly name: string;
  /** SRI or base32/16 hash if the caller gave one. */
  readonly hash?: string;
  /** Anything else a fetcher takes: rev, ref, submodules, shallow, … */
  readonly options: Readonly<Record<string, string | number | boolean>>;
  /** False: a working tree with changes that are not committed is an error, or is fetched without a warning. */
  readonly allowDirty?: false;
  readonly warnDirty?: false;
}

export interface FetchResult {
  readonly storePath: string;
  /** SRI hash of the NAR. */
  readonly narHash: string;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  /** The working tree that the files are from. */
  readonly shown?: string;
}

export interface Io {
  /** Whole file as a byte string. */
  readFile(path: string): string;
  /** Entries in any order. */
  readDir(path: string): readonly (readonly [name: string, type: FileType])[];
  /** Status of the path itself (links are not followed), undefined when nothing is there. */
  lstat(path: string): FileStatus | undefined;
  readLink(path: string): string;

  /** Environment variable, undefined when unset. */
  getEnv(name: string): string | undefined;
  /** Seconds since the epoch. */
  currentTime(): number;

  /** Adds a source and returns its store path. */
  addSource(request: AddSourceRequest): string;
  /** Adds a text file (`builtins.toFile`, .drv files) with references and returns its store path. */
  addText(name: string, text: string, references: readonly string[]): string;
  /** Writes a derivation whose path the evaluator has already computed; `text` is its ATerm. */
  writeDerivation(drvPath: string, text: string, references: readonly string[]): void;
  /** The ATerm of a derivation of the store that this evaluation did not write. Throws IoError when there is none. */
  readDerivation(drvPath: string): string;
  isValidPath(storePath: string): boolean;
  /** References of a valid store path, undefined when the path is not valid. */
  references(storePath: string): readonly string[] | undefined;
  /** Builds or substitutes outputs of a derivation now (import from derivation); returns their paths in the order asked. */
  realise(drvPath: string, outputs: readonly string[]): readonly string[];
  fetch(request: FetchRequest): FetchResult;

  /** Output of `builtins.trace`, `builtins.warn` and warnings: one line without newline, already complete ("trace: x"). */
  log(line: string): void;
}
