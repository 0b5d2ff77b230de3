/**
 * Taking in and taking home, behind the panels Sources and Take home. Each piece of work runs in a worker of its own, one at a time, and
 * can be cancelled; what it leaves behind is the whole of its result or nothing. Only `addAddress` reaches another host.
 */
import type { OnProgress, SourcePin, SourceRecord } from "#workers/api.ts";
import { download, fetchAsset, openLibrary, proxy, transfer } from "#workers/client.ts";
import { formatBytes, plural } from "../format.ts";
import { isSourceName, sourceNameOf } from "../source-name.ts";
import { type TransferKind, transferStore } from "../transfer.ts";
import { importArchive, pageRecords, saveTitled } from "./archiving.ts";
import { type Context, codeOf, messageOf, notifyFull } from "./context.ts";
import type { EvaluationService } from "./evaluation.ts";
import type { MachineService } from "./machining.ts";
import type { WorkspaceService } from "./workspaces.ts";

export interface TransferDependencies {
  readonly workspaces: WorkspaceService;
  readonly evaluation: EvaluationService;
  readonly machining: () => MachineService;
  /** Opens a workspace with its own machine. */
  readonly enter: (record: Parameters<WorkspaceService["open"]>[0]) => Promise<void>;
  /** Reads how far each lesson is. */
  readonly loadLessons: () => Promise<void>;
}

export interface TransferActions {
  /** Reads what the browser has. */
  refresh(): Promise<void>;
  cancel(): void;
  /** Unpacks an archive, keeps it and lets the workspace use it; `pin`: it must be that one. */
  addFile(file: File, pin?: SourcePin): Promise<void>;
  /** The same with what lies at an address. */
  addAddress(address: string, pin?: SourcePin): Promise<void>;
  /** Lets the workspace use a set that is here. */
  use(record: SourceRecord): void;
  /** Another name, or another use as nixpkgs; false when the name cannot be. */
  changePin(pin: SourcePin, change: Partial<Pick<SourcePin, "name" | "nixpkgs">>): boolean;
  removePin(pin: SourcePin): void;
  /** Keeps a binary cache, from an archive or a folder, for builds to take from. */
  addCache(files: readonly File[]): Promise<void>;
  /** Trusts a key for a cache; what is wrong with it, or null. */
  trustKey(id: string, key: string): Promise<string | null>;
  removeCache(id: string): Promise<void>;
  /** Saves the whole workspace as one file: store, generations, machine, package sets. */
  saveArchive(): Promise<void>;
  /** Makes a workspace of such a file, and opens it; all of it or nothing. */
  openArchive(file: File): Promise<void>;
  /** Saves the files, the package sets and what evaluates them for real Nix. */
  takeHome(): Promise<void>;
  /** Saves the closure of the generation that starts next, for `nix-store --import`. */
  saveClosure(): Promise<void>;
  /** Saves it as a container image. */
  saveImage(): Promise<void>;
  /** Measures what each workspace takes. */
  measure(): Promise<void>;
  /** Deletes an unpacked set from this browser. */
  deleteSource(narHash: string): Promise<void>;
}

/** How many times its own size an archive takes when it is here, at most times. */
const UNPACKED = 4;

/** @throws Error when the browser says that there is less room than this, in bytes */
async function needRoom(bytes: number): Promise<void> {
  const { usage = 0, quota = Infinity } = (await navigator.storage?.estimate?.().catch(() => undefined)) ?? {};
  if (quota - usage >= bytes) return;
  const free = formatBytes(Math.max(0, quota - usage));
  throw new Error(
    `There is room for ${free}, and this takes about ${formatBytes(bytes)}. What takes space is listed here.`,
  );
}

/** Milliseconds that a guest may take to write what it holds back. */
const PATIENCE = 5000;

/** Resolves when the machine has written what it was about to; one that is off, or does not answer, has nothing to wait for. */
async function written(machining: MachineService): Promise<void> {
  const syncing = machining.api()?.exec({ argv: ["sync"] });
  const patience = new Promise((resolve) => setTimeout(resolve, PATIENCE));
  await Promise.race([syncing, patience]).catch(() => undefined);
}

