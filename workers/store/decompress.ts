/**
 * Decompression for binary caches, channels and uploads, in the browser and in Node alike: gzip by the platform, xz by
 * WebAssembly, zstd and bzip2 in JavaScript. Invariant: no output is larger than `limit` bytes, so that a bomb ends in an
 * error and not in a dead tab.
 */
import { decompress as decompressZstd } from "fzstd";
import * as xzModule from "xz-decompress";
import { StoreError } from "#engine/store/error.ts";
import { decompressBzip2 } from "#engine/store/format/bzip2.ts";
import { isTar, readTar } from "#engine/store/format/tar.ts";
import type { SourceTree } from "#engine/store/format/tree.ts";
import { unzip } from "./unzip.ts";

type Compression = "none" | "gzip" | "xz" | "zstd" | "bzip2";

const LIMIT = 2 ** 31;

/** Bundlers give the named export, Node gives the CommonJS module as default. */
const { XzReadableStream } = (
  "XzReadableStream" in xzModule ? xzModule : (xzModule as { readonly default: typeof xzModule }).default
) as typeof xzModule;

/** What a file is compressed with, by its first bytes. */
function detectCompression(bytes: Uint8Array): Compression {
  const begins = (...magic: number[]) => magic.every((byte, index) => bytes[index] === byte);
  if (begins(0x1f, 0x8b)) return "gzip";
  if (begins(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0)) return "xz";
  if (begins(0x28, 0xb5, 0x2f, 0xfd)) return "zstd";
  return begins(0x42, 0x5a, 0x68) ? "bzip2" : "none";
}

/**
 * Unpacks bytes whose compression a cache names ("xz", "zstd", …), or that is told by the bytes themselves.
 * @throws StoreError "corrupt" when they are damaged or unpack to more than `limit` bytes
 */
export async function decompress(
  bytes: Uint8Array,
  compression: string = detectCompression(bytes),
  limit = LIMIT,
): Promise<Uint8Array> {
  try {
    return await unpackAs(bytes, compression, limit);
  } catch (error) {
    if (error instanceof StoreError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new StoreError("corrupt", `cannot decompress ${compression} data: ${reason}`, { compression });
  }
}

function unpackAs(bytes: Uint8Array, compression: string, limit: number): Promise<Uint8Array> | Uint8Array {
  switch (compression) {
    case "none":
    case "":
      return bytes;
    case "gzip":
      return collect(streamOf(bytes).pipeThrough(new DecompressionStream("gzip")), limit);
    case "xz":
      return collect(new XzReadableStream(streamOf(bytes)), limit);
    case "zstd":
      if (zstdBound(bytes) > limit) throw tooLarge(limit);
      return decompressZstd(bytes);
    case "bzip2":
      return decompressBzip2(bytes, limit);
    default:
      throw new StoreError("corrupt", `unknown compression '${compression}'`, { compression });
  }
}

function tooLarge(limit: number): StoreError {
  return new StoreError("corrupt", `the data unpack to more than ${limit} bytes`, { limit });
}

const ZSTD_MAGIC = 0xfd2fb528;
const ZSTD_BLOCK = 128 * 1024;

/** What zstd data can unpack to at most, from the headers of their blocks alone; damaged data are the decoder's to refuse. */
function zstdBound(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let bound = 0;
  for (let at = 0; at + 8 <= bytes.length;) {
    const magic = view.getUint32(at, true);
    if (magic !== ZSTD_MAGIC) {
      // A frame to skip says how long it is; anything else is no frame.
      if (magic >>> 4 !== 0x184d2a5) break;
      at += 8 + view.getUint32(at + 4, true);
      continue;
    }
    const flags = view.getUint8(at + 4);
    const single = (flags & 32) !== 0;
    const sizeField = [single ? 1 : 0, 2, 4, 8][flags >> 6] as number;
    at += 5 + (single ? 0 : 1) + ([0, 1, 2, 4][flags & 3] as number) + sizeField;
    for (let last = false; !last && at + 3 <= bytes.length;) {
      const header = view.getUint8(at) | (view.getUint8(at + 1) << 8) | (view.getUint8(at + 2) << 16);
      const [type, size] = [(header >> 1) & 3, header >> 3];
      last = (header & 1) === 1;
      bound += type === 2 ? ZSTD_BLOCK : size;
      at += 3 + (type === 1 ? 1 : size);
    }
    at += (flags & 4) === 0 ? 0 : 4;
  }
  return bound;
}

function streamOf(bytes: Uint8Array): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(bytes as Uint8Array<ArrayBuffer>);
      controller.close();
    },
  });
}

async function collect(stream: ReadableStream<Uint8Array>, limit: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  const reader = stream.getReader();
  for (let step = await reader.read(); !step.done; step = await reader.read()) {
    size += step.value.length;
    if (size > limit) {
      await reader.cancel();
      throw tooLarge(limit);
    }
    // The decoder may reuse its memory for the next piece.
    parts.push(step.value.slice());
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The tree of an archive of any kind we know: tar (compressed or not) or zip. */
export async function unpackArchive(archive: Uint8Array): Promise<SourceTree> {
  if (archive[0] === 0x50 && archive[1] === 0x4b) return unzip(archive);
  const tar = await decompress(archive);
  if (!isTar(tar)) throw new StoreError("corrupt", "this is neither a tar nor a zip archive");
  return readTar(tar);
}
