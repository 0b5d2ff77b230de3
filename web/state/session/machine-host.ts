/**
 * The machine's worker: one at a time, for one workspace. Pulling the plug ends the worker at once: whatever it had not committed is
 * gone, exactly as a tab that crashes. Invariant: a listener hears nothing of a worker that was ended.
 */
import { type MachineListener, type MachineWorker, storeDatabase } from "#workers/api.ts";
import { type Client, machineImages, proxy, startMachine } from "#workers/client.ts";

export type MachineApi = Client<MachineWorker>["api"];

export interface MachineHost {
  /** The running worker's interface, or null when there is none. */
  api(): MachineApi | null;
  /** A worker with a machine for this workspace, started if there is none. */
  open(workspaceId: string, listener: MachineListener): Promise<MachineApi>;
  /** Ends the worker. True when there was one. */
  terminate(): boolean;
}

/** Another tab runs this workspace's machine: two of them would write the same disk. */
export class ElsewhereError extends Error {
  override readonly name = "ElsewhereError";
}

/** Milliseconds that a worker which was ended, here or with a page that went, may take to let go of its disk. */
const LETTING_GO = 2000;

export function createMachineHost(): MachineHost {
  let client: Client<MachineWorker> | null = null;
  let release: (() => void) | null = null;

  /** Takes the workspace's disk for this tab; it is given back with `giveBack`, or when the tab goes. */
  const take = (workspaceId: string) =>
    new Promise<void>((resolve, reject) => {
      const hold = () =>
        new Promise<void>((done) => {
          release = done;
          resolve();
        });
      navigator.locks
        .request(`terrarium/machine/${workspaceId}`, { signal: AbortSignal.timeout(LETTING_GO) }, hold)
        .catch(() => reject(new ElsewhereError("This workspace's machine runs in another tab.")));
    });
  const giveBack = () => {
    release?.();
    release = null;
  };

  return {
    api: () => client?.api ?? null,
    async open(workspaceId, listener) {
      if (client !== null) return client.api;
      await take(workspaceId);
      const mine = startMachine();
      client = mine;
      const alive = () => client === mine;
      const heard: MachineListener = {
        onEvent: (event) => (alive() ? listener.onEvent(event) : undefined),
        onStep: (step) => (alive() ? listener.onStep(step) : new Promise(() => undefined)),
        onShim: (call) => (alive() ? listener.onShim(call) : 1),
      };
      try {
        await mine.api.create(
          { mode: "machine", workspaceId, storeDatabase: storeDatabase(workspaceId), images: machineImages() },
          proxy(heard),
        );
      } catch (error) {
        if (alive()) {
          client = null;
          giveBack();
        }
        mine.terminate();
        throw error;
      }
      return mine.api;
    },
    terminate() {
      if (client === null) return false;
      client.terminate();
      client = null;
      giveBack();
      return true;
    },
  };
}
