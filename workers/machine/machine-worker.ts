/**
 * The machine's worker: one virtual machine, the page's or the builder's. It fetches the images, then gives up every way to the
 * network: what the guest asks for can only come from IndexedDB. Errors leave as plain `{ code, message, data }`, because an Error
 * object loses its fields on the way.
 */
import { expose } from "comlink";
import { openReader } from "#workers/store/reader.ts";
import { createV86 } from "./drivers/v86.ts";
import { MachineError, errorText } from "./errors.ts";
import { holdLock } from "./lock.ts";
import { LinuxMachine } from "./machine.ts";
import { IndexedDbStateBacking } from "./p9/state-idb.ts";
import { Sandbox } from "./sandbox.ts";
import type { Machine, MachineListener, MachineOptions, MachineWorker } from "./types.ts";

interface Running {
  machine: LinuxMachine;
  sandbox: Sandbox;
  /** Gives up the workspace. */
  release: () => void;
}

let running: Running | undefined;

async function create(options: MachineOptions, listener: MachineListener): Promise<void> {
  if (running !== undefined) throw new MachineError("wrong-state", "this worker has a machine already");
  const release =
    options.mode === "machine" ? await holdLock(`terrarium-machine-${options.workspaceId}`) : () => undefined;
  const platform = {
    createVm: createV86,
    fetchImage,
    store: openReader(options.storeDatabase),
    openState: (workspaceId: string) => IndexedDbStateBacking.open(workspaceId),
    now: Date.now,
    random: (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes)),
    onBug: (error: unknown) => console.error(error),
  };
  const machine = new LinuxMachine(options, observing(listener), platform);
  const sandbox = new Sandbox(machine, Date.now);
  running = { machine, sandbox, release };
  await machine.loadImages();
  leaveNetwork();
}

/** The listener, with the builder's console overheard. */
function observing(listener: MachineListener): MachineListener {
  return {
    onEvent: (event) => {
      if (event.kind === "console") running?.sandbox.console(event.text);
      listener.onEvent(event);
    },
    onStep: (step) => listener.onStep(step),
    onShim: (call) => listener.onShim(call),
  };
}

async function fetchImage(url: string): Promise<Uint8Array> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** A guest that broke out of the emulator would find no way out of the tab. */
function leaveNetwork(): void {
  for (const name of ["fetch", "XMLHttpRequest", "WebSocket", "WebTransport", "EventSource", "importScripts"]) {
    Reflect.deleteProperty(globalThis, name);
    if (name in globalThis) Object.defineProperty(globalThis, name, { value: undefined });
  }
}

async function close(): Promise<void> {
  await running?.machine.cut();
  running?.release();
  running = undefined;
}

function current(): Running {
  if (running === undefined) throw new MachineError("wrong-state", "no machine was created");
  return running;
}

const machineMethods = [
  "start",
  "boot",
  "cut",
  "poweroff",
  "exec",
  "openStream",
  "writeStream",
  "endStream",
  "resizeStream",
  "signalStream",
  "http",
  "setProfileLinks",
  "writeFile",
  "readFile",
  "storeChanged",
  "shimRead",
  "shimWrite",
  "stats",
] as const satisfies readonly (keyof Machine)[];

type Method = (...args: never[]) => Promise<unknown>;

/** The machine's own methods, on whatever machine there is when they are called. */
function forwarded(): Record<string, Method> {
  const call = (name: keyof Machine): Method => {
    return async (...args) => (current().machine[name] as Method).apply(current().machine, args);
  };
  return Object.fromEntries(machineMethods.map((name) => [name, call(name)]));
}

function asProblem(error: unknown): { code: string; message: string; data: Readonly<Record<string, string | number>> } {
  if (error instanceof MachineError) return { code: error.code, message: error.message, data: error.data };
  console.error(error);
  return { code: "bug", message: errorText(error), data: {} };
}

function guarded(method: Method): Method {
  return async (...args) => {
    try {
      return await method(...args);
    } catch (error) {
      throw asProblem(error);
    }
  };
}

const own = {
  create,
  close,
  build: (request, onLog) => current().sandbox.build(request, onLog),
  cancelBuild: () => current().sandbox.cancel(),
} satisfies Partial<MachineWorker>;

const methods: Record<string, Method> = { ...forwarded(), ...(own as Record<string, Method>) };
expose(Object.fromEntries(Object.entries(methods).map(([name, method]) => [name, guarded(method)])));
