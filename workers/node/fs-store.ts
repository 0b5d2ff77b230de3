/**
 * The file system as a Backing: real files under ROOT/nix/store with canonical modes and times, metadata beside them in
 * ROOT/nix/var/terrarium. A commit first lays out what it adds, then writes one journal file, then applies it; a journal
 * found at the next start is applied again. So a batch is wholly there or not there, whenever the process dies. As with
 * Nix's defaults the metadata is synced, file contents are left to the system.
 */
import fs from "node:fs";
import path from "node:path";
import v8 from "node:v8";
import { BLOB, type Backing, type Batch, type StoredValue, TREE } from "#engine/store/backing.ts";
import { StoreError } from "#engine/store/error.ts";
import { DEFAULT_STORE_DIR } from "#engine/store/format/store-path.ts";
import type { FileTree, SourceTree } from "#engine/store/format/tree.ts";
import { Store, type StoreOptions } from "#engine/store/store.ts";
import { readTree } from "./read-tree.ts";
import { useNativeHashes } from "./native-hashes.ts";

/** A Nix store under a directory, as `NIX_REMOTE=local?root=DIR` means it. */
export function openFsStore(root: string, options: Partial<StoreOptions> = {}): Promise<Store> {
  useNativeHashes();
  const backing = new FsBacking(root, options.storeDir);
  const lock = <Result>(body: () => Promise<Result>) => withLock(path.join(backing.metadata, "lock"), body);
  return Store.open(backing, { now: () => Math.floor(Date.now() / 1000), lock, ...options });
}

export class FsBacking implements Backing {
  /** ROOT/nix/store. */
  readonly storeDirectory: string;
  readonly metadata: string;
  readonly #blobs: string;
  readonly #journal: string;

