/**
 * The machine's worker, or the simulation in its place: one at a time, for one workspace. Pulling the plug ends it at once: whatever it
 * had not committed is gone, exactly as a tab that crashes. Invariant: a listener hears nothing of a machine that was ended.
 */
import { type Machine, type MachineListener, storeDatabase } from "#workers/api.ts";
import { machineImages, proxy, startMachine, startSimulation } from "#workers/client.ts";
import type { Settings } from "../model.ts";
import { messageOf } from "./context.ts";

export type MachineApi = Machine;
type Driver = Settings["driver"];

export interface MachineHost {
  /** The running machine's interface, or null when there is none. */
  api(): MachineApi | null;
  /** What runs, or ran last. */
  driver(): Driver;
  /** A worker with a machine for this workspace, started if there is none. */
  open(workspaceId: string, listener: MachineListener): Promise<MachineApi>;
  /** Rejects when the worker is ended, which answers nothing any more. */
  ended(): Promise<never>;
  /** Ends the worker. True when there was one. */
  terminate(): boolean;
}

/** Another tab runs this workspace's machine: two of them would write the same disk. */
export class ElsewhereError extends Error {
  override readonly name = "ElsewhereError";
}

class EndedError extends Error {
  override readonly name = "EndedError";
  constructor() {
    super("The machine was ended.");
  }
}

/** Milliseconds that a worker which was ended, here or with a page that went, may take to let go of its disk. */
const LETTING_GO = 2000;

/** Takes a workspace's disk for this tab; what it gives lets go of it, and so does the end of the tab. */
const take = (workspaceId: string) =>
  new Promise<() => void>((resolve, reject) => {
    const hold = () => new Promise<void>(resolve);
    navigator.locks
      .request(`terrarium/machine/${workspaceId}`, { signal: AbortSignal.timeout(LETTING_GO) }, hold)
      .catch(() => reject(new ElsewhereError("This workspace's machine runs in another tab.")));
  });

/** A machine, and its end at once. */
interface Running {
  readonly api: MachineApi;
  terminate(): void;
}

export interface MachineHostOptions {
  /** What the visitor wants the machine to be. */
  wanted(): Driver;
  /** The simulation could not start, for this reason; Linux starts in its place. */
  onFallback(reason: string): void;
}

export function createMachineHost({ wanted, onFallback }: MachineHostOptions): MachineHost {
  let client: Running | null = null;
  let driver: Driver = "v86";
  let release: () => void = () => undefined;
  let opening: Promise<MachineApi> | null = null;
  let ending = Promise.withResolvers<never>();

  const end = () => {
    client?.terminate();
    release();
    client = null;
    opening = null;
    ending.promise.catch(() => undefined);
    ending.reject(new EndedError());
    ending = Promise.withResolvers();
  };

  const start = async (workspaceId: string, listener: MachineListener): Promise<MachineApi> => {
    const { promise: ended } = ending;
    const alive = () => ending.promise === ended;
    const letGo = await take(workspaceId);
    if (!alive()) {
      letGo();
      throw new EndedError();
    }
    release = letGo;
    const heard: MachineListener = {
      onEvent: (event) => (alive() ? listener.onEvent(event) : undefined),
      onStep: (step) => (alive() ? listener.onStep(step) : new Promise(() => undefined)),
      onShim: (call) => (alive() ? listener.onShim(call) : 1),
    };
    const database = storeDatabase(workspaceId);
    if (wanted() === "webcontainer") {
      const api = await startSimulation(database, heard);
      driver = "webcontainer";
      client = { api, terminate: () => void api.cut() };
      const reason = await Promise.race([api.start().then(() => null, messageOf), ended]);
      if (reason === null) return api;
      onFallback(reason);
    }
    const mine = startMachine();
    client = mine;
    driver = "v86";
    const options = { mode: "machine", workspaceId, storeDatabase: database, images: machineImages() } as const;
    await Promise.race([mine.api.create(options, proxy(heard)), ended]);
    return mine.api;
  };

  return {
    api: () => client?.api ?? null,
    driver: () => driver,
    ended: () => ending.promise,
    open(workspaceId, listener) {
      if (opening !== null) return opening;
      const mine = start(workspaceId, listener);
      opening = mine;
      mine.catch(() => {
        if (opening === mine) end();
      });
      return mine;
    },
    terminate() {
      const was = client !== null;
      end();
      return was;
    },
  };
}
