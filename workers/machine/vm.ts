/** A virtual machine as the rest sees it: the control channel's console, the serial line, and a plug. v86 is the one there is. */
import type { BytePort } from "./control.ts";

export interface VirtualMachine extends BytePort {
  /** Whether it was restored in stage 1 (and waits for HELLO), rather than started cold. */
  readonly restored: boolean;
  /** Resolves when the first instruction runs. */
  start(): Promise<void>;
  /** What the guest prints on its serial line, as it comes. */
  onConsole(listener: (text: string) => void): void;
  /** Instructions executed so far, modulo 2^32. */
  instructions(): number;
  /** Stops and frees it. Nothing is heard of it after this call begins. */
  destroy(): Promise<void>;
}

/** Images in memory. `state` is unpacked; with it, kernel and initrd are not needed. */
export interface LoadedImages {
  wasm: WebAssembly.Module;
  bios: Uint8Array;
  vgaBios: Uint8Array;
  kernel?: Uint8Array;
  initrd?: Uint8Array;
  state?: Uint8Array;
}

/** A 9P frame from the guest, and where its answer goes. */
export type Handle9p = (frame: Uint8Array, reply: (frame: Uint8Array) => void) => void;

export type CreateVirtualMachine = (images: LoadedImages, handle9p: Handle9p) => Promise<VirtualMachine>;
