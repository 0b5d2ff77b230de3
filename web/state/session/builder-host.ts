/** The builder's machine: started by the first build that needs one, kept warm, ended when the workspace changes. */
import type { StoreServices } from "#workers/api.ts";
import { storeDatabase } from "#workers/api.ts";
import { type Client, machineImages, proxy, startMachine } from "#workers/client.ts";
import type { MachineListener, MachineWorker } from "#workers/api.ts";

export interface BuilderHost {
  build: StoreServices["build"];
  cancel(): Promise<void>;
  /** Ends the machine; the next build starts one for this workspace. */
  moveTo(workspace: string): void;
}

/** Nothing of a builder's own life is shown: its log and its result are. */
const silent: MachineListener = { onEvent: () => undefined, onStep: () => undefined, onShim: () => 1 };

export function createBuilderHost(): BuilderHost {
  let workspace = "";
  let current: Promise<Client<MachineWorker>> | undefined;

  const start = async () => {
    const machine = startMachine();
    const options = {
      mode: "builder",
      workspaceId: workspace,
      storeDatabase: storeDatabase(workspace),
      images: machineImages(),
    } as const;
    await machine.api.create(options, proxy(silent));
    return machine;
  };

  const end = () => {
    const ended = current;
    current = undefined;
    ended?.then((machine) => machine.terminate()).catch(() => undefined);
  };

  return {
    async build(request, onLog) {
      current ??= start();
      try {
        const machine = await current;
        return await machine.api.build(request, proxy(onLog));
      } catch (error) {
        end();
        const text = error instanceof Error ? error.message : String(error);
        return { ok: false, failure: { kind: "machine", text }, milliseconds: 0 };
      }
    },
    async cancel() {
      const machine = await current?.catch(() => undefined);
      await machine?.api.cancelBuild();
    },
    moveTo(next) {
      if (next === workspace) return;
      end();
      workspace = next;
    },
  };
}
