/**
 * Store: a Nix store over a Backing. Queries about infos are synchronous from the index in memory; files, trees and
 * writes are asynchronous. Invariants: a path is registered in one commit after its blobs are in, so it is wholly there
 * or not there; every reference of a valid path is valid; a profile changes by one key; every commit bumps `meta/seq`.
 */
import {
  BLOB,
  type Backing,
  type Batch,
  INDEX,
  LOG,
  PROFILE,
  REALISATION,
  ROOT,
  SCHEMA,
  SEQUENCE,
  type StoredValue,
  TEMPORARY,
  TREE,
} from "./backing.ts";
import { StoreError } from "./error.ts";
import { FormatError } from "./format/error.ts";
import type { ByteString } from "./format/bytes.ts";
import { fromBytes, toBytes } from "./format/bytes.ts";
import { type Derivation, readDerivation } from "./format/derivation.ts";
import { decodeBase16 } from "./format/base-n.ts";
import { type Hash, equalHashes, hashOf, printHash } from "./format/hash.ts";
import { PieceReader, StreamDigest, digestNar, encodeNar, hashNar, narGrammar, narPieces } from "./format/nar.ts";
import {
  type ContentMethod,
  DEFAULT_STORE_DIR,
  NO_REFERENCES,
  type PathReferences,
  type StorePath,
  baseNameOf,
  hashPartOf,
  isDerivationPath,
  makeContentPath,
  parseContentAddress,
  parseStorePath,
  printContentAddress,
} from "./format/store-path.ts";
import {
  type BlobReference,
  type FileTree,
  type SourceTree,
  blobsOf,
  nodeAt,
  regularFile,
  digestTree,
} from "./format/tree.ts";
import { type GcOptions, type GcPlan, type RootLink, limitDead, planGc } from "./gc.ts";
import { sortPaths } from "./graph.ts";
import { PathIndex } from "./path-index.ts";
import type { PathInfo } from "./path-info.ts";
import { hashModulo } from "./references.ts";
import { type Profile, emptyProfile, profilePath } from "./profile.ts";

const SCHEMA_VERSION = 1;

/** Content that goes into one transaction. */
const BATCH_BYTES = 4_000_000;
const BATCH_COUNT = 1000;

export interface StoreOptions {
  readonly storeDir?: string;
  /** Seconds since the epoch. */
  readonly now: () => number;
  /** Holds off writers in other tabs or processes; without it this Store must be the only writer. */
  readonly lock?: <Result>(body: () => Promise<Result>) => Promise<Result>;
  /** Told after every commit; the worker passes it on to other tabs. */
  readonly onCommit?: (change: StoreChange) => void;
}

export interface StoreChange {
  readonly sequence: number;
  readonly added: readonly StorePath[];
  readonly removed: readonly StorePath[];
  /** Names of profiles that changed. */
  readonly profiles: readonly string[];
}

/** Something to register: its info (the time is filled in) and its stored tree. */
export interface Registration {
  readonly info: Omit<PathInfo, "registrationTime"> & { readonly registrationTime?: number };
  readonly tree: FileTree;
}

/** What is told of a path whose files lie in the store already. */
export interface LooseInfo {
  readonly path: StorePath;
  readonly narHash: string | undefined;
  readonly narSize: number | undefined;
  readonly references: readonly StorePath[];
  readonly deriver: StorePath | undefined;
}

/** Content by SHA-256, from memory or from wherever it is. */
export type BlobSource = (sha256: string) => Uint8Array | Promise<Uint8Array>;

/** A root that is a link somewhere: "/home/alice/result". Profiles are roots by themselves. */
export interface Root {
  readonly name: string;
  readonly path: StorePath;
}

/** Paths that running work needs although no root leads to them yet. */
interface TemporaryRoots {
  readonly owner: string;
  readonly paths: readonly StorePath[];
  /** Seconds since the epoch: work that was killed does not keep paths for ever. */
  readonly until: number;
}

/** Which store path an output of a content-addressed derivation became. */
export interface Realisation {
  /** "sha256:<base16 of the derivation's hash modulo>!<output name>". */
  readonly id: string;
  readonly outPath: StorePath;
  readonly signatures: readonly string[];
  readonly dependentRealisations: Readonly<Record<string, StorePath>>;
}

/** What is wrong with a path, as `--verify` finds it. */
export interface VerifyProblem {
  readonly path: StorePath;
  readonly kind: "missing-reference" | "missing-tree" | "removed" | "missing-blob" | "modified-blob" | "modified";
  readonly message: string;
}

export interface GcRequest extends Partial<Pick<GcOptions, "keepDerivations" | "keepOutputs">> {
  /** Roots that only the caller knows: what the guest runs, the booted system. */
  readonly extraRoots?: readonly RootLink[];
  /** Stop when so many bytes are free. */
  readonly maxFreed?: number;
}

