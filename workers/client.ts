/**
 * The page's side of the workers: starting them, calling them, ending them. A call that must be stopped is stopped by ending its worker
 * and starting another, which is the only way out of a synchronous evaluation.
 */
import * as Comlink from "comlink";
import { channelUrl, seeds, teachingUrl } from "virtual:samples";
import wasmUrl from "v86/build/v86.wasm?url";
import biosUrl from "./guest/bios/seabios.bin?url";
import vgaBiosUrl from "./guest/bios/vgabios.bin?url";
import type {
  DownloadWorker,
  EvaluatorServices,
  EvaluatorWorker,
  MachineWorker,
  StoreServices,
  StoreWorker,
  TransferWorker,
} from "./api.ts";
import type { Machine, MachineImages, MachineListener } from "./machine/types.ts";
import { type SampleFile, type SeedTree, readSamples } from "./samples.ts";

export type { LessonCheck, LessonCondition } from "#engine/system/lesson.ts";
export type { SampleFile } from "./samples.ts";
export const { proxy } = Comlink;

/** A running worker: its remote interface, and the end of it. */
export interface Client<Api> {
  readonly api: Comlink.Remote<Api>;
  terminate(): void;
}

export interface Teaching {
  readonly files: readonly SampleFile[];
  readonly parseLesson: typeof import("#engine/system/lesson.ts").parseLesson;
}

/** How long a worker may take to say anything at all; one that a header forbids to start says nothing, ever. */
const START_TIMEOUT = 60_000;

export class WorkerStartError extends Error {
  override readonly name = "WorkerStartError";
}

function client<Api>(worker: Worker): Client<Api> & { failed: Promise<never> } {
  const failed = new Promise<never>((_, reject) => {
    worker.addEventListener("error", (event) =>
      reject(new WorkerStartError(event.message || "The worker did not start.")),
    );
  });
  failed.catch(() => undefined);
  return {
    api: Comlink.wrap<Api>(worker),
    failed,
    terminate: () => worker.terminate(),
  };
}

/** The answer of a worker's first call, or an error when it cannot start. */
async function started<T>(what: string, call: Promise<T>, failed: Promise<never>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new WorkerStartError(`The ${what} does not answer.`)), START_TIMEOUT);
  });
  try {
    return await Promise.race([call, failed, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Fetches a file the page was built with. */
export async function fetchAsset(url: string): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`Could not load ${url}: ${response.status} ${response.statusText}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** The channel as packed, for the evaluator. */
export const loadChannel = () => fetchAsset(channelUrl);

/** Examples and lessons, and how a lesson is read. */
export async function loadTeaching(): Promise<Teaching> {
  const [archive, { parseLesson }] = await Promise.all([fetchAsset(teachingUrl), import("#engine/system/lesson.ts")]);
  return { files: readSamples(archive), parseLesson };
}

/** The worker's own script loads while the archive does. */
export async function startEvaluator(
  archive: Promise<Uint8Array>,
  services: EvaluatorServices,
): Promise<Client<EvaluatorWorker>> {
  const worker = client<EvaluatorWorker>(
    new Worker(new URL("./evaluator/evaluator-worker.ts", import.meta.url), { type: "module", name: "evaluator" }),
  );
  await started(
    "evaluator",
    archive.then((bytes) => worker.api.start(bytes, proxy(services))),
    worker.failed,
  );
  return worker;
}

/** The store's worker, and the name under which its commits are told to every tab. */
export async function startStore(services: StoreServices): Promise<Client<StoreWorker> & { origin: string }> {
  const worker = client<StoreWorker>(
    new Worker(new URL("./store/store-worker.ts", import.meta.url), { type: "module", name: "store" }),
  );
  const origin = await started("store", worker.api.start(proxy(services)), worker.failed);
  return { ...worker, origin };
}

/** Runs one piece of work in a transfer worker of its own; the signal ends that worker in its midst. */
export const transfer = <T>(
  work: (api: Comlink.Remote<TransferWorker>) => Promise<T>,
  signal: AbortSignal,
): Promise<T> =>
  once(
    new Worker(new URL("./transfer/transfer-worker.ts", import.meta.url), { type: "module", name: "transfer" }),
    work,
    signal,
  );

/** The same with the worker that may reach other hosts: only ever because the visitor pressed for it. */
export const download = <T>(
  work: (api: Comlink.Remote<DownloadWorker>) => Promise<T>,
  signal: AbortSignal,
): Promise<T> =>
  once(
    new Worker(new URL("./transfer/download-worker.ts", import.meta.url), { type: "module", name: "download" }),
    work,
    signal,
  );

async function once<Api, T>(
  worker: Worker,
  work: (api: Comlink.Remote<Api>) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const { api, failed, terminate } = client<Api>(worker);
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(new DOMException("Cancelled.", "AbortError")), { once: true });
  });
  aborted.catch(() => undefined);
  try {
    signal.throwIfAborted();
    return await Promise.race([work(api), failed, aborted]);
  } finally {
    terminate();
  }
}

/** The library of package sets, for the evaluator. Its code loads when a workspace uses one. */
export const openLibrary = () => import("./transfer/page-library.ts");

/** A machine worker that holds no machine yet: call `create`. */
export function startMachine(): Client<MachineWorker> {
  return client<MachineWorker>(
    new Worker(new URL("./machine/machine-worker.ts", import.meta.url), { type: "module", name: "machine" }),
  );
}

/** The state image; without one a machine starts cold. */
const [stateUrl] = Object.values(
  import.meta.glob<string>("./guest/build/state.bin.zst", { query: "?url", import: "default", eager: true }),
);

/** What every machine is made of; addresses are absolute because workers resolve relative ones by their own. */
export function machineImages(): MachineImages {
  const absolute = (url: string) => new URL(url, location.href).href;
  return {
    wasm: absolute(wasmUrl),
    bios: absolute(biosUrl),
    vgaBios: absolute(vgaBiosUrl),
    kernel: seedUrl("linux", "bzImage"),
    initrd: seedUrl("initrd", "initrd"),
    ...(stateUrl === undefined ? {} : { state: absolute(stateUrl) }),
  };
}

/** Where a file of a seed is served. */
function seedUrl(name: string, file: string): string {
  let node: SeedTree | undefined = seeds.find((seed) => seed.name === name)?.tree;
  for (const part of file.split("/")) {
    node = node?.type === "directory" ? node.entries.find(([entry]) => entry === part)?.[1] : undefined;
  }
  if (node?.type !== "regular") throw new Error(`the seed ${name} has no file ${file}`);
  return new URL(node.url, location.href).href;
}

/** The second driver. It has no worker: a WebContainer lives in a frame of the page. */
export async function startSimulation(storeDatabase: string, listener: MachineListener): Promise<Machine> {
  const { createSimulation } = await import("./machine/drivers/webcontainer/start.ts");
  return createSimulation(storeDatabase, listener);
}
