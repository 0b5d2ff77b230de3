/**
 * NAR, Nix's archive of a file tree: strings with a little-endian 64-bit length, padded with zeros to eight bytes.
 * One tree has exactly one archive, so the reader refuses everything else: names out of order or twice, names that are
 * no file names, wrong padding, what is missing and what is too much.
 */
import { type ByteString, EMPTY_BYTES, concatBytes, fromBytes } from "./bytes.ts";
import { FormatError } from "./error.ts";
import { type Hash, type HashAlgorithm, type Hasher, createHasher, digestWhole, hasDigests } from "./hash.ts";
import { type SourceTree, type TreeNode, isEntryName } from "./tree.ts";

/** Takes pieces of an archive in order. A piece is only valid during the call: copy what is kept. */
export type NarSink = (piece: Uint8Array) => void;

const MAGIC = "nix-archive-1";

/** Deeper trees than this are refused, as by Nix. */
const MAX_DEPTH = 64;

/** Longest keyword, file name and link target, in bytes: what file systems have. */
const MAX_TOKEN = 32;
const MAX_NAME = 255;
const MAX_TARGET = 4095;
const ZEROS = new Uint8Array(8);

/** One framed string: its length and its padded bytes. */
export function frame(text: ByteString): Uint8Array<ArrayBuffer> {
  const framed = new Uint8Array(8 + padded(text.length));
  writeLength(framed, text.length);
  for (let index = 0; index < text.length; index++) framed[8 + index] = text.charCodeAt(index);
  return framed;
}

function frames(...texts: ByteString[]): Uint8Array<ArrayBuffer> {
  return concatBytes(texts.map(frame));
}

/** How every archive begins. */
export const NAR_HEAD = frame(MAGIC);
const CLOSE = frame(")");
const REGULAR = frames("(", "type", "regular", "contents");
const EXECUTABLE = frames("(", "type", "regular", "executable", "", "contents");
const SYMLINK = frames("(", "type", "symlink", "target");
const DIRECTORY = frames("(", "type", "directory");
const ENTRY = frames("entry", "(", "name");
const NODE = frame("node");

/** How a tree's file gives its length and its bytes, piece by piece. */
export interface NarContents<File> {
  size(file: File): number;
  write(file: File, sink: NarSink): void;
}

const IN_MEMORY: NarContents<{ readonly contents: Uint8Array }> = {
  size: (file) => file.contents.length,
  write: (file, sink) => sink(file.contents),
};

/** Writes a tree's archive to a sink. */
export function writeNar<File>(tree: TreeNode<File>, contents: NarContents<File>, sink: NarSink): void {
  sink(NAR_HEAD);
  writeNode(tree, contents, sink);
}

function writeNode<File>(node: TreeNode<File>, contents: NarContents<File>, sink: NarSink): void {
  switch (node.type) {
    case "regular": {
      const size = contents.size(node);
      sink(node.executable ? EXECUTABLE : REGULAR);
      sink(lengthBytes(size));
      contents.write(node, sink);
      sink(ZEROS.subarray(0, padded(size) - size));
      break;
    }
    case "symlink":
      sink(SYMLINK);
      sink(frame(node.target));
      break;
    case "directory":
      sink(DIRECTORY);
      for (const [name, child] of node.entries) {
        sink(ENTRY);
        sink(frame(name));
        sink(NODE);
        writeNode(child, contents, sink);
        sink(CLOSE);
      }
  }
  sink(CLOSE);
}

/** The whole archive of an in-memory tree. */
export function encodeNar(tree: SourceTree): Uint8Array<ArrayBuffer> {
  const pieces: Uint8Array[] = [];
  writeNar(tree, IN_MEMORY, (piece) => pieces.push(piece));
  return concatBytes(pieces);
}

/** The hash and the length of an in-memory tree's archive. */
export function hashNar(tree: SourceTree, algorithm: HashAlgorithm = "sha256"): { hash: Hash; size: number } {
  const hasher = createHasher(algorithm);
  let size = 0;
  writeNar(tree, IN_MEMORY, (piece) => {
    hasher.update(piece);
    size += piece.length;
  });
  return { hash: { algorithm, bytes: hasher.digest() }, size };
}