export interface GcResult {
  readonly deleted: readonly StorePath[];
  /** Bytes of file content given back (shared files count when the last user goes). */
  readonly freed: number;
  /** Whether `maxFreed` ended it before everything dead was gone. */
  readonly stopped: boolean;
}

/** What one blob a file saves: `nix-store --optimise`, already done. */
export interface OptimiseReport {
  readonly files: number;
  readonly blobs: number;
  readonly bytesWithout: number;
  readonly bytesStored: number;
}

export class Store {
  readonly storeDir: string;
  readonly #backing: Backing;
  readonly #options: StoreOptions;
  readonly #index = new PathIndex();
  readonly #profiles = new Map<string, Profile>();
  readonly #roots = new Map<string, Root>();
  #sequence: number | undefined;
  #queue: Promise<unknown> = Promise.resolve();

  private constructor(backing: Backing, options: StoreOptions) {
    this.#backing = backing;
    this.#options = options;
    this.storeDir = options.storeDir ?? DEFAULT_STORE_DIR;
  }

  /** @throws StoreError "schema" when a newer version wrote the store */
  static async open(backing: Backing, options: StoreOptions): Promise<Store> {
    const store = new Store(backing, options);
    const schema = await backing.get(SCHEMA);
    if (typeof schema === "number" && schema > SCHEMA_VERSION) {
      throw new StoreError("schema", `the store has schema ${schema}; this version knows ${SCHEMA_VERSION}`, {
        schema,
      });
    }
    await store.refresh();
    return store;
  }

