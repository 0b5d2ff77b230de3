/**
 * The store worker: the only writer of the open workspace's store, and where every command line runs. Rejections are plain
 * `WorkerProblem`s, because Error objects lose their fields on the way.
 */
import * as Comlink from "comlink";
import { type UseStore, createStore, del, entries, set } from "idb-keyval";
import { BuildError, type Builder } from "#engine/build/builder.ts";
import { nixosRebuild, profileLinks } from "#engine/commands/nixos-rebuild.ts";
import { encodeUtf8 } from "#engine/store/format/bytes.ts";
import { provideDigests } from "#engine/store/format/hash.ts";
import { StoreError } from "#engine/store/error.ts";
import { closure } from "#engine/store/graph.ts";
import type { RootLink } from "#engine/store/gc.ts";
import { type SourceTree, blobsOf, mapTree } from "#engine/store/format/tree.ts";
import { annotate, deleteGenerations, generationsToDelete } from "#engine/store/profile.ts";
import { Store } from "#engine/store/store.ts";
import { activeUnits, diffSystems } from "#engine/system/diff-systems.ts";
import { readSystem } from "#engine/system/read-system.ts";
import { vmBuilder } from "../machine/builder.ts";
import {
  type CommandServices,
  type ProfileRecord,
  type RealiseOutcome,
  STORE_CHANNEL,
  type StoreNews,
  type StoreServices,
  type StoreWorker,
  type SystemChange,
  type WorkerProblem,
  storeDatabase,
} from "../api.ts";
import { register } from "./adding.ts";
import { commandContext } from "./commands.ts";
import { browserDigest } from "./hashing.ts";
import { createDrafts } from "./drafts.ts";
import { openIdb } from "./idb.ts";
import { packageCache, packageKeys } from "./package-cache.ts";
import { derivationRecord, detail, overview, readFile, summaries, whyDepends } from "./looking.ts";
import { realiseDerivation, wouldStartBuilder } from "./realising.ts";
import { PROFILE, rebuildHost } from "./rebuilding.ts";
import { withUploads } from "./uploads.ts";

provideDigests(browserDigest);

const origin = crypto.randomUUID();
const news = new BroadcastChannel(STORE_CHANNEL);
const records: UseStore = createStore("terrarium", "records");

interface Open {
  readonly workspace: string;
  readonly store: Store;
  /** What the machine runs on, by link name below /run. */
  readonly running: Map<string, string>;
}

let services: StoreServices;
let open: Open | undefined;
let cancel = new AbortController();
let builder: Builder;

function current(): Open {
  if (open === undefined) throw new StoreError("usage", "no workspace is open");
  return open;
}

const now = () => Math.floor(Date.now() / 1000);
const extraRoots = (): RootLink[] => [...current().running].map(([name, path]) => ({ name: `/${name}`, path }));
const drafts = createDrafts(extraRoots);
const fetchSeed = (url: string) => services.seed(url);
const packages = withUploads(packageCache(fetchSeed), packageKeys);

async function openStore(workspace: string): Promise<void> {
  if (open?.workspace === workspace) return;
  cancel.abort();
  cancel = new AbortController();
  const name = storeDatabase(workspace);
  const store = await Store.open(openIdb(name), {
    now,
    lock: (body) => navigator.locks.request(name, body) as ReturnType<typeof body>,
    onCommit: ({ sequence, profiles }) => {
      const message: StoreNews = { sequence, origin, workspace, profiles };
      news.postMessage(message);
    },
  });
  drafts.forget();
  open = { workspace, store, running: new Map() };
}

async function realise(drvPath: string, onEvent: Parameters<StoreWorker["realise"]>[1]): Promise<RealiseOutcome> {
  cancel = new AbortController();
  return realiseDerivation({ store: current().store, builder, packages, signal: cancel.signal }, drvPath, onEvent);
}

type UnitStates = Parameters<StoreWorker["preview"]>[3];

async function change(from: string, to: string, states: UnitStates = []): Promise<SystemChange> {
  const { store } = current();
  const reader = {
    tree: (path: string) => store.tree(path),
    blob: (sha256: string) => store.blob(sha256),
    closure: async (path: string) =>
      [...closure(store.index, [path])].map((member) => ({ path: member, narSize: store.requireInfo(member).narSize })),
  };
  const [before, after] = await Promise.all([readSystem(from, reader), readSystem(to, reader)]);
  const { newBytes, closureDelta, units, etc, packages, users, others } = diffSystems(
    before,
    after,
    activeUnits(before, states),
  );
  return {
    newBytes,
    closureDelta,
    units: units.map(({ name, action, detail: reason }) => ({ name, action, reason })),
    etc,
    packages,
    users,
    others,
  };
}

function profileRecord(): ProfileRecord {
  const profile = current().store.profile(PROFILE);
  return {
    current: profile.current ?? null,
    generations: profile.generations.map(({ number, path, created, label, note, pinned }) => ({
      number,
      path,
      created,
      label: label ?? "",
      note: note ?? "",
      pinned: pinned ?? false,
    })),
    links: profileLinks(profile),
  };
}

/** Loaded with the first command: nothing that the page shows by itself needs them. */
const commandTable = async () => (await import("#engine/commands/table.ts")).COMMANDS;

async function run(argv: readonly string[], given: CommandServices): Promise<number> {
  cancel = new AbortController();
  const { store } = current();
  const [program, ...args] = argv;
  if (program === "nixos-rebuild") {
    return nixosRebuild(
      args,
      rebuildHost({ store, services: given, builder, packages, signal: cancel.signal, fetch: fetchSeed }),
    );
  }
  if (program === "nix-instantiate") return instantiate(argv, given);
  const command = (await commandTable()).find(({ name }) => name === program);
  if (command === undefined) {
    given.err(`${program}: command not found\n`);
    return 127;
  }
  const environment = {
    store,
    services: given,
    builder,
    packages,
    signal: cancel.signal,
    fetch: fetchSeed,
    extraRoots,
  };
  return command.run(args.map(encodeUtf8), commandContext(environment));
}

