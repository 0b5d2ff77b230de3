/**
 * 9P's scalars: little-endian integers, counted strings, and 13-byte qids. Names are byte strings (one character a byte), because a
 * Linux file name is bytes and need not be UTF-8. A read past the frame's end throws EPROTO; it never reads another frame's bytes.
 */
import { fromBytes } from "#engine/store/format/bytes.ts";
import { P9Error } from "./errno.ts";

/** What identifies a file to the client: its kind's bits and a number unique in the whole server. */
export interface Qid {
  type: number;
  path: number;
}

export class WireReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #position: number;

  constructor(bytes: Uint8Array, position = 0) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#position = position;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  /** A 64-bit number as a double; beyond 2^53 it is refused, since no offset or size here gets there. */
  u64(): number {
    const value = this.#view.getBigUint64(this.#take(8), true);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new P9Error("EFBIG");
    return Number(value);
  }

  /** Seconds and nanoseconds, as nanoseconds. */
  time(): bigint {
    const seconds = this.#view.getBigInt64(this.#take(8), true);
    return seconds * 1_000_000_000n + this.#view.getBigUint64(this.#take(8), true);
  }

  string(): string {
    return fromBytes(this.bytes(this.u16()));
  }

  /** A view of the frame, not a copy. */
  bytes(length: number): Uint8Array {
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  #take(length: number): number {
    const start = this.#position;
    if (start + length > this.#bytes.length) throw new P9Error("EPROTO", "short frame");
    this.#position = start + length;
    return start;
  }
}

export class WireWriter {
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;

  constructor(capacity = 64) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get length(): number {
    return this.#length;
  }

  u8(value: number): this {
    const start = this.#grow(1);
    this.#view.setUint8(start, value);
    return this;
  }

  u16(value: number): this {
    const start = this.#grow(2);
    this.#view.setUint16(start, value, true);
    return this;
  }

  u32(value: number): this {
    const start = this.#grow(4);
    this.#view.setUint32(start, value, true);
    return this;
  }

  u64(value: number): this {
    const start = this.#grow(8);
    this.#view.setBigUint64(start, BigInt(value), true);
    return this;
  }

  time(nanoseconds: bigint): this {
    const fraction = ((nanoseconds % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
    const start = this.#grow(16);
    this.#view.setBigInt64(start, (nanoseconds - fraction) / 1_000_000_000n, true);
    this.#view.setBigUint64(start + 8, fraction, true);
    return this;
  }

  string(value: string): this {
    this.u16(value.length);
    const start = this.#grow(value.length);
    for (let i = 0; i < value.length; i++) this.#bytes[start + i] = value.charCodeAt(i);
    return this;
  }

  bytes(value: Uint8Array): this {
    const start = this.#grow(value.length);
    this.#bytes.set(value, start);
    return this;
  }

  qid(qid: Qid): this {
    return this.u8(qid.type).u32(0).u64(qid.path);
  }

  /** Overwrites four bytes written before: lengths that are known at the end only. */
  patchU32(position: number, value: number): void {
    this.#view.setUint32(position, value, true);
  }

  finish(): Uint8Array {
    return this.#bytes.length === this.#length ? this.#bytes : this.#bytes.slice(0, this.#length);
  }

  /** The place of the next bytes. May replace the array and the view: call it before touching either. */
  #grow(length: number): number {
    const start = this.#length;
    const end = start + length;
    if (end > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(end, this.#bytes.length * 2));
      larger.set(this.#bytes.subarray(0, start));
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    this.#length = end;
    return start;
  }
}
