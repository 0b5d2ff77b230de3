/**
 * The machine in Node: the same VM, file system and control channel as in the page, for tests and for `terrarium nix-build`. Images
 * are read from the repository's files (or from where the bundled CLI carries them).
 */
import { randomFillSync } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { BuildInputs, Builder } from "#engine/build/builder.ts";
import type { FileTree } from "#engine/store/format/tree.ts";
import { vmBuilder } from "#workers/machine/builder.ts";
import { createV86 } from "#workers/machine/drivers/v86.ts";
import { LinuxMachine, type MachinePlatform } from "#workers/machine/machine.ts";
import { MemoryStateBacking, type StateBacking } from "#workers/machine/p9/state-backing.ts";
import type { StoreSource } from "#workers/machine/p9/store-tree.ts";
import { Sandbox } from "#workers/machine/sandbox.ts";
import type { MachineImages, MachineListener, MachineMode } from "#workers/machine/types.ts";

/** Where the images lie, relative to the repository; the CLI's bundle gives its own directory instead. */
export interface ImageFiles {
  wasm: string;
  bios: string;
  vgaBios: string;
  kernel: string;
  initrd: string;
  state: string;
}

export function repositoryImages(root: string): ImageFiles {
  return {
    wasm: createRequire(import.meta.url).resolve("v86/build/v86.wasm"),
    bios: join(root, "workers/guest/bios/seabios.bin"),
    vgaBios: join(root, "workers/guest/bios/vgabios.bin"),
    kernel: join(root, "samples/channel/seeds/linux/bzImage"),
    initrd: join(root, "samples/channel/seeds/initrd/initrd"),
    state: join(root, "workers/guest/build/state.bin.zst"),
  };
}

/** The images' bytes; a missing state image means a cold start. `cold` starts cold in any case. */
export function readImages(files: ImageFiles, cold = false): MachineImages {
  const read = (path: string): Uint8Array => new Uint8Array(readFileSync(path));
  const { wasm, bios, vgaBios, kernel, initrd, state } = files;
  const images = {
    wasm: read(wasm),
    bios: read(bios),
    vgaBios: read(vgaBios),
    kernel: read(kernel),
    initrd: read(initrd),
  };
  return cold || !existsSync(state) ? images : { ...images, state: read(state) };
}

export interface NodeMachineOptions {
  mode: MachineMode;
  images: MachineImages;
  store: StoreSource;
  /** The persistent tree; without it, one in memory that lives as long as the machine object. */
  state?: StateBacking;
  stateCapacity?: number;
}

function nodePlatform({ store, state = new MemoryStateBacking() }: NodeMachineOptions): MachinePlatform {
  return {
    createVm: createV86,
    fetchImage: async (path) => new Uint8Array(readFileSync(path)),
    store,
    openState: async () => state,
    now: Date.now,
    random: (bytes) => randomFillSync(new Uint8Array(bytes)),
    onBug: (error) => process.emitWarning(error instanceof Error ? error : String(error)),
  };
}

export function createNodeMachine(options: NodeMachineOptions, listener: MachineListener): LinuxMachine {
  const { mode, images, stateCapacity } = options;
  const common = { mode, images, workspaceId: "node", storeDatabase: "" };
  return new LinuxMachine(
    stateCapacity === undefined ? common : { ...common, stateCapacity },
    listener,
    nodePlatform(options),
  );
}

export interface NodeBuilder extends Builder {
  /** Switches the builder VM off; Node does not end while it is on. */
  close(): Promise<void>;
}

/** A builder VM for this process, started by its first build and kept warm. */
export function createNodeBuilder(images: MachineImages): NodeBuilder {
  const inputs = new InputsSource();
  const machine = createNodeMachine(
    { mode: "builder", images, store: inputs },
    {
      onEvent: (event) => event.kind === "console" && sandbox.console(event.text),
      onStep: () => undefined,
      onShim: () => 1,
    },
  );
  const sandbox = new Sandbox(machine, Date.now);
  const builder = vmBuilder({
    build: (request, onLog) => sandbox.build(request, onLog),
    cancelBuild: () => sandbox.cancel(),
  });
  let queue: Promise<unknown> = Promise.resolve();
  return {
    systems: builder.systems,
    close: () => machine.cut(),
    build: (request, onLog, signal) => {
      const result = queue.then(() => {
        inputs.current = request.inputs;
        return builder.build(request, onLog, signal);
      });
      queue = result.catch(() => undefined);
      return result;
    },
  };
}

/** The running build's inputs as the store that the builder VM sees. */
class InputsSource implements StoreSource {
  current: BuildInputs | undefined;

  has(name: string): boolean {
    return this.current?.closure.includes(`/nix/store/${name}`) ?? false;
  }

  names(): string[] {
    return (this.current?.closure ?? []).map((path) => path.slice("/nix/store/".length));
  }

  tree(name: string): Promise<FileTree> {
    return this.#inputs().tree(`/nix/store/${name}`);
  }

  blob(sha256: string): Promise<Uint8Array> {
    return this.#inputs().blob(sha256);
  }

  #inputs(): BuildInputs {
    if (this.current === undefined) throw new Error("the builder reads a store before its first build");
    return this.current;
  }
}
