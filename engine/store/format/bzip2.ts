/** bzip2 decompression: some binary caches and channels still have it, and no browser does it. */
import { concatBytes } from "./bytes.ts";
import { FormatError } from "./error.ts";

const BLOCK_MAGIC_HIGH = 0x314159;
const BLOCK_MAGIC_LOW = 0x265359;
const END_MAGIC_HIGH = 0x177245;
const END_MAGIC_LOW = 0x385090;
/** Symbols decoded with one table before the next selector. */
const GROUP_SIZE = 50;
const MAX_CODE_LENGTH = 20;

/** All streams of a file, one after the other. @throws FormatError "limit" on anything that is not bzip2, or is damaged */
export function decompressBzip2(bytes: Uint8Array, limit = Infinity): Uint8Array {
  const bits = new BitReader(bytes);
  const blocks: Uint8Array[] = [];
  let size = 0;
  const keep = (block: Uint8Array) => {
    size += block.length;
    if (size > limit) throw damaged(`more than ${limit} bytes in it`);
    blocks.push(block);
  };
  while (!bits.atEnd()) readStream(bits, keep);
  if (blocks.length === 0 && bytes.length === 0) throw damaged("no data");
  return concatBytes(blocks);
}

function readStream(bits: BitReader, keep: (block: Uint8Array) => void): void {
  if (bits.read(8) !== 0x42 || bits.read(8) !== 0x5a || bits.read(8) !== 0x68) throw damaged("no bzip2 header");
  const level = bits.read(8) - 0x30;
  if (level < 1 || level > 9) throw damaged("unknown block size");
  let combined = 0;
  for (;;) {
    const [high, low] = [bits.read(24), bits.read(24)];
    const checksum = bits.read32();
    if (high === END_MAGIC_HIGH && low === END_MAGIC_LOW) {
      if (checksum !== combined >>> 0) throw damaged("wrong checksum of the stream");
      return bits.align();
    }
    if (high !== BLOCK_MAGIC_HIGH || low !== BLOCK_MAGIC_LOW) throw damaged("no block where one should be");
    const block = readBlock(bits, level * 100_000);
    if (crc32(block) !== checksum) throw damaged("wrong checksum of a block");
    combined = ((combined << 1) | (combined >>> 31)) ^ checksum;
    keep(block);
  }
}

function readBlock(bits: BitReader, limit: number): Uint8Array {
  if (bits.read(1) === 1) throw damaged("randomised blocks are not supported");
  const origin = bits.read(24);
  const symbols = readSymbols(bits);
  const tableCount = bits.read(3);
  if (tableCount < 2 || tableCount > 6) throw damaged("wrong number of tables");
  const selectors = readSelectors(bits, tableCount);
  const tables = Array.from({ length: tableCount }, () => readTable(bits, symbols.length + 2));
  const packed = readPacked(bits, symbols, selectors, tables, limit);
  if (origin >= packed.length) throw damaged("wrong origin");
  return expandRuns(invertTransform(packed, origin));
}

/** The byte values that occur, from a map of sixteen ranges. */
function readSymbols(bits: BitReader): number[] {
  const ranges = bits.read(16);
  const symbols: number[] = [];
  for (let range = 0; range < 16; range++) {
    if ((ranges & (0x8000 >> range)) === 0) continue;
    const used = bits.read(16);
    for (let index = 0; index < 16; index++) if ((used & (0x8000 >> index)) !== 0) symbols.push(range * 16 + index);
  }
  if (symbols.length === 0) throw damaged("no symbols");
  return symbols;
}

function readSelectors(bits: BitReader, tableCount: number): number[] {
  const count = bits.read(15);
  const recent = Array.from({ length: tableCount }, (_, index) => index);
  return Array.from({ length: count }, () => {
    let position = 0;
    while (bits.read(1) === 1) if (++position >= tableCount) throw damaged("wrong selector");
    const [table] = recent.splice(position, 1) as [number];
    recent.unshift(table);
    return table;
  });
}

/** A canonical Huffman code: for each length the first code and where its symbols begin in `order`. */
interface HuffmanTable {
  readonly first: readonly number[];
  readonly count: readonly number[];
  readonly offset: readonly number[];
  readonly order: readonly number[];
}

function readTable(bits: BitReader, symbolCount: number): HuffmanTable {
  let length = bits.read(5);
  const lengths = Array.from({ length: symbolCount }, () => {
    while (bits.read(1) === 1) length += bits.read(1) === 1 ? -1 : 1;
    if (length < 1 || length > MAX_CODE_LENGTH) throw damaged("wrong code length");
    return length;
  });
  const count = Array.from(
    { length: MAX_CODE_LENGTH + 1 },
    (_, size) => lengths.filter((item) => item === size).length,
  );
  const first: number[] = [0];
  const offset: number[] = [0];
  for (let size = 1; size <= MAX_CODE_LENGTH; size++) {
    first.push(((first[size - 1] as number) + (size > 1 ? (count[size - 1] as number) : 0)) << 1);
    offset.push((offset[size - 1] as number) + (size > 1 ? (count[size - 1] as number) : 0));
  }
  const order = lengths
    .map((_, symbol) => symbol)
    .sort((a, b) => (lengths[a] as number) - (lengths[b] as number) || a - b);
  return { first, count, offset, order };
}

