/**
 * The v86 driver: an x86 PC in this thread. v86's own declarations lack what is needed of it here (the bus, the console's queue), so
 * those are named below and checked at start: a v86 that has them otherwise is refused instead of losing bytes.
 */
import { V86, type V86Options } from "v86";
import { MachineError, errorText } from "../errors.ts";
import type { CreateVirtualMachine, LoadedImages, VirtualMachine } from "../vm.ts";
import { fixedOptions } from "./v86-options.ts";

/** What one receive buffer of Linux's virtio console takes; v86 drops what is longer, or finds no buffer. */
const consoleBuffer = 4096;
/** Milliseconds between two looks for a free receive buffer: the guest gives them back without a sign. */
const bufferPoll = 2;
/** Milliseconds the serial line's bytes are gathered before they are told. */
const consoleDelay = 20;

/** v86's virtqueue. */
interface Queue {
  is_configured(): unknown;
  has_request(): boolean;
}

/** The parts of V86 that its declarations leave out. */
interface Internals {
  bus: { send(event: string, data: unknown): void };
  v86: { cpu: { devices: { virtio_console?: { virtio: { queues: Queue[] } } } } };
}

export const createV86: CreateVirtualMachine = async (images, handle9p) => {
  const emulator = new V86(options(images, handle9p));
  const loaded = new Promise<void>((resolve) => emulator.add_listener("emulator-loaded", () => resolve()));
  const machine = new V86Machine(emulator, images.state !== undefined);
  await loaded;
  machine.checkInternals();
  if (images.state !== undefined) await restore(emulator, images.state);
  return machine;
};

/** Not by v86's `initial_state`: an error there is thrown where nobody can catch it. */
async function restore(emulator: V86, state: Uint8Array): Promise<void> {
  try {
    await emulator.restore_state(arrayBuffer(state));
  } catch (error) {
    await emulator.destroy();
    throw new MachineError("bad-image", `the state image does not fit this v86: ${errorText(error)}`);
  }
}

function options(images: LoadedImages, handle9p: NonNullable<V86Options["filesystem"]>["handle9p"]): V86Options {
  const image = (bytes: Uint8Array): { buffer: ArrayBuffer } => ({ buffer: arrayBuffer(bytes) });
  return {
    ...(fixedOptions as unknown as V86Options),
    wasm_fn: async (imports) => (await WebAssembly.instantiate(images.wasm, imports)).exports,
    bios: image(images.bios),
    vga_bios: image(images.vgaBios),
    filesystem: { handle9p },
    ...(images.kernel === undefined ? {} : { bzimage: image(images.kernel) }),
    ...(images.initrd === undefined ? {} : { initrd: image(images.initrd) }),
  };
}

/** The bytes as a buffer of their own length; shared when they are the whole of theirs. */
function arrayBuffer(bytes: Uint8Array): ArrayBuffer {
  const { buffer } = bytes;
  return buffer instanceof ArrayBuffer && buffer.byteLength === bytes.length ? buffer : bytes.slice().buffer;
}

class V86Machine implements VirtualMachine {
  readonly restored: boolean;
  readonly #emulator: V86;
  readonly #internals: Internals;
  readonly #outgoing: Uint8Array[] = [];
  #pump: ReturnType<typeof setTimeout> | undefined;
  #console = "";
  #consoleTimer: ReturnType<typeof setTimeout> | undefined;
  #onConsole: (text: string) => void = () => undefined;
  #onBytes: (bytes: Uint8Array) => void = () => undefined;
  #destroyed = false;

  constructor(emulator: V86, restored: boolean) {
    this.#emulator = emulator;
    this.#internals = emulator as unknown as Internals;
    this.restored = restored;
    emulator.add_listener("virtio-console0-output-bytes", (bytes) => {
      if (!this.#destroyed) this.#onBytes(bytes);
    });
    emulator.add_listener("serial0-output-byte", (byte) => this.#printed(byte));
  }

  checkInternals(): void {
    const queue = this.#queue();
    const known = typeof queue?.has_request === "function" && typeof queue.is_configured === "function";
    if (!known || typeof this.#internals.bus?.send !== "function") {
      throw new MachineError("unsupported", "this version of v86 has no virtio console as the driver knows it");
    }
  }

  start(): Promise<void> {
    const started = new Promise<void>((resolve) => this.#emulator.add_listener("emulator-started", () => resolve()));
    void this.#emulator.run();
    return started;
  }

  onBytes(listener: (bytes: Uint8Array) => void): void {
    this.#onBytes = listener;
  }

  onConsole(listener: (text: string) => void): void {
    this.#onConsole = listener;
  }

  send(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += consoleBuffer) {
      this.#outgoing.push(bytes.subarray(at, at + consoleBuffer));
    }
    if (this.#pump === undefined) this.#sendSome();
  }

  instructions(): number {
    return this.#destroyed ? 0 : this.#emulator.get_instruction_counter();
  }

  async destroy(): Promise<void> {
    if (this.#destroyed) return;
    this.#destroyed = true;
    clearTimeout(this.#pump);
    clearTimeout(this.#consoleTimer);
    await this.#emulator.destroy();
  }

  #queue(): Queue | undefined {
    return this.#internals.v86?.cpu?.devices?.virtio_console?.virtio.queues[0];
  }

  #sendSome(): void {
    this.#pump = undefined;
    const queue = this.#queue();
    while (this.#outgoing.length > 0 && queue?.is_configured() && queue.has_request()) {
      this.#internals.bus.send("virtio-console0-input-bytes", this.#outgoing.shift());
    }
    if (this.#outgoing.length > 0) this.#pump = setTimeout(() => this.#sendSome(), bufferPoll);
  }

  #printed(byte: number): void {
    this.#console += String.fromCharCode(byte);
    this.#consoleTimer ??= setTimeout(() => {
      this.#consoleTimer = undefined;
      const text = this.#console;
      this.#console = "";
      this.#onConsole(text);
    }, consoleDelay);
  }
}