type TransferApi = Parameters<Parameters<typeof transfer>[0]>[0];

/** The name of a system's store path, as an image may be called. */
const nameOf = (path: string): string => path.replace(/^.*?-/, "").replaceAll(/[^a-z0-9.-]/g, "-");

let running: AbortController | null = null;

export function createTransferring(context: Context, dependencies: TransferDependencies): TransferActions {
  const { page } = context;
  const { workspaces } = dependencies;
  const set = transferStore.setState;

  /** Runs the one piece of work; what goes wrong becomes its report. */
  const work = async (
    kind: TransferKind,
    text: string,
    run: (signal: AbortSignal, onProgress: OnProgress) => Promise<string>,
  ) => {
    if (transferStore.getState().work !== null) return;
    const controller = new AbortController();
    running = controller;
    set({ work: { kind, text, fraction: null }, report: null });
    const onProgress: OnProgress = (now, fraction) => {
      if (running === controller) set({ work: { kind, text: now, fraction } });
    };
    try {
      const report = await run(controller.signal, proxy(onProgress));
      set({ work: null, report: { kind, tone: "good", text: report } });
    } catch (error) {
      if (codeOf(error) === "quota") notifyFull(page);
      const message = controller.signal.aborted ? "Cancelled. Nothing was kept." : messageOf(error);
      set({ work: null, report: { kind, tone: "bad", text: message } });
    } finally {
      running = null;
    }
  };

  const refresh = async () => {
    const library = await openLibrary();
    set({ sources: await library.sourceRecords() });
    if (transferStore.getState().caches === null) await refreshCaches();
  };

  const refreshCaches = async () => {
    set({ caches: await transfer((api) => api.caches(), new AbortController().signal) });
  };

  const pins = () => page.getState().workspace.sources ?? [];
  const setPins = (sources: readonly SourcePin[]) => workspaces.edit((workspace) => ({ ...workspace, sources }));

  /** A pin of that set under a name that is free. */
  const pinned = ({ narHash, title }: SourceRecord, url: string | null): SourcePin => {
    const wanted = sourceNameOf(title);
    const taken = new Set(pins().map(({ name }) => name));
    let name = wanted;
    for (let count = 2; taken.has(name); count++) name = `${wanted}-${count}`;
    return { name, narHash, url, nixpkgs: name === "nixpkgs" };
  };

  /** After a set came in: for the pin that waited for it, or as a new one. */
  const use = (record: SourceRecord, url: string | null) => {
    const there = pins().some(({ narHash }) => narHash === record.narHash);
    setPins(there ? [...pins()] : [...pins(), pinned(record, url)]);
  };

  const take = async (
    archive: Blob,
    title: string,
    url: string | null,
    pin: SourcePin | undefined,
    signal: AbortSignal,
    onProgress: OnProgress,
  ) => {
    const record = await transfer(
      (api) => api.addSource(archive, title, pin?.narHash ?? null, Date.now(), onProgress),
      signal,
    );
    await refresh();
    use(record, url);
    const name = pins().find(({ narHash }) => narHash === record.narHash)?.name;
    return `<${name}> is ready: ${plural(record.files, "file")}.`;
  };

  /** Saves something of the generation that starts next. */
  const exported = (
    extension: string,
    command: string,
    make: (api: TransferApi, root: string, onProgress: OnProgress) => Promise<Blob>,
  ) =>
    work("export", "Packing", async (signal, onProgress) => {
      const { current, generations } = await context.store.api.profile();
      const root = generations.find(({ number }) => number === current)?.path;
      if (root === undefined) throw new Error("There is no generation yet: build one first.");
      const blob = await transfer((api) => make(api, root, onProgress), signal);
      const name = saveTitled(blob, page.getState().workspace.title, extension);
      return `${name}: ${formatBytes(blob.size)}. “${command} < ${name}” takes it in.`;
    });

  return {
    refresh,
    cancel: () => running?.abort(),
    addFile: (file, pin) =>
      work("source", `Reading ${file.name}`, (signal, onProgress) =>
        take(file, file.name, pin?.url ?? null, pin, signal, onProgress),
      ),
    addAddress: (address, pin) =>
      work("source", "Downloading", async (signal, onProgress) => {
        const { archive, url } = await download((api) => api.fetchArchive(address.trim(), onProgress), signal);
        return take(archive, address.trim(), url, pin, signal, onProgress);
      }),
    use: (record) => use(record, null),
    changePin(pin, change) {
      const { name = pin.name } = change;
      if (!isSourceName(name) || pins().some((other) => other !== pin && other.name === name)) return false;
      // One set at most is nixpkgs.
      const others = (other: SourcePin) => (change.nixpkgs ? { ...other, nixpkgs: false } : other);
      setPins(
        pins().map((other) =>
          other.narHash === pin.narHash && other.name === pin.name ? { ...pin, ...change } : others(other),
        ),
      );
      return true;
    },
    removePin: (pin) => setPins(pins().filter((other) => other.name !== pin.name)),
    addCache: (files) =>
      work("cache", "Reading", async (signal, onProgress) => {
        const folder = files[0].webkitRelativePath.split("/")[0];
        const title = files.length === 1 ? files[0].name : folder || "folder";
        const given = files.map((file) => ({ path: file.webkitRelativePath || file.name, contents: file }));
        const record = await transfer((api) => api.addCache(given, title, Date.now(), onProgress), signal);
        await refreshCaches();
        return `${title}: ${plural(record.paths, "path")} to take instead of building.`;
      }),
    async trustKey(id, key) {
      try {
        const trimmed = key.trim();
        await transfer((api) => api.trustKey(id, trimmed === "" ? null : trimmed), new AbortController().signal);
        await refreshCaches();
        return null;
      } catch (error) {
        return messageOf(error);
      }
    },
    removeCache: (id) =>
      work("cache", "Deleting", async (signal) => {
        await transfer((api) => api.removeCache(id), signal);
        await refreshCaches();
        return "It is gone from this browser.";
      }),
    saveArchive: () =>
      work("archive", "Packing", async (signal, onProgress) => {
        await workspaces.flush();
        await written(dependencies.machining());
        const { id, title } = page.getState().workspace;
        const records = await pageRecords(context);
        const archive = await transfer((api) => api.exportWorkspace(id, records, onProgress), signal);
        const name = saveTitled(archive, title, "terrarium.tar.gz");
        return `${name}: ${formatBytes(archive.size)}. Opened elsewhere, it is this workspace again.`;
      }),
    openArchive: (file) =>
      work("archive", `Reading ${file.name}`, async (signal, onProgress) => {
        await needRoom(file.size * UNPACKED);
        const record = await importArchive(context, file, signal, onProgress);
        await refresh();
        await workspaces.load();
        await dependencies.enter(record);
        await dependencies.loadLessons();
        return `“${record.title}” is here, with every path checked.`;
      }),
    takeHome: () =>
      work("export", "Packing", async (signal, onProgress) => {
        const outcome = await dependencies.evaluation.settled();
        const expected = outcome?.ok ? outcome.outPath : null;
        const { title } = page.getState().workspace;
        const library = await openLibrary();
        const channel = await library.channelParts(fetchAsset);
        const { workspace } = await pageRecords(context);
        const zip = await transfer((api) => api.takeHome(workspace, channel, expected, onProgress), signal);
        return `${saveTitled(zip, title, "zip")}: ${formatBytes(zip.size)}. Its README has the one line to type.`;
      }),
    saveClosure: () =>
      exported("nar", "nix-store --import", (api, root, onProgress) =>
        api.exportClosure(page.getState().workspace.id, root, onProgress),
      ),
    saveImage: () =>
      exported("oci.tar", "docker load", (api, root, onProgress) =>
        api.exportImage(page.getState().workspace.id, root, `${nameOf(root)}:latest`, onProgress),
      ),
    async measure() {
      const ids = (await workspaces.list()).map(({ id }) => id);
      set({ sizes: await transfer((api) => api.storeSizes(ids), new AbortController().signal) });
    },
    deleteSource: (narHash) =>
      work("source", "Deleting", async (signal) => {
        await transfer((api) => api.removeSource(narHash), signal);
        await refresh();
        return "It is gone from this browser.";
      }),
  };
}
