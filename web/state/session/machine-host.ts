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

export function createMachineHost(): MachineHost {
  let client: Client<MachineWorker> | null = null;

  return {
    api: () => client?.api ?? null,
    async open(workspaceId, listener) {
      if (client !== null) return client.api;
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
        if (alive()) client = null;
        mine.terminate();
        throw error;
      }
      return mine.api;
    },
    terminate() {
      if (client === null) return false;
      client.terminate();
      client = null;
      return true;
    },
  };
}