  /** Reads the index, profiles and roots anew if somebody else has committed. True when something changed. */
  async refresh(): Promise<boolean> {
    const sequence = (await this.#backing.get(SEQUENCE)) as number | undefined;
    if (sequence === this.#sequence && this.#sequence !== undefined) return false;
    const chunkKeys = await this.#backing.keys(INDEX);
    const [chunks, profiles, roots] = await Promise.all([
      this.#backing.getMany(chunkKeys) as Promise<PathInfo[][]>,
      this.#family<Profile>(PROFILE),
      this.#family<Root>(ROOT),
    ]);
    this.#index.load(chunkKeys.map((key, at) => [Number(key.slice(INDEX.length)), chunks[at] ?? []] as const));
    fill(this.#profiles, profiles);
    fill(this.#roots, roots);
    this.#sequence = sequence;
    return true;
  }

  async #family<Value extends { readonly name: string }>(prefix: string): Promise<Value[]> {
    return (await this.#backing.getMany(await this.#backing.keys(prefix))) as Value[];
  }

  // Queries

  /** How many commits this store has seen. */
  get sequence(): number {
    return this.#sequence ?? 0;
  }

  /** The index in memory, for questions about the graph (graph.ts, gc.ts). Never change it. */
  get index(): PathIndex {
    return this.#index;
  }

  isValid(path: StorePath): boolean {
    return this.#index.has(path);
  }

  /** The info of a path; undefined when it is not valid. */
  info(path: StorePath): PathInfo | undefined {
    return this.#index.info(path);
  }

  /** @throws StoreError "invalid-path", in Nix's words */
  requireInfo(path: StorePath): PathInfo {
    const info = this.#index.info(path);
    if (info === undefined) throw new StoreError("invalid-path", `path '${path}' is not valid`, { path });
    return info;
  }

  /** All valid paths in byte order. */
  paths(): StorePath[] {
    return sortPaths(this.#index.paths());
  }

  /** @throws StoreError "invalid-path" or "corrupt" */
  async tree(path: StorePath): Promise<FileTree> {
    this.requireInfo(path);
    const tree = await this.#backing.get(TREE + baseNameOf(path));
    if (tree === undefined) throw new StoreError("corrupt", `the files of '${path}' are missing`, { path });
    return tree as FileTree;
  }

  /** A file's content by its SHA-256. @throws StoreError "corrupt" when it is not there */
  async blob(sha256: string): Promise<Uint8Array> {
    const bytes = await this.#backing.get(BLOB + sha256);
    if (bytes === undefined) throw new StoreError("corrupt", `file content ${sha256} is missing`, { blob: sha256 });
    return bytes as Uint8Array;
  }

  /** The content of a regular file in the store ("" below: the path itself); undefined when there is none. */
  async readFile(path: StorePath, below = ""): Promise<Uint8Array | undefined> {
    const node = nodeAt(await this.tree(path), below);
    return node?.type === "regular" ? this.blob(node.blob) : undefined;
  }

  /** @throws StoreError "invalid-path", FormatError "derivation" */
  async derivation(drvPath: StorePath): Promise<Derivation> {
    return readDerivation(await this.derivationText(drvPath), drvPath, this.storeDir);
  }

  /** The ATerm of a derivation. */
  async derivationText(drvPath: StorePath): Promise<ByteString> {
    const bytes = await this.readFile(drvPath);
    if (bytes === undefined) throw new StoreError("corrupt", `'${drvPath}' is not a file`, { path: drvPath });
    return fromBytes(bytes);
  }

  /** Valid derivations that have this path among their outputs. */
  async validDerivers(path: StorePath): Promise<StorePath[]> {
    const derivers: StorePath[] = [];
    for (const candidate of this.#index.paths()) {
      if (!isDerivationPath(candidate)) continue;
      const { outputs } = await this.derivation(candidate);
      if ([...outputs.values()].some((output) => output.path === path)) derivers.push(candidate);
    }
    return sortPaths(derivers);
  }

  /** The NAR of a path, piece by piece. */
  async *nar(path: StorePath): AsyncGenerator<Uint8Array, void> {
    for (const piece of narPieces<BlobReference>(await this.tree(path), (file) => file.size)) {
      if ("bytes" in piece) yield piece.bytes;
      else yield await this.blob(piece.file.blob);
    }
  }

  // Adding

  /**
   * Adds an in-memory tree by content, as `nix-store --add` ("nar") and `--add-fixed` do.
   * @throws StoreError "missing" when a reference is not valid; FormatError on a bad name
   */
  async addTree(
    name: ByteString,
    tree: SourceTree,
    method: ContentMethod = "nar",
    algorithm: Hash["algorithm"] = "sha256",
    references: PathReferences = NO_REFERENCES,
  ): Promise<PathInfo> {
    const { info, stored, blobs } = await describeTree(name, tree, method, algorithm, references, this.storeDir);
    await this.register([{ info, tree: stored }], (sha256) => blobs.get(sha256) as Uint8Array);
    return this.requireInfo(info.path);
  }

  /** Adds a text with references, as `builtins.toFile` and every written derivation are. */
  addText(name: ByteString, text: ByteString, references: readonly StorePath[] = []): Promise<PathInfo> {
    return this.addTree(name, regularFile(toBytes(text)), "text", "sha256", { others: references, self: false });
  }

  /** Adds many texts in one commit; later ones may refer to earlier ones. How an evaluation's derivations come in. */
  async addTexts(
    texts: readonly {
      readonly name: ByteString;
      readonly text: ByteString;
      readonly references: readonly StorePath[];
    }[],
  ): Promise<StorePath[]> {
    const blobs = new Map<string, Uint8Array>();
    const describe = async ({ name, text, references }: (typeof texts)[number]) => {
      const refs = { others: references, self: false };
      const described = await describeTree(name, regularFile(toBytes(text)), "text", "sha256", refs, this.storeDir);
      for (const [sha256, bytes] of described.blobs) blobs.set(sha256, bytes);
      return { info: described.info, tree: described.stored };
    };
    const registrations = await Promise.all(texts.map(describe));
    await this.register(registrations, (sha256) => blobs.get(sha256) as Uint8Array);
    return registrations.map(({ info }) => info.path);
  }

  /**
   * Adds a path from its NAR, which is checked against the info's hash and size before anything is registered.
   * @throws FormatError "nar", StoreError "hash-mismatch"
   */
  async addNar(info: Registration["info"], pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void> {
    const { tree, blobs } = await readCheckedNar(info, pieces);
    await this.register([{ info, tree }], (sha256) => blobs.get(sha256) as Uint8Array);
  }

  /**
   * Registers paths whose infos are already known to be right: first all blobs that are not there yet, then every info
   * and tree in one commit. A path that is valid already only gains signatures.
   * @throws StoreError "missing" when a reference is neither valid nor among the registrations
   */
  async register(registrations: readonly Registration[], blobs: BlobSource): Promise<void> {
    await this.#exclusive(async () => {
      const once = new Map(registrations.map((registration) => [registration.info.path, registration]));
      const fresh = [...once.values()].filter(({ info }) => !this.isValid(info.path));
      this.#checkReferences(fresh);
      const content = await this.#putBlobs(fresh, blobs);
      const now = this.#options.now();
      const infos = fresh.map(({ info }) => ({
        registrationTime: now,
        ...info,
        references: sortPaths(info.references),
      }));
      const trees = fresh.map(({ info, tree }): [string, StoredValue] => [TREE + baseNameOf(info.path), tree]);
      const resigned = this.#newSignatures(registrations);
      if (infos.length === 0 && resigned.length === 0) return;
      const rest = { puts: [...content.puts, ...trees], require: content.stored };
      await this.#commitIndex([...infos, ...resigned], [], rest);
    });
  }

  #checkReferences(registrations: readonly Registration[]): void {
    const coming = new Set(registrations.map(({ info }) => info.path));
    for (const { info } of registrations) {
      parseStorePath(info.path, this.storeDir);
      for (const reference of info.references) {
        if (coming.has(reference) || this.isValid(reference)) continue;
        const message = `cannot register '${info.path}': its reference '${reference}' is not valid`;
        throw new StoreError("missing", message, { path: info.path, reference });
      }
    }
  }

  #newSignatures(registrations: readonly Registration[]): PathInfo[] {
    const changed: PathInfo[] = [];
    for (const { info } of registrations) {
      const known = this.info(info.path);
      if (known === undefined || info.signatures.every((signature) => known.signatures.includes(signature))) continue;
      changed.push({ ...known, signatures: [...new Set([...known.signatures, ...info.signatures])].sort() });
    }
    return changed;
  }

  /**
   * Stores content in batches of some megabytes: one transaction for a whole system would hold all of it in memory twice.
   * The last, small batch is given back to go with the registration itself; `stored` must be there by then.
   */
  async #putBlobs(
    registrations: readonly Registration[],
    source: BlobSource,
  ): Promise<{ puts: [string, StoredValue][]; stored: string[] }> {
    const wanted = new Set(registrations.flatMap(({ tree }) => [...blobsOf(tree).keys()]));
    const there = await this.#backing.existing(Array.from(wanted, (sha256) => BLOB + sha256));
    const stored = [...there];
    let puts: [string, StoredValue][] = [];
    let size = 0;
    for (const sha256 of wanted) {
      if (there.has(BLOB + sha256)) continue;
      const bytes = await source(sha256);
      puts.push([BLOB + sha256, ownBytes(bytes)]);
      size += bytes.length;
      if (size < BATCH_BYTES && puts.length < BATCH_COUNT) continue;
      await this.#backing.commit({ puts, deletes: [], expect: [], require: [] });
      stored.push(...puts.map(([key]) => key));
      puts = [];
      size = 0;
    }
    return { puts, stored };
  }

  /**
   * Registers paths whose files lie in the store already, though nobody knows of them. A hash that is given must be theirs.
   * @throws StoreError "invalid-path" when there are none, "hash-mismatch"
   */
  async registerLaidOut(infos: readonly LooseInfo[]): Promise<void> {
    const blobs = new Map<string, Uint8Array>();
    const registrations: Registration[] = [];
    for (const { path, references, deriver, ...given } of infos) {
      if (this.isValid(path)) continue;
      const tree = await this.#backing.laidOut?.(baseNameOf(path));
      if (tree === undefined) throw new StoreError("invalid-path", `path '${path}' does not exist`, { path });
      const { hash, size } = await digestNar(tree);
      const narHash = printHash(hash, "nix32", true);
      if (given.narHash !== undefined && given.narHash !== narHash) {
        const message = `path '${path}' was modified! expected hash '${given.narHash}', got '${narHash}'`;
        throw new StoreError("hash-mismatch", message, { path });
      }
      const stored = await digestTree(tree, (sha256, contents) => void blobs.set(sha256, contents));
      const info = { path, narHash, narSize: size, references, signatures: [], ultimate: false };
      registrations.push({ info: { ...info, ...(deriver === undefined ? {} : { deriver }) }, tree: stored });
    }
    await this.register(registrations, (sha256) => blobs.get(sha256) as Uint8Array);
  }

  /** Adds signatures to a valid path, or takes all away (an empty list). */
  async setSignatures(path: StorePath, signatures: readonly string[]): Promise<void> {
    await this.#exclusive(() => {
      const info = this.requireInfo(path);
      return this.#commitIndex([{ ...info, signatures: [...new Set(signatures)].sort() }], [], {});
    });
  }

  // Deleting

  /**
   * Deletes paths that nothing outside of them needs, and the content that no path needs any more. With `keepDerivations`
   * a derivation is needed by the outputs made from it. Paths that are not valid count as deleted, as in Nix.
   * @throws StoreError "alive"
   */
  async delete(paths: readonly StorePath[], request: GcRequest = {}): Promise<GcResult> {
    return this.#exclusive(async () => {
      const going = new Set(paths);
      const { alive } = await this.#plan(request);
      for (const path of going) {
        if (!alive.has(path) && this.#user(path, going, request.keepDerivations ?? true) === undefined) continue;
        const message = `Cannot delete path '${path}' since it is still alive. To find out why, use: nix-store --query --roots and nix-store --query --referrers`;
        throw new StoreError("alive", message, { path });
      }
      return this.#deletePaths([...going]);
    });
  }

  /** Some path that stays and needs this one. */
  #user(path: StorePath, going: ReadonlySet<StorePath>, keepDerivations: boolean): StorePath | undefined {
    const referrer = this.#index.referrers(path).find((candidate) => !going.has(candidate));
    if (referrer !== undefined || !keepDerivations || !isDerivationPath(path)) return referrer;
    for (const info of this.#index.infos()) if (info.deriver === path && !going.has(info.path)) return info.path;
    return undefined;
  }

  /** What a collection would delete, and why the rest is alive. */
  planGc(request: GcRequest = {}): Promise<GcPlan> {
    return this.#plan(request);
  }

  /** Collects garbage. Runs under the writers' lock, so nothing that is being added is lost. */
  async collectGarbage(request: GcRequest = {}): Promise<GcResult> {
    return this.#exclusive(async () => {
      const { dead } = await this.#plan(request);
      const sizeOf = (path: StorePath) => this.info(path)?.narSize ?? 0;
      const going = request.maxFreed === undefined ? dead : limitDead(dead, sizeOf, request.maxFreed);
      return { ...(await this.#deletePaths(going)), stopped: going.length > 0 && going.length < dead.length };
    });
  }

  async #plan(request: GcRequest): Promise<GcPlan> {
    const keepOutputs = request.keepOutputs ?? false;
    const outputs = keepOutputs ? await this.#validOutputs() : new Map<StorePath, StorePath[]>();
    const roots = [...this.roots(), ...(await this.#temporaryRoots()), ...(request.extraRoots ?? [])];
    return planGc(this.#index, roots, {
      keepDerivations: request.keepDerivations ?? true,
      keepOutputs,
      outputsOf: (drvPath) => outputs.get(drvPath) ?? [],
    });
  }

  async #validOutputs(): Promise<Map<StorePath, StorePath[]>> {
    const outputs = new Map<StorePath, StorePath[]>();
    for (const path of this.#index.paths()) {
      if (!isDerivationPath(path)) continue;
      const derivation = await this.derivation(path);
      outputs.set(
        path,
        Array.from(derivation.outputs.values(), (output) => output.path).filter((out) => this.isValid(out)),
      );
    }
    return outputs;
  }

  /** First the paths go in one commit; then the blobs that nobody needs. A kill in between leaves only spare blobs. */
  async #deletePaths(paths: readonly StorePath[]): Promise<GcResult> {
    if (paths.length > 0) {
      const deletes = paths.map((path) => TREE + baseNameOf(path));
      await this.#commitIndex([], paths, { deletes });
    }
    return { deleted: paths, freed: await this.#sweepBlobs(), stopped: false };
  }

  async #sweepBlobs(): Promise<number> {
    const needed = new Set<string>();
    for (const tree of await this.#allTrees()) for (const sha256 of blobsOf(tree).keys()) needed.add(BLOB + sha256);
    const spare = (await this.#backing.keys(BLOB)).filter((key) => !needed.has(key));
    let freed = 0;
    for (let at = 0; at < spare.length; at += 500) {
      const deletes = spare.slice(at, at + 500);
      for (const bytes of await this.#backing.getMany(deletes)) freed += (bytes as Uint8Array | undefined)?.length ?? 0;
      await this.#backing.commit({ puts: [], deletes, expect: [], require: [] });
    }
    return freed;
  }

  async #allTrees(): Promise<FileTree[]> {
    return (await this.#backing.getMany(await this.#backing.keys(TREE))) as FileTree[];
  }

  // Checking

  /** Looks for paths with missing references, trees or blobs and, with `contents`, for content that has changed. */
  async verify(contents: boolean, onPath: (path: StorePath) => void = () => undefined): Promise<VerifyProblem[]> {
    const problems: VerifyProblem[] = [];
    for (const path of this.paths()) {
      onPath(path);
      problems.push(...(await this.verifyPath(path, contents)));
    }
    return problems;
  }

  /** The problems of one path. @throws StoreError "invalid-path" */
  async verifyPath(path: StorePath, contents: boolean): Promise<VerifyProblem[]> {
    const info = this.requireInfo(path);
    const lost = info.references.filter((reference) => !this.isValid(reference));
    if (lost.length > 0) {
      return lost.map((reference) =>
        problem(path, "missing-reference", `path '${path}' refers to '${reference}', which is not valid`),
      );
    }
    const tree = (await this.#backing.get(TREE + baseNameOf(path))) as FileTree | undefined;
    if (tree === undefined) return [this.#disappeared(path)];
    const keys = Array.from(blobsOf(tree).keys(), (sha256) => BLOB + sha256);
    const there = await this.#backing.existing(keys);
    const gone = keys.filter((key) => !there.has(key));
    if (gone.length > 0)
      return gone.map((key) => problem(path, "missing-blob", `path '${path}' lacks file content ${key}`));
    const real = await this.#backing.laidOut?.(baseNameOf(path));
    if (real === undefined && this.#backing.laidOut !== undefined) return [this.#disappeared(path)];
    return contents ? this.#verifyContents(info, real) : [];
  }

  #disappeared(path: StorePath): VerifyProblem {
    const isNeeded = this.#index.referrers(path).some((other) => other !== path);
    const rest = isNeeded ? "but it still has valid referrers!" : "removing from database...";
    return problem(path, isNeeded ? "missing-tree" : "removed", `path '${path}' disappeared, ${rest}`);
  }

  /** Forgets paths whose files are gone. */
  async forget(paths: readonly StorePath[]): Promise<void> {
    if (paths.length > 0) await this.#exclusive(() => this.#deletePaths(paths));
  }

  async #verifyContents(info: PathInfo, real: SourceTree | undefined): Promise<VerifyProblem[]> {
    const got = printHash(await (real === undefined ? this.#storedHash(info.path) : realHash(real)), "nix32", true);
    if (got === info.narHash) return [];
    return [
      problem(info.path, "modified", `path '${info.path}' was modified! expected hash '${info.narHash}', got '${got}'`),
    ];
  }

  async #storedHash(path: StorePath): Promise<Hash> {
    const digest = new StreamDigest();
    for await (const piece of this.nar(path)) digest.push(piece);
    return digest.finish();
  }

  /**
   * Puts the content of a damaged path back from a NAR that must have the path's own hash.
   * @throws StoreError "hash-mismatch", FormatError "nar"
   */
  async repairFromNar(path: StorePath, pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void> {
    const { tree, blobs } = await readCheckedNar(this.requireInfo(path), pieces);
    await this.#exclusive(() => {
      const puts: [string, StoredValue][] = [[TREE + baseNameOf(path), tree]];
      for (const sha256 of blobsOf(tree).keys()) puts.push([BLOB + sha256, ownBytes(blobs.get(sha256) as Uint8Array)]);
      return this.#commit({ puts }, { added: [path] });
    });
  }

  async optimiseReport(): Promise<OptimiseReport> {
    let files = 0;
    let bytesWithout = 0;
    const stored = new Map<string, number>();
    for (const tree of await this.#allTrees()) {
      for (const [, node] of treeFiles(tree)) {
        files++;
        bytesWithout += node.size;
        stored.set(node.blob, node.size);
      }
    }
    let bytesStored = 0;
    for (const size of stored.values()) bytesStored += size;
    return { files, blobs: stored.size, bytesWithout, bytesStored };
  }

  // Profiles and roots

  /** The profile of a name; an empty one when there is none. */
  profile(name: string): Profile {
    return this.#profiles.get(name) ?? emptyProfile(name);
  }

  profiles(): Profile[] {
    return [...this.#profiles.values()].sort((left, right) => (left.name < right.name ? -1 : 1));
  }

  /** Changes a profile by a pure function (profile.ts) in one commit of one key; gives the new one. */
  async updateProfile(name: string, change: (profile: Profile) => Profile): Promise<Profile> {
    return this.#exclusive(async () => {
      const before = this.profile(name);
      const after = change(before);
      if (after === before) return after;
      for (const { path } of after.generations) this.requireInfo(path);
      await this.#commit({ puts: [[PROFILE + name, after]] }, { profiles: [name] });
      this.#profiles.set(name, after);
      return after;
    });
  }

  async deleteProfile(name: string): Promise<void> {
    await this.#exclusive(async () => {
      await this.#commit({ deletes: [PROFILE + name] }, { profiles: [name] });
      this.#profiles.delete(name);
    });
  }

  /** Every permanent root: all generations of all profiles, then the links. */
  roots(): RootLink[] {
    const links: RootLink[] = [];
    for (const { name, generations } of this.profiles()) {
      for (const { number, path } of generations) links.push({ name: `${profilePath(name)}-${number}-link`, path });
    }
    return [...links, ...[...this.#roots.values()].sort((left, right) => (left.name < right.name ? -1 : 1))];
  }

  /** Makes a link a root (`result`); an existing one of that name is moved. */
  async addRoot(name: string, path: StorePath): Promise<void> {
    await this.#exclusive(async () => {
      this.requireInfo(path);
      await this.#commit({ puts: [[ROOT + name, { name, path }]] }, {});
      this.#roots.set(name, { name, path });
    });
  }

  async removeRoot(name: string): Promise<void> {
    await this.#exclusive(async () => {
      await this.#commit({ deletes: [ROOT + name] }, {});
      this.#roots.delete(name);
    });
  }

  /** Keeps paths (valid or still to come) from collections while some work runs, at most `seconds` without a renewal. */
  async holdTemporarily(owner: string, paths: readonly StorePath[], seconds = 3600): Promise<void> {
    await this.#exclusive(() => {
      const roots: TemporaryRoots = { owner, paths, until: this.#options.now() + seconds };
      return this.#backing.commit({ puts: [[TEMPORARY + owner, roots]], deletes: [], expect: [], require: [] });
    });
  }

  async releaseTemporary(owner: string): Promise<void> {
    await this.#exclusive(() => {
      return this.#backing.commit({ puts: [], deletes: [TEMPORARY + owner], expect: [], require: [] });
    });
  }

  async #temporaryRoots(): Promise<RootLink[]> {
    const now = this.#options.now();
    const all = (await this.#backing.getMany(await this.#backing.keys(TEMPORARY))) as (TemporaryRoots | undefined)[];
    return all.flatMap((roots) => {
      if (roots === undefined || roots.until < now) return [];
      return roots.paths.map((path) => ({ name: `{temp:${roots.owner}}`, path }));
    });
  }

  // Realisations and logs

  async realisation(id: string): Promise<Realisation | undefined> {
    return (await this.#backing.get(REALISATION + id)) as Realisation | undefined;
  }

  async addRealisations(realisations: readonly Realisation[]): Promise<void> {
    const puts = realisations.map((item): [string, StoredValue] => [REALISATION + item.id, item]);
    await this.#exclusive(() => this.#commit({ puts }, {}));
  }

  async addLog(drvPath: StorePath, log: Uint8Array): Promise<void> {
    await this.#backing.commit({ puts: [[LOG + baseNameOf(drvPath), log]], deletes: [], expect: [], require: [] });
  }

  async log(drvPath: StorePath): Promise<Uint8Array | undefined> {
    return (await this.#backing.get(LOG + baseNameOf(drvPath))) as Uint8Array | undefined;
  }

  // Writing

  /** One writer at a time: in this Store by a queue, across tabs by the lock; the index is fresh when the body runs. */
  #exclusive<Result>(body: () => Promise<Result>): Promise<Result> {
    const lock = this.#options.lock ?? ((inner: () => Promise<Result>) => inner());
    const run = this.#queue.then(() =>
      lock(async () => {
        await this.refresh();
        return body();
      }),
    );
    this.#queue = run.catch(() => undefined);
    return run;
  }

  /** Commits changed and removed infos with what belongs to them; the index in memory follows when it has succeeded. */
  async #commitIndex(infos: readonly PathInfo[], removed: readonly StorePath[], rest: Partial<Batch>): Promise<void> {
    const change = this.#index.change(infos, removed);
    const puts = [...(rest.puts ?? [])];
    const deletes = [...(rest.deletes ?? [])];
    for (const [number, chunk] of change.chunks) {
      if (chunk === undefined) deletes.push(INDEX + number);
      else puts.push([INDEX + number, chunk]);
    }
    await this.#commit({ ...rest, puts, deletes }, { added: infos.map(({ path }) => path), removed }, change.apply);
  }

  async #commit(batch: Partial<Batch>, change: Partial<StoreChange>, apply?: () => void): Promise<void> {
    const sequence = this.sequence + 1;
    await this.#backing.commit({
      puts: [...(batch.puts ?? []), [SEQUENCE, sequence], [SCHEMA, SCHEMA_VERSION]],
      deletes: batch.deletes ?? [],
      expect: [...(batch.expect ?? []), [SEQUENCE, this.#sequence]],
      require: batch.require ?? [],
    });
    this.#sequence = sequence;
    apply?.();
    this.#options.onCommit?.({ sequence, added: [], removed: [], profiles: [], ...change });
  }
}

