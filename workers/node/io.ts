/**
 * The evaluator's `Io` on Node: files of this system, and a store below a directory (or none, as `dummy://`).
 *
 * Names and contents are byte strings, so a file name that is not UTF-8 is read and written as it is.
 */
import fs from "node:fs";
import {
  IoError,
  NeedsIO,
  type FetchRequest,
  type FetchResult,
  type FileStatus,
  type FileType,
  type Io,
} from "#engine/eval/io.ts";
import { NixError } from "#engine/eval/error.ts";
import { PendingWrites } from "#engine/eval/pending-writes.ts";
import type { AddSourceRequest } from "#engine/eval/io.ts";
import { parseDerivation } from "#engine/store/format/derivation.ts";
import type { PathInfo } from "#engine/store/path-info.ts";
import { useNativeHashes } from "./native-hashes.ts";

export interface NodeIoOptions {
  readonly storeDir: string;
  /** Directory that holds the store's files at their own paths; undefined for a store without files. */
  readonly root: string | undefined;
  /** Compute paths without remembering what would be written. */
  readonly readOnly: () => boolean;
  /** What the store already has. */
  readonly info: (storePath: string) => PathInfo | undefined;
  readonly env: (name: string) => string | undefined;
  readonly log: (line: string) => void;
}

/** What the operating system's library says to these codes. */
const REASONS: Readonly<Record<string, string>> = {
  EACCES: "Permission denied",
  ELOOP: "Too many levels of symbolic links",
  ENAMETOOLONG: "File name too long",
};

/** Bytes of a byte-string path, as Node's functions take it. */
const toPath = (path: string): Buffer => Buffer.from(path, "latin1");

export class NodeIo implements Io {
  readonly writes: PendingWrites;
  private readonly options: NodeIoOptions;
  private readonly fetched = new Map<string, FetchResult | IoError>();
  private readonly started = Math.floor(Date.now() / 1000);

  constructor(options: NodeIoOptions) {
    useNativeHashes();
    this.options = options;
    this.writes = new PendingWrites(options.storeDir, (path) => this.readFile(path));
  }

  /** Where a path's files really are. */
  private real(path: string): Buffer {
    const { root, storeDir } = this.options;
    return toPath(root !== undefined && path.startsWith(`${storeDir}/`) ? `${root}${path}` : path);
  }

  private run<T>(path: string, work: (real: Buffer) => T): T {
    try {
      return work(this.real(path));
    } catch (thrown) {
      const code = (thrown as NodeJS.ErrnoException).code;
      if (code === undefined) throw thrown;
      throw new IoError(code, path, `${code}: ${path}`);
    }
  }

  readFile(path: string): string {
    const pending = this.pendingText(path);
    return pending ?? this.run(path, (real) => fs.readFileSync(real, "latin1"));
  }

  /** The text of a file that is not written yet. */
  private pendingText(path: string): string | undefined {
    const addition = this.writes.get(path);
    return addition?.kind === "text" ? addition.text : undefined;
  }

  readDir(path: string): (readonly [string, FileType])[] {
    const entries = this.run(path, (real) =>
      fs.readdirSync(real, { withFileTypes: true, encoding: "latin1" } as never),
    ) as unknown as fs.Dirent[];
    return entries.map((entry) => [entry.name, typeOf(entry)] as const);
  }

  lstat(path: string): FileStatus | undefined {
    const pending = this.pendingText(path);
    if (pending !== undefined) return { type: "regular", executable: false, size: pending.length };
    const status = this.status(path);
    if (status === undefined) return undefined;
    return { type: typeOf(status), executable: (status.mode & 0o100) !== 0, size: status.size };
  }

  /** What lies below something that is no directory is missing like anything else; what may not be looked at is told. */
  private status(path: string): fs.Stats | undefined {
    try {
      return fs.lstatSync(this.real(path), { throwIfNoEntry: false });
    } catch (thrown) {
      const { code } = thrown as NodeJS.ErrnoException;
      if (code === "ENOTDIR") return undefined;
      if (code === undefined) throw thrown;
      throw new NixError("io", `getting status of "${path}": ${REASONS[code] ?? code}`);
    }
  }

  readLink(path: string): string {
    return this.run(path, (real) => fs.readlinkSync(real, "latin1"));
  }

  getEnv(name: string): string | undefined {
    return this.options.env(name);
  }

  currentTime(): number {
    return this.started;
  }

  /** A store without files (`dummy://`) computes paths but takes nothing. */
  private refuse(operation: string): void {
    if (this.options.root !== undefined) return;
    throw new NixError("io", `operation '${operation}' is not supported by store 'dummy://'`);
  }

  addSource(request: AddSourceRequest): string {
    if (!request.dryRun) this.refuse("addToStoreFromDump");
    return this.writes.addSource(request);
  }

  addText(name: string, text: string, references: readonly string[]): string {
    if (!this.options.readOnly()) this.refuse("addToStoreFromDump");
    return this.writes.addText(name, text, references, this.options.readOnly());
  }

  writeDerivation(drvPath: string, text: string, references: readonly string[]): void {
    this.refuse("writeDerivation");
    this.writes.writeDerivation(drvPath, text, references);
  }

  readDerivation(drvPath: string): string {
    return this.readFile(drvPath);
  }

  isValidPath(storePath: string): boolean {
    return this.writes.has(storePath) || this.options.info(storePath) !== undefined;
  }

  references(storePath: string): readonly string[] | undefined {
    const addition = this.writes.get(storePath);
    if (addition !== undefined) return addition.kind === "text" ? addition.references : [];
    return this.options.info(storePath)?.references;
  }

  realise(drvPath: string, outputs: readonly string[]): readonly string[] {
    if (!this.isValidPath(drvPath)) {
      throw new NixError("io", `path '${drvPath.slice(this.options.storeDir.length + 1)}' is not valid`);
    }
    const derivation = parseDerivation(this.readDerivation(drvPath));
    const paths = outputs.map((output) => derivation.outputs.get(output)?.path ?? "");
    if (paths.every((path) => path !== "" && this.isValidPath(path))) return paths;
    throw new NeedsIO({ kind: "realise", drvPath, outputs });
  }

  fetch(fetch: FetchRequest): FetchResult {
    const known = this.fetched.get(JSON.stringify(fetch));
    if (known instanceof IoError) throw known;
    if (known !== undefined) return known;
    const folder = fetch.options["type"] === "path" ? String(fetch.options["path"]) : undefined;
    if (folder?.startsWith("/") === true && this.lstat(folder) === undefined) {
      // C++ Nix shows such a path below its root, with a slash more.
      throw new IoError("ENOENT", folder, `path '/${folder}' does not exist`);
    }
    throw new NeedsIO({ kind: "fetch", fetch });
  }

  /** What a request brought, or why it brought nothing; it is asked once in an evaluation's life. */
  answerFetch(fetch: FetchRequest, result: FetchResult | IoError): void {
    this.fetched.set(JSON.stringify(fetch), result);
  }

  log(line: string): void {
    this.options.log(line);
  }
}

function typeOf(entry: fs.Dirent | fs.Stats): FileType {
  if (entry.isFile()) return "regular";
  if (entry.isDirectory()) return "directory";
  return entry.isSymbolicLink() ? "symlink" : "unknown";
}
