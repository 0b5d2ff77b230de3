/**
 * NAR, Nix's archive of a file tree: strings with a little-endian 64-bit length, padded with zeros to eight bytes.
 * One tree has exactly one archive, so the reader refuses everything else: names out of order or twice, names that are
 * no file names, wrong padding, what is missing and what is too much.
 */
import { type ByteString, concatBytes, fromBytes, toBytes } from "./bytes.ts";
import { FormatError } from "./error.ts";
import { type Hash, type HashAlgorithm, createHasher } from "./hash.ts";
import { type SourceTree, type TreeNode, isEntryName } from "./tree.ts";

/** Takes pieces of an archive in order. A piece is only valid during the call: copy what is kept. */
export type NarSink = (piece: Uint8Array) => void;

const MAGIC = "nix-archive-1";

/** Deeper trees than this are refused: no real file system path is that deep. */
const MAX_DEPTH = 4096;
const ZEROS = new Uint8Array(8);

/** One framed string: its length and its padded bytes. */
function frame(text: ByteString): Uint8Array<ArrayBuffer> {
  const framed = new Uint8Array(8 + padded(text.length));
  writeLength(framed, text.length);
  for (let index = 0; index < text.length; index++) framed[8 + index] = text.charCodeAt(index);
  return framed;
}

function frames(...texts: ByteString[]): Uint8Array<ArrayBuffer> {
  return concatBytes(texts.map(frame));
}

const HEAD = frame(MAGIC);
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
  sink(HEAD);
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
  yield { bytes: HEAD };
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
 * The tree of an archive held in memory; file contents are views of `bytes`.
 * @throws FormatError "nar" on anything that is not the one archive of a tree
 */
export function decodeNar(bytes: Uint8Array): SourceTree {
  const [tree, end] = readNar(bytes, 0, (start, length) => ({ contents: bytes.subarray(start, start + length) }));
  if (end !== bytes.length) throw narError("trailing data after the archive", end);
  return tree;
}

/** One archive that begins at `offset` of some bytes, and where it ends: how `nix-store --export` strings them together. */
export function readNar<File>(
  bytes: Uint8Array,
  offset: number,
  file: (start: number, length: number) => File,
): readonly [TreeNode<File>, number] {
  const reader = new NarReader(bytes, offset);
  reader.expect(MAGIC, "NAR archive doesn't start with the expected magic string");
  const tree = readNode(reader, file, 0);
  return [tree, reader.offset];
}

function readNode<File>(
  reader: NarReader,
  file: (start: number, length: number) => File,
  depth: number,
): TreeNode<File> {
  if (depth > MAX_DEPTH) throw narError("directories nested too deeply", reader.offset);
  reader.expect("(");
  reader.expect("type");
  const type = reader.text(16);
  switch (type) {
    case "regular":
      return readRegular(reader, file);
    case "symlink": {
      reader.expect("target");
      const target = reader.text(65536);
      if (target === "" || target.includes("\0")) throw narError("invalid symlink target", reader.offset);
      reader.expect(")");
      return { type, target };
    }
    case "directory":
      return readDirectory(reader, file, depth);
    default:
      throw narError(`unknown file type '${type}'`, reader.offset);
  }
}

function readRegular<File>(reader: NarReader, file: (start: number, length: number) => File): TreeNode<File> {
  let token = reader.text(16);
  const executable = token === "executable";
  if (executable) {
    reader.expect("");
    token = reader.text(16);
  }
  // Nix's writer always has "contents"; its reader takes a file without them as empty. The one archive has them.
  if (token !== "contents") throw narError(`expected 'contents', got '${token}'`, reader.offset);
  const [start, length] = reader.span();
  reader.expect(")");
  return { type: "regular", executable, ...file(start, length) };
}

function readDirectory<File>(
  reader: NarReader,
  file: (start: number, length: number) => File,
  depth: number,
): TreeNode<File> {
  const entries = new Map<ByteString, TreeNode<File>>();
  let previous = "";
  for (;;) {
    const token = reader.text(16);
    if (token === ")") return { type: "directory", entries };
    if (token !== "entry") throw narError(`expected 'entry' or ')', got '${token}'`, reader.offset);
    reader.expect("(");
    reader.expect("name");
    const name = reader.text(65536);
    if (!isEntryName(name)) throw narError(`NAR contains invalid file name '${name}'`, reader.offset);
    if (name <= previous) throw narError("NAR directory is not sorted", reader.offset);
    previous = name;
    reader.expect("node");
    entries.set(name, readNode(reader, file, depth + 1));
    reader.expect(")");
  }
}

/** A cursor over framed strings. Invariant: `offset` never passes the end; every length is checked before it is used. */
class NarReader {
  readonly #bytes: Uint8Array;
  offset: number;

  constructor(bytes: Uint8Array, offset: number) {
    this.#bytes = bytes;
    this.offset = offset;
  }

  /** The next string's place, after its padding has been checked. */
  span(): readonly [start: number, length: number] {
    const length = this.#length();
    const start = this.offset;
    const end = start + padded(length);
    if (end > this.#bytes.length) throw narError("unexpected end of archive", this.#bytes.length);
    for (let at = start + length; at < end; at++) {
      if (this.#bytes[at] !== 0) throw narError("non-zero padding", at);
    }
    this.offset = end;
    return [start, length];
  }

  text(limit: number): ByteString {
    const [start, length] = this.span();
    if (length > limit) throw narError(`string of ${length} bytes is too long`, start);
    return fromBytes(this.#bytes, start, start + length);
  }

  expect(text: string, message?: string): void {
    const at = this.offset;
    const got = this.text(256);
    if (got !== text) throw narError(message ?? `expected '${text}', got '${got}'`, at);
  }

  #length(): number {
    if (this.offset + 8 > this.#bytes.length) throw narError("unexpected end of archive", this.#bytes.length);
    let length = 0;
    for (let index = 7; index >= 0; index--) length = length * 256 + (this.#bytes[this.offset + index] as number);
    if (length > Number.MAX_SAFE_INTEGER) throw narError("string length out of range", this.offset);
    this.offset += 8;
    return length;
  }
}

function lengthBytes(length: number): Uint8Array<ArrayBuffer> {
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

function narError(message: string, offset: number): FormatError {
  return new FormatError("nar", message, { offset });
}

/** The archive of a single file of text: what `builtins.toFile` puts into the store. */
export function hashTextNar(text: ByteString): { hash: Hash; size: number } {
  return hashNar({ type: "regular", executable: false, contents: toBytes(text) });
}