/** An in-memory tree as it would be registered: computing nothing twice and touching no store. */
export async function describeTree(
  name: ByteString,
  tree: SourceTree,
  method: ContentMethod,
  algorithm: Hash["algorithm"],
  references: PathReferences,
  storeDir: string,
): Promise<{ info: Registration["info"]; stored: FileTree; blobs: Map<string, Uint8Array> }> {
  const blobs = new Map<string, Uint8Array>();
  const [nar, stored] = await Promise.all([
    digestNar(tree),
    digestTree(tree, (sha256, contents) => void blobs.set(sha256, contents)),
  ]);
  const hash = knownHash(method, algorithm, nar.hash, stored) ?? contentHash(tree, method, algorithm);
  const address = { method, hash };
  const path = makeContentPath(address, name, references, storeDir);
  const info = {
    path,
    narHash: printHash(nar.hash, "nix32", true),
    narSize: nar.size,
    references: sortPaths(new Set([...references.others, ...(references.self ? [path] : [])])),
    ca: printContentAddress(address),
    signatures: [],
    ultimate: false,
  };
  return { info, stored, blobs };
}

/** The hash of a content address when it is one of those that registering needs anyway. */
function knownHash(
  method: ContentMethod,
  algorithm: Hash["algorithm"],
  narHash: Hash,
  stored: FileTree,
): Hash | undefined {
  if (algorithm !== "sha256" || method === "git") return undefined;
  if (method === "nar") return narHash;
  return stored.type === "regular" ? { algorithm, bytes: decodeBase16(stored.blob) as Uint8Array } : undefined;
}