  constructor(root: string, storeDir = DEFAULT_STORE_DIR) {
    this.storeDirectory = path.join(root, storeDir);
    this.metadata = path.join(root, path.dirname(storeDir), "var/terrarium");
    this.#blobs = path.join(this.metadata, "blobs");
    this.#journal = path.join(this.metadata, "journal");
    for (const directory of [this.storeDirectory, this.#blobs]) fs.mkdirSync(directory, { recursive: true });
    if (fs.existsSync(this.#journal)) this.#apply(read(this.#journal) as Journal);
  }

  async get(key: string): Promise<StoredValue> {
    if (!fs.existsSync(this.#file(key))) return undefined;
    if (!key.startsWith(BLOB)) return read(this.#file(key));
    const bytes = fs.readFileSync(this.#file(key));
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  getMany(keys: readonly string[]): Promise<StoredValue[]> {
    return Promise.all(keys.map((key) => this.get(key)));
  }

  async existing(keys: readonly string[]): Promise<Set<string>> {
    return new Set(keys.filter((key) => fs.existsSync(this.#file(key))));
  }

  async keys(prefix: string): Promise<string[]> {
    const directory = path.dirname(this.#file(`${prefix}x`));
    if (!fs.existsSync(directory)) return [];
    const names = fs.readdirSync(directory).filter((name) => !name.startsWith(TEMPORARY_FILE));
    return names.map((name) => prefix + decodeURIComponent(name)).sort();
  }

  async laidOut(name: string): Promise<SourceTree | undefined> {
    return readTree(Buffer.from(path.join(this.storeDirectory, name)));
  }

  async commit(batch: Batch): Promise<void> {
    for (const [key, value] of batch.expect) {
      if ((await this.get(key)) !== value) throw new StoreError("conflict", `'${key}' has changed`, { key });
    }
    for (const key of batch.require) {
      if (!fs.existsSync(this.#file(key))) throw new StoreError("missing", `'${key}' does not exist`, { key });
    }
    const puts = batch.puts.filter(([key]) => !key.startsWith(BLOB));
    try {
      // What cannot be written fails here, before anything is.
      const journal: Journal = {
        puts: puts.map(([key, value]) => [key, v8.serialize(value)]),
        deletes: [...batch.deletes],
      };
      for (const [key, value] of batch.puts) if (key.startsWith(BLOB)) this.#putBlob(key, value as Uint8Array);
      for (const [key, value] of puts)
        if (key.startsWith(TREE)) this.#layOut(key.slice(TREE.length), value as FileTree);
      if (puts.length === 0) return this.#remove(batch.deletes);
      replaceFile(this.#journal, v8.serialize(journal), true);
      this.#apply(journal);
    } catch (error) {
      throw (error as NodeJS.ErrnoException).code === "ENOSPC"
        ? new StoreError("quota", "no space left on device")
        : error;
    }
  }

  #apply({ puts, deletes }: Journal): void {
    this.#remove(deletes);
    for (const [key, value] of puts) {
      fs.mkdirSync(path.dirname(this.#file(key)), { recursive: true });
      replaceFile(this.#file(key), value);
    }
    fs.rmSync(this.#journal);
  }

  #remove(keys: readonly string[]): void {
    for (const key of keys) {
      fs.rmSync(this.#file(key), { force: true });
      if (key.startsWith(TREE)) this.#clear(path.join(this.storeDirectory, key.slice(TREE.length)));
    }
  }

  #file(key: string): string {
    if (key.startsWith(BLOB)) return path.join(this.#blobs, key.slice(BLOB.length));
    const slash = key.indexOf("/");
    return path.join(this.metadata, "db", key.slice(0, slash), encodeURIComponent(key.slice(slash + 1)));
  }

  #putBlob(key: string, bytes: Uint8Array): void {
    const file = this.#file(key);
    // One that is there is only put again to mend it.
    if (fs.existsSync(file) && fs.readFileSync(file).equals(bytes)) return;
    replaceFile(file, bytes);
    fs.chmodSync(file, 0o444);
    fs.utimesSync(file, 1, 1);
  }

  /** Writes a path's files under a temporary name and moves them into place; what is there already goes first. */
  #layOut(name: string, tree: FileTree): void {
    const target = path.join(this.storeDirectory, name);
    const temporary = path.join(this.storeDirectory, `${TEMPORARY_FILE}${process.pid}-${name}`);
    this.#clear(temporary);
    this.#writeNode(Buffer.from(temporary), tree);
    this.#clear(target);
    fs.renameSync(temporary, target);
  }

  #writeNode(target: Buffer, node: FileTree): void {
    if (node.type === "symlink") {
      fs.symlinkSync(Buffer.from(node.target, "latin1"), target);
      fs.lutimesSync(target, 1, 1);
      return;
    }
    if (node.type === "regular") return this.#writeFile(target, node.blob, node.executable);
    fs.mkdirSync(target);
    for (const [name, child] of node.entries) {
      this.#writeNode(Buffer.concat([target, Buffer.from(`/${name}`, "latin1")]), child);
    }
    fs.chmodSync(target, 0o555);
    fs.utimesSync(target, 1, 1);
  }

  /** A plain file is one more name of its blob; an executable needs a mode, hence an inode, of its own. */
  #writeFile(target: Buffer, blob: string, executable: boolean): void {
    const source = this.#file(BLOB + blob);
    if (!executable && tryLink(source, target)) return;
    fs.copyFileSync(source, target);
    fs.chmodSync(target, executable ? 0o555 : 0o444);
    fs.utimesSync(target, 1, 1);
  }

  #clear(target: string): void {
    const status = fs.lstatSync(target, { throwIfNoEntry: false });
    if (status === undefined) return;
    if (status.isDirectory()) makeWritable(Buffer.from(target));
    fs.rmSync(target, { recursive: true, force: true });
  }
}

/** A batch as it is written down before it is applied; values are serialised already. */
interface Journal {
  readonly puts: readonly (readonly [string, Uint8Array])[];
  readonly deletes: readonly string[];
}

const TEMPORARY_FILE = ".tmp-";

function read(file: string): unknown {
  return v8.deserialize(fs.readFileSync(file));
}

/** Writes a file beside its place and renames it over; with `durable` both file and directory are synced. */
function replaceFile(file: string, bytes: Uint8Array, durable = false): void {
  const temporary = path.join(path.dirname(file), `${TEMPORARY_FILE}${process.pid}-${path.basename(file)}`);
  const handle = fs.openSync(temporary, "w");
  fs.writeFileSync(handle, bytes);
  if (durable) fs.fsyncSync(handle);
  fs.closeSync(handle);
  fs.renameSync(temporary, file);
  if (durable) syncDirectory(path.dirname(file));
}

function syncDirectory(directory: string): void {
  const handle = fs.openSync(directory, "r");
  fs.fsyncSync(handle);
  fs.closeSync(handle);
}

function tryLink(source: string, target: Buffer): boolean {
  try {
    fs.linkSync(source, target);
    return true;
  } catch {
    // Too many links, or a file system without them: a copy does.
    return false;
  }
}

function makeWritable(directory: Buffer): void {
  fs.chmodSync(directory, 0o755);
  for (const entry of fs.readdirSync(directory, { withFileTypes: true, encoding: "buffer" })) {
    if (entry.isDirectory()) makeWritable(Buffer.concat([directory, Buffer.from("/"), entry.name]));
  }
}

/** Holds a lock file while the body runs; a lock whose process is gone is taken over. */
async function withLock<Result>(file: string, body: () => Promise<Result>): Promise<Result> {
  while (!tryLock(file)) await new Promise((resolve) => setTimeout(resolve, 20));
  try {
    return await body();
  } finally {
    fs.rmSync(file, { force: true });
  }
}

function tryLock(file: string): boolean {
  try {
    fs.writeFileSync(file, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    if (!isAlive(Number(readIfThere(file)))) fs.rmSync(file, { force: true });
    return false;
  }
}

function readIfThere(file: string): string {
  try {
    return fs.readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return pid > 0;
  } catch {
    return false;
  }
}