/** The evaluator prints; what it instantiated is registered here. */
async function instantiate(argv: readonly string[], given: CommandServices): Promise<number> {
  const { exitCode, stdout, stderr, items } = await given.evaluate(argv);
  await register(current().store, items, fetchSeed);
  given.err(stderr);
  given.out(stdout);
  return exitCode;
}

const worker: StoreWorker = {
  async start(given) {
    services = given;
    builder = vmBuilder({ build: given.build, cancelBuild: given.cancelBuild });
    return origin;
  },
  open: openStore,
  async destroy(workspace) {
    if (open?.workspace === workspace) open = undefined;
    await deleteDatabase(storeDatabase(workspace));
    await deleteDatabase(`terrarium-machine-${workspace}`);
  },

  async records(prefix) {
    return (await entries<string, unknown>(records)).filter(([key]) => key.startsWith(prefix));
  },
  putRecord: (key, value) => set(key, value, records),
  deleteRecord: (key) => del(key, records),

  register: (items) => drafts.during(() => register(current().store, items, fetchSeed)),
  realise: (drvPath, onEvent) => drafts.during(() => realise(drvPath, onEvent)),
  async cancelRealise() {
    cancel.abort();
  },
  preview(from, drvPath, items, states) {
    const { store } = current();
    return drafts.look(store, async (keep) => {
      keep(drvPath);
      await register(store, items, fetchSeed);
      if (await wouldStartBuilder(store, drvPath)) return null;
      const environment = { store, builder, packages, signal: new AbortController().signal };
      const outcome = await realiseDerivation(environment, drvPath, () => undefined);
      if (!outcome.ok) return null;
      keep(outcome.outputs.out);
      return change(from, outcome.outputs.out, states);
    });
  },
  async valid(paths) {
    return paths.filter((path) => current().store.isValid(path));
  },

  async closure(root) {
    return summaries(current().store, root);
  },
  detail: (path) => detail(current().store, path),
  whyDepends: (from, to) => whyDepends(current().store, from, to),
  readFile: (path) => readFile(current().store, path),
  async storePath(path) {
    const { store } = current();
    const info = store.info(path);
    if (info === undefined) return undefined;
    return { references: info.references, tree: await loaded(store, path) };
  },
  derivation: (drvPath) => derivationRecord(current().store, drvPath),
  change: (from, to) => change(from, to),

  profile: async () => profileRecord(),
  async annotate(number, marks) {
    await current().store.updateProfile(PROFILE, (profile) => annotate(profile, number, marks));
  },
  async deleteGenerations(numbers) {
    await current().store.updateProfile(PROFILE, (profile) =>
      deleteGenerations(profile, generationsToDelete(profile, numbers.map(String), now())),
    );
  },
  async setRoot(name, path) {
    if (path === null) current().running.delete(name);
    else current().running.set(name, path);
  },

  overview: () => overview(current().store, extraRoots()),
  async collect() {
    const { deleted, freed } = await current().store.collectGarbage({ extraRoots: extraRoots() });
    return { deleted: deleted.length, freed };
  },
  async verify(onProgress) {
    const { store } = current();
    let seen = 0;
    const total = Math.max(1, store.index.size);
    const problems = await store.verify(true, () => onProgress(++seen / total));
    return problems.map(({ message }) => message);
  },

  run: (argv, given) => drafts.during(() => run(argv, given)),
  async commands() {
    const table = await commandTable();
    return [
      { name: "nixos-rebuild", doc: "build, switch to and roll back the machine's configuration" },
      { name: "nix-instantiate", doc: "evaluate an expression, or make its derivations" },
      ...table.map(({ name, doc }) => ({ name, doc })),
    ];
  },
};

/** A path's tree with every content in memory, for an evaluation that reads it. */
async function loaded(store: Store, path: string): Promise<SourceTree> {
  const tree = await store.tree(path);
  const blobs = await Promise.all(
    [...blobsOf(tree).keys()].map(async (blob) => [blob, await store.blob(blob)] as const),
  );
  const contents = new Map(blobs);
  return mapTree(tree, ({ blob }) => ({ contents: contents.get(blob) as Uint8Array }));
}

function deleteDatabase(name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(name);
    request.onsuccess = () => resolve();
    request.onerror = () => reject(request.error ?? new Error(`could not delete ${name}`));
    // Another tab has it open; it goes when that tab does.
    request.onblocked = () => resolve();
  });
}

function problem(error: unknown): WorkerProblem {
  if (error instanceof StoreError || error instanceof BuildError) return { code: error.code, message: error.message };
  if (error instanceof DOMException && error.name === "QuotaExceededError")
    return { code: "quota", message: error.message };
  if (typeof error === "object" && error !== null && "code" in error && "message" in error) {
    return { code: String(error.code), message: String(error.message) };
  }
  // What a service of the page rejects with arrives as an Error with its name alone.
  if (error instanceof Error && error.name === "PowerCut") return { code: "cut", message: error.message };
  console.error(error);
  return { code: "bug", message: error instanceof Error ? error.message : String(error) };
}

type Method = (...args: never[]) => Promise<unknown>;

const guarded = (method: Method): Method =>
  async function (...args) {
    try {
      return await method(...args);
    } catch (error) {
      throw problem(error);
    }
  };

Comlink.expose(
  Object.fromEntries(
    Object.entries(worker as unknown as Record<string, Method>).map(([name, method]) => [name, guarded(method)]),
  ),
);