/** The hash that a content address has for a tree. @throws FormatError "content-address" when the tree is no single file */
export function contentHash(tree: SourceTree, method: ContentMethod, algorithm: Hash["algorithm"]): Hash {
  if (method === "nar") return hashNar(tree, algorithm).hash;
  if (method === "git") return gitTreeHash(tree, algorithm);
  if (tree.type !== "regular") throw new FormatError("content-address", "only a regular file has a flat hash");
  return hashOf(algorithm, tree.contents);
}

/** Git's object hash of a file or a directory (no links to submodules here). */
function gitTreeHash(tree: SourceTree, algorithm: Hash["algorithm"]): Hash {
  if (tree.type === "regular") return gitObject("blob", fromBytes(tree.contents), algorithm);
  if (tree.type === "symlink") return gitObject("blob", tree.target, algorithm);
  const entries = Array.from(tree.entries, ([name, node]) => {
    const mode =
      node.type === "directory" ? "40000" : node.type === "symlink" ? "120000" : node.executable ? "100755" : "100644";
    // Git sorts directories as if their names ended in "/".
    return {
      key: node.type === "directory" ? `${name}/` : name,
      text: `${mode} ${name}\0${fromBytes(gitTreeHash(node, algorithm).bytes)}`,
    };
  });
  entries.sort((left, right) => (left.key < right.key ? -1 : 1));
  return gitObject("tree", entries.map(({ text }) => text).join(""), algorithm);
}