/** Larger archives are hashed as they are made, never put together. */
const MAX_WHOLE = 256 * 1024 * 1024;

/** Memory that archives are put together in: fresh pages for each would cost more than the hash. It goes when memory is short. */
let scratch: WeakRef<Uint8Array<ArrayBuffer>> | undefined;

function scratchOf(size: number): Uint8Array<ArrayBuffer> {
  const held = scratch?.deref();
  if (held !== undefined && held.length >= size) return held.subarray(0, size);
  const made = new Uint8Array(size);
  scratch = new WeakRef(made);
  return made;
}

/** As `hashNar`, but by the platform where it hashes whole buffers faster than we hash pieces. */
export async function digestNar(
  tree: SourceTree,
  algorithm: HashAlgorithm = "sha256",
): Promise<{ hash: Hash; size: number }> {
  const size = hasDigests() ? narSize(tree, ({ contents }) => contents.length) : 0;
  if (size === 0 || size > MAX_WHOLE) return hashNar(tree, algorithm);
  const whole = scratchOf(size);
  let at = 0;
  writeNar(tree, IN_MEMORY, (piece) => {
    whole.set(piece, at);
    at += piece.length;
  });
  return { hash: { algorithm, bytes: await digestWhole(algorithm, whole) }, size };
}

/** The hash of bytes that arrive in pieces, by the platform when they are not too many. Pieces are kept until then. */
export class StreamDigest {
  size = 0;
  readonly #algorithm: HashAlgorithm;
  #held: Uint8Array[] = [];
  #hasher: Hasher | undefined;

  constructor(algorithm: HashAlgorithm = "sha256") {
    this.#algorithm = algorithm;
  }