function decodeSymbol(bits: BitReader, table: HuffmanTable): number {
  let code = 0;
  for (let size = 1; size <= MAX_CODE_LENGTH; size++) {
    code = (code << 1) | bits.read(1);
    const index = code - (table.first[size] as number);
    if (index >= 0 && index < (table.count[size] as number))
      return table.order[(table.offset[size] as number) + index] as number;
  }
  throw damaged("no such code");
}

/** The transformed text: runs of the front symbol in bijective base two, other symbols moved to the front. */
function readPacked(
  bits: BitReader,
  symbols: readonly number[],
  selectors: readonly number[],
  tables: readonly HuffmanTable[],
  limit: number,
): Uint8Array {
  const recent = [...symbols];
  const out = new Uint8Array(limit);
  const end = symbols.length + 1;
  let length = 0;
  let run = 0;
  let weight = 1;
  for (let decoded = 0; ; decoded++) {
    const table = tables[selectors[Math.floor(decoded / GROUP_SIZE)] ?? -1];
    if (table === undefined) throw damaged("too few selectors");
    const symbol = decodeSymbol(bits, table);
    if (symbol <= 1) {
      run += weight << symbol;
      weight <<= 1;
      if (run > limit) throw damaged("a run longer than the block");
      continue;
    }
    if (length + run + 1 > limit && (run > 0 || symbol !== end)) throw damaged("a block longer than its limit");
    out.fill(recent[0] as number, length, length + run);
    length += run;
    [run, weight] = [0, 1];
    if (symbol === end) return out.subarray(0, length);
    const [byte] = recent.splice(symbol - 1, 1) as [number];
    recent.unshift(byte);
    out[length++] = byte;
  }
}

/** Undoes the Burrows-Wheeler transform. */
function invertTransform(packed: Uint8Array, origin: number): Uint8Array {
  const starts = new Uint32Array(257);
  for (const byte of packed) starts[byte + 1] = (starts[byte + 1] as number) + 1;
  for (let byte = 0; byte < 256; byte++) starts[byte + 1] = (starts[byte + 1] as number) + (starts[byte] as number);
  const next = new Uint32Array(packed.length);
  packed.forEach((byte, index) => {
    next[starts[byte] as number] = index;
    starts[byte] = (starts[byte] as number) + 1;
  });
  const out = new Uint8Array(packed.length);
  let at = next[origin] as number;
  for (let index = 0; index < out.length; index++) {
    out[index] = packed[at] as number;
    at = next[at] as number;
  }
  return out;
}

/** Four equal bytes are followed by how often the byte comes again. */
function expandRuns(packed: Uint8Array): Uint8Array {
  const parts: number[] = [];
  let same = 0;
  for (let index = 0; index < packed.length; index++) {
    const byte = packed[index] as number;
    same = index > 0 && same < 4 && byte === packed[index - 1] ? same + 1 : 1;
    parts.push(byte);
    if (same < 4) continue;
    for (let times = packed[++index] ?? 0; times > 0; times--) parts.push(byte);
    same = 0;
  }
  return Uint8Array.from(parts);
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index << 24;
  for (let bit = 0; bit < 8; bit++) value = value & 0x80000000 ? (value << 1) ^ 0x04c11db7 : value << 1;
  return value >>> 0;
});

function crc32(bytes: Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of bytes) value = (value << 8) ^ (CRC_TABLE[((value >>> 24) ^ byte) & 255] as number);
  return ~value >>> 0;
}

class BitReader {
  readonly #bytes: Uint8Array;
  #offset = 0;
  #held = 0;
  #heldBits = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** At most 24 bits, the first the highest. */
  read(count: number): number {
    while (this.#heldBits < count) {
      const byte = this.#bytes[this.#offset++];
      if (byte === undefined) throw damaged("unexpected end");
      this.#held = ((this.#held & 0xffffff) << 8) | byte;
      this.#heldBits += 8;
    }
    this.#heldBits -= count;
    return (this.#held >>> this.#heldBits) & ((1 << count) - 1);
  }

  read32(): number {
    return this.read(16) * 65_536 + this.read(16);
  }

  align(): void {
    this.#heldBits = 0;
  }

  atEnd(): boolean {
    return this.#offset >= this.#bytes.length;
  }
}

function damaged(why: string): FormatError {
  return new FormatError("limit", `bzip2 data is damaged: ${why}`);
}