function gitObject(kind: string, content: ByteString, algorithm: Hash["algorithm"]): Hash {
  return hashOf(algorithm, `${kind} ${content.length}\0${content}`);
}

/** A NAR's tree and contents, once hash and size are what the info says. */
async function readCheckedNar(
  info: Pick<PathInfo, "path" | "narHash" | "narSize" | "ca" | "references">,
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<{ tree: FileTree; blobs: Map<string, Uint8Array> }> {
  const reader = new PieceReader(narGrammar((contents) => ({ contents })));
  const digest = new StreamDigest();
  for await (const piece of pieces) {
    digest.push(piece);
    reader.push(piece);
  }
  const source = reader.finish();
  const got = printHash(await digest.finish(), "nix32", true);
  const size = digest.size;
  const { path, narHash, narSize } = info;
  if (got !== narHash) {
    const message = `hash mismatch importing path '${path}';\n  specified: ${narHash}\n  got:       ${got}`;
    throw new StoreError("hash-mismatch", message, { path, specified: narHash, got });
  }
  if (size !== narSize) {
    const message = `size mismatch importing path '${path}';\n  specified: ${narSize}\n  got:       ${size}`;
    throw new StoreError("hash-mismatch", message, { path, specified: narSize, got: size });
  }
  checkContentAddress(info, source);
  const blobs = new Map<string, Uint8Array>();
  const tree = await digestTree(source, (sha256, contents) => void blobs.set(sha256, contents));
  return { tree, blobs };
}

/** A content address is only worth what the content has. */
function checkContentAddress({ path, ca, references }: Pick<PathInfo, "path" | "ca" | "references">, tree: SourceTree) {
  if (ca === undefined) return;
  const wanted = parseContentAddress(ca);
  const { method, hash } = wanted;
  const got =
    method === "nar" && references.includes(path)
      ? hashModulo(encodeNar(tree), hash.algorithm, hashPartOf(path))
      : contentHash(tree, method, hash.algorithm);
  if (equalHashes(hash, got)) return;
  const shown = printContentAddress({ method, hash: got });
  const message = `ca hash mismatch importing path '${path}';\n  specified: ${ca}\n  got:       ${shown}`;
  throw new StoreError("hash-mismatch", message, { path, specified: ca, got: shown });
}

/** A view must not drag its whole buffer into the database. */
function ownBytes(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();
}

function* treeFiles(tree: FileTree): Generator<readonly [string, FileTree & BlobReference]> {
  const pending: FileTree[] = [tree];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (node.type === "directory") pending.push(...node.entries.values());
    else if (node.type === "regular") yield [node.blob, node];
  }
}

async function realHash(tree: SourceTree): Promise<Hash> {
  return (await digestNar(tree)).hash;
}

function problem(path: StorePath, kind: VerifyProblem["kind"], message: string): VerifyProblem {
  return { path, kind, message };
}

function fill<Value extends { readonly name: string }>(map: Map<string, Value>, values: readonly Value[]): void {
  map.clear();
  for (const value of values) map.set(value.name, value);
}
