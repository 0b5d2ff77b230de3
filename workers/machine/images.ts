/**
 * The images a machine is made of, fetched once and kept: the state image is unpacked once, so that the start after a power cut costs
 * nothing but v86's own restore.
 */
import { decompress } from "fzstd";
import { MachineError, errorText } from "./errors.ts";
import type { ImageSource, MachineImages } from "./types.ts";
import type { LoadedImages } from "./vm.ts";

/** Reads an image given by its URL. */
export type FetchImage = (url: string) => Promise<Uint8Array>;

export class ImageSet {
  readonly #images: MachineImages;
  readonly #fetch: FetchImage;
  #loaded: Promise<LoadedImages> | undefined;

  constructor(images: MachineImages, fetch: FetchImage) {
    this.#images = images;
    this.#fetch = fetch;
  }

  /** What the next start needs: with a state image, no kernel. A failed load is tried again by the next call. */
  load(): Promise<LoadedImages> {
    this.#loaded ??= this.#load().catch((error: unknown) => {
      this.#loaded = undefined;
      throw error;
    });
    return this.#loaded;
  }

  async #load(): Promise<LoadedImages> {
    const { wasm, bios, vgaBios, kernel, initrd, state } = this.#images;
    const read = (source: ImageSource): Promise<Uint8Array> => this.#read(source);
    const firmware = Promise.all([read(wasm).then(compile), read(bios), read(vgaBios)]);
    const system = state === undefined ? Promise.all([read(kernel), read(initrd)]) : read(state).then(unpack);
    const [[module, biosBytes, vgaBiosBytes], rest] = await Promise.all([firmware, system]);
    const common = { wasm: module, bios: biosBytes, vgaBios: vgaBiosBytes };
    return Array.isArray(rest) ? { ...common, kernel: rest[0], initrd: rest[1] } : { ...common, state: rest };
  }

  async #read(source: ImageSource): Promise<Uint8Array> {
    if (typeof source !== "string") return source;
    try {
      return await this.#fetch(source);
    } catch (error) {
      throw new MachineError("bad-image", `cannot load ${source}: ${errorText(error)}`, { url: source });
    }
  }
}

function compile(bytes: Uint8Array): Promise<WebAssembly.Module> {
  return WebAssembly.compile(bytes as Uint8Array<ArrayBuffer>);
}

function unpack(bytes: Uint8Array): Uint8Array {
  try {
    return decompress(bytes);
  } catch (error) {
    throw new MachineError("bad-image", `the state image is damaged: ${errorText(error)}`);
  }
}
