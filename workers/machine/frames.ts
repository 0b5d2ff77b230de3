/**
 * Frames of the control channel (workers/guest/PROTOCOL.md): length, type, stream, payload. The decoder takes the bytes as they come,
 * in pieces of any size, and gives whole frames.
 */
import { concatBytes } from "#engine/store/format/bytes.ts";
import { MachineError } from "./errors.ts";

/** Frame types the host sends. */
export const toGuest = {
  HELLO: 0x01,
  BOOT: 0x02,
  EXEC: 0x03,
  DATA: 0x04,
  EOF: 0x05,
  RESIZE: 0x06,
  SIGNAL: 0x07,
  CONNECT: 0x08,
  PROFILE: 0x09,
  BUILD: 0x0a,
  ACK: 0x0b,
  EXIT: 0x0c,
  STDERR: 0x0d,
  MOUNT: 0x0e,
  CREDIT: 0x0f,
} as const;

/** Frame types the guest sends. */
export const fromGuest = {
  HELLO: 0x81,
  DATA: 0x84,
  STDERR: 0x85,
  EOF: 0x86,
  EXIT: 0x87,
  OPEN: 0x88,
  EVENT: 0x89,
  STEP: 0x8a,
  SHIM: 0x8b,
  CREDIT: 0x8f,
} as const;

export interface Frame {
  type: number;
  stream: number;
  payload: Uint8Array;
}

/** Most bytes after the length field. */
const largestFrame = 262_144;
/** Type and stream. */
const fixedPart = 5;

/** Most payload bytes of one frame. */
const largestPayload = largestFrame - fixedPart;

export function encodeFrame({ type, stream, payload }: Frame): Uint8Array {
  if (payload.length > largestPayload) throw new MachineError("protocol", `a frame of ${payload.length} bytes`);
  const bytes = new Uint8Array(4 + fixedPart + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, fixedPart + payload.length, true);
  bytes[4] = type;
  view.setUint32(5, stream, true);
  bytes.set(payload, 4 + fixedPart);
  return bytes;
}

export class FrameDecoder {
  #pieces: Uint8Array[] = [];
  #length = 0;

  /**
   * The frames that these bytes complete. A payload is the frame's own copy.
   * @throws MachineError "protocol" on an impossible length: the channel cannot find its place again
   */
  push(bytes: Uint8Array): Frame[] {
    this.#pieces.push(bytes);
    this.#length += bytes.length;
    const frames: Frame[] = [];
    for (let need = this.#nextLength(); need !== undefined && this.#length >= need; need = this.#nextLength()) {
      frames.push(decode(this.#take(need)));
    }
    return frames;
  }

  /** Bytes of the next frame with its length field; undefined while that field is incomplete. */
  #nextLength(): number | undefined {
    if (this.#length < 4) return undefined;
    if (this.#pieces[0]!.length < 4) this.#pieces = [concatBytes(this.#pieces)];
    const first = this.#pieces[0]!;
    const length = new DataView(first.buffer, first.byteOffset, 4).getUint32(0, true);
    if (length < fixedPart || length > largestFrame) throw new MachineError("protocol", `a frame of length ${length}`);
    return 4 + length;
  }

  #take(length: number): Uint8Array {
    const all = this.#pieces.length === 1 ? this.#pieces[0]! : concatBytes(this.#pieces);
    const rest = all.subarray(length);
    this.#pieces = rest.length === 0 ? [] : [rest];
    this.#length -= length;
    return all.subarray(0, length);
  }
}

function decode(bytes: Uint8Array): Frame {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { type: bytes[4]!, stream: view.getUint32(5, true), payload: bytes.slice(4 + fixedPart) };
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Strings and numbers, each ended by a NUL. A NUL inside an item would shift what follows, so it is refused. */
export function encodeList(items: readonly (string | number)[]): Uint8Array {
  for (const item of items) {
    if (typeof item === "string" && item.includes("\0"))
      throw new MachineError("protocol", "a NUL byte in an argument");
  }
  return encoder.encode(items.map((item) => `${item}\0`).join(""));
}

export function decodeList(payload: Uint8Array): string[] {
  const items = decoder.decode(payload).split("\0");
  items.pop();
  return items;
}