  push(piece: Uint8Array): void {
    this.size += piece.length;
    if (this.#hasher !== undefined) return this.#hasher.update(piece);
    this.#held.push(piece);
    if (hasDigests() && this.size <= MAX_WHOLE) return;
    this.#hasher = createHasher(this.#algorithm);
    for (const held of this.#held) this.#hasher.update(held);
    this.#held = [];
  }

  async finish(): Promise<Hash> {
    return { algorithm: this.#algorithm, bytes: this.#hasher?.digest() ?? (await this.#digestHeld()) };
  }

  #digestHeld(): Promise<Uint8Array> | Uint8Array {
    if (this.#held.length === 1) return digestWhole(this.#algorithm, this.#held[0] as Uint8Array);
    const whole = scratchOf(this.size);
    let at = 0;
    for (const piece of this.#held) {
      whole.set(piece, at);
      at += piece.length;
    }
    return digestWhole(this.#algorithm, whole);
  }
}

/** The length of a tree's archive, from the lengths of its files alone. */
export function narSize<File>(tree: TreeNode<File>, sizeOf: (file: File) => number): number {
  let total = 0;
  writeNar(
    tree,
    {
      size: sizeOf,
      write: (file) => {
        total += sizeOf(file);
      },
    },
    (piece) => {
      total += piece.length;
    },
  );
  return total;
}

/** An archive's pieces in order: what a streaming writer awaits file contents between. */
export type NarPiece<File> = { readonly bytes: Uint8Array } | { readonly file: File };

/** The archive as a sequence in which each file's bytes are still to be filled in by the caller. */
export function* narPieces<File>(tree: TreeNode<File>, sizeOf: (file: File) => number): Generator<NarPiece<File>> {
  yield { bytes: NAR_HEAD };
  yield* nodePieces(tree, sizeOf);
}

function* nodePieces<File>(node: TreeNode<File>, sizeOf: (file: File) => number): Generator<NarPiece<File>> {
  if (node.type === "regular") {
    const size = sizeOf(node);
    yield { bytes: concatBytes([node.executable ? EXECUTABLE : REGULAR, lengthBytes(size)]) };
    yield { file: node };
    yield { bytes: concatBytes([ZEROS.subarray(0, padded(size) - size), CLOSE]) };
  } else if (node.type === "symlink") {
    yield { bytes: concatBytes([SYMLINK, frame(node.target), CLOSE]) };
  } else {
    yield { bytes: DIRECTORY };
    for (const [name, child] of node.entries) {
      yield { bytes: concatBytes([ENTRY, frame(name), NODE]) };
      yield* nodePieces(child, sizeOf);
      yield { bytes: CLOSE };
    }
    yield { bytes: CLOSE };
  }
}

/**
 * The grammar of archives as a generator: it yields how many bytes it needs next and is sent exactly these. One grammar
 * serves archives in memory and archives that arrive in pieces; `nix-store --export` streams continue it.
 */
export type NarReading<Result> = Generator<number, Result, Uint8Array>;

/** What a reader makes of a file's content. */
export type FileReader<File> = (contents: Uint8Array) => File;

export function* narGrammar<File>(file: FileReader<File>): NarReading<TreeNode<File>> {
  const length = yield* readNumber();
  const framed = length === MAGIC.length ? yield padded(length) : EMPTY_BYTES;
  if (fromBytes(framed.subarray(0, MAGIC.length)) !== MAGIC) throw badArchive("input doesn't look like a Nix archive");
  checkPadding(framed, length);
  return yield* readNode(file, 0);
}

function* readNode<File>(file: FileReader<File>, depth: number): NarReading<TreeNode<File>> {
  if (depth >= MAX_DEPTH) throw badArchive(`NAR directory nesting exceeds maximum depth of ${MAX_DEPTH}`);
  yield* expectText("(");
  yield* expectText("type");
  const type = yield* readText(MAX_TOKEN);
  switch (type) {
    case "regular":
      return yield* readRegular(file);
    case "symlink": {
      yield* expectText("target");
      const target = yield* readText(MAX_TARGET);
      if (target === "" || target.includes("\0")) throw badArchive("NAR contains invalid symlink target");
      yield* expectText(")");
      return { type, target };
    }
    case "directory":
      return yield* readDirectory(file, depth);
    default:
      throw badArchive(`unknown file type '${type}'`);
  }
}

function* readRegular<File>(file: FileReader<File>): NarReading<TreeNode<File>> {
  let token = yield* readText(MAX_TOKEN);
  const executable = token === "executable";
  if (executable) {
    yield* readString(0);
    token = yield* readText(MAX_TOKEN);
  }
  // Nix's reader takes a file without "contents" as empty; its writer never makes one, so no tree has that archive.
  if (token !== "contents") throw badArchive(`expected tag 'contents', got '${token}'`);
  const node: TreeNode<File> = { type: "regular", executable, ...file(yield* readString(Infinity)) };
  yield* expectText(")");
  return node;
}

function* readDirectory<File>(file: FileReader<File>, depth: number): NarReading<TreeNode<File>> {
  const entries = new Map<ByteString, TreeNode<File>>();
  for (let previous = ""; ;) {
    const token = yield* readText(MAX_TOKEN);
    if (token === ")") return { type: "directory", entries };
    if (token !== "entry") throw badArchive(`expected tag 'entry' or ')', got '${token}'`);
    yield* expectText("(");
    yield* expectText("name");
    const name = yield* readText(MAX_NAME);
    if (!isEntryName(name)) throw badArchive(`NAR contains invalid file name '${name}'`);
    if (name <= previous) throw badArchive("NAR directory is not sorted");
    previous = name;
    yield* expectText("node");
    entries.set(name, yield* readNode(file, depth + 1));
    yield* expectText(")");
  }
}

/** A framed string of any content, its padding checked. */
function* readString(limit: number): NarReading<Uint8Array> {
  const length = yield* readNumber();
  if (length > limit) throw narError("string is too long");
  const framed = yield padded(length);
  checkPadding(framed, length);
  return framed.subarray(0, length);
}

function checkPadding(framed: Uint8Array, length: number): void {
  for (let at = length; at < framed.length; at++) if (framed[at] !== 0) throw narError("non-zero padding");
}

export function* readText(limit: number): NarReading<ByteString> {
  return fromBytes(yield* readString(limit));
}

/** A little-endian 64-bit number; beyond 2^53 it is only about right, and more than there can be. */
export function* readNumber(): NarReading<number> {
  const bytes = yield 8;
  let value = 0;
  for (let index = 7; index >= 0; index--) value = value * 256 + (bytes[index] as number);
  return value;
}

function* expectText(text: string): NarReading<void> {
  const got = yield* readText(MAX_TOKEN);
  if (got !== text) throw badArchive(`expected tag '${text}', got '${got}'`);
}

/**
 * The tree of an archive held in memory; file contents are views of `bytes`.
 * @throws FormatError "nar" on anything that is not the one archive of a tree
 */
export function decodeNar(bytes: Uint8Array): SourceTree {
  return readWhole(
    bytes,
    narGrammar((contents) => ({ contents })),
  );
}

/** Runs a grammar over bytes that must be all there is. */
export function readWhole<Result>(bytes: Uint8Array, reading: NarReading<Result>): Result {
  let offset = 0;
  let step = reading.next(EMPTY_BYTES);
  while (step.done !== true) {
    const end = offset + step.value;
    if (end > bytes.length) throw narError("unexpected end-of-file", bytes.length);
    const piece = bytes.subarray(offset, end);
    offset = end;
    step = reading.next(piece);
  }
  if (offset !== bytes.length) throw narError("trailing data after the archive", offset);
  return step.value;
}

/** Runs a grammar over bytes that arrive in pieces: `push` each, then `finish`. Memory is one string, not one archive. */
export class PieceReader<Result> {
  readonly #reading: NarReading<Result>;
  #step: IteratorResult<number, Result>;
  #held: Uint8Array[] = [];
  #heldLength = 0;

  constructor(reading: NarReading<Result>) {
    this.#reading = reading;
    this.#step = reading.next(EMPTY_BYTES);
  }

  /** Pieces may be kept until their string is whole: do not reuse their memory. */
  push(piece: Uint8Array): void {
    if (piece.length === 0) return;
    this.#held.push(piece);
    this.#heldLength += piece.length;
    if (this.#step.done === true) throw narError("trailing data after the archive");
    if (this.#heldLength < this.#step.value) return;
    this.#consume();
  }

  /** @throws FormatError "nar" when the pieces so far are not the whole */
  finish(): Result {
    if (this.#step.done !== true && this.#step.value === 0) this.#consume();
    if (this.#step.done !== true) throw narError("unexpected end-of-file");
    return this.#step.value;
  }

  #consume(): void {
    const whole = this.#held.length === 1 ? (this.#held[0] as Uint8Array) : concatBytes(this.#held);
    let offset = 0;
    while (this.#step.done !== true && offset + this.#step.value <= whole.length) {
      const end = offset + this.#step.value;
      const piece = whole.subarray(offset, end);
      offset = end;
      this.#step = this.#reading.next(piece);
    }
    this.#held = offset === whole.length ? [] : [whole.subarray(offset)];
    this.#heldLength = whole.length - offset;
    if (this.#step.done === true && this.#heldLength > 0) throw narError("trailing data after the archive");
  }
}

/** A little-endian 64-bit number. */
export function lengthBytes(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(8);
  writeLength(bytes, length);
  return bytes;
}

function writeLength(target: Uint8Array, length: number): void {
  let rest = length;
  for (let index = 0; index < 8 && rest > 0; index++) {
    target[index] = rest & 255;
    rest = Math.floor(rest / 256);
  }
}

function padded(length: number): number {
  return Math.ceil(length / 8) * 8;
}

function badArchive(message: string): FormatError {
  return narError(`bad archive: ${message}`);
}

function narError(message: string, offset?: number): FormatError {
  return new FormatError("nar", message, offset === undefined ? {} : { offset });
}
