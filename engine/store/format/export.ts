/**
 * The stream of `nix-store --export`: for each path a one, its NAR, a magic number, its path, references and deriver,
 * and a zero (no signature, as Nix writes since long); a last zero ends it.
 */
import { type ByteString, concatBytes } from "./bytes.ts";
import { FormatError } from "./error.ts";
import { type FileReader, type NarReading, frame, lengthBytes, narGrammar, readNumber, readText } from "./nar.ts";
import type { StorePath } from "./store-path.ts";
import type { TreeNode } from "./tree.ts";

/** "NIXE", little-endian. */
const MAGIC = 0x4558494e;

/** What an exported path says of itself; its NAR hash is the reader's to compute. */
export interface ExportedPath<File> {
  readonly path: StorePath;
  readonly references: readonly StorePath[];
  readonly deriver: StorePath | undefined;
  readonly tree: TreeNode<File>;
}

/** What comes before a path's NAR. */
export const EXPORT_PATH = lengthBytes(1);
export const EXPORT_END = lengthBytes(0);

/** What comes after a path's NAR. */
export function exportTrailer(path: StorePath, references: readonly StorePath[], deriver = ""): Uint8Array {
  const list = [lengthBytes(references.length), ...references.map(frame)];
  return concatBytes([lengthBytes(MAGIC), frame(path), ...list, frame(deriver), lengthBytes(0)]);
}

/** Reads a whole stream; each path is given to `onPath` as soon as it is read. */
export function* exportGrammar<File>(
  file: FileReader<File>,
  onPath: (exported: ExportedPath<File>) => void,
): NarReading<void> {
  for (let more = yield* readNumber(); more !== 0; more = yield* readNumber()) {
    if (more !== 1) throw exportError("input doesn't look like something created by 'nix-store --export'");
    const tree = yield* narGrammar(file);
    if ((yield* readNumber()) !== MAGIC) throw exportError("Nix archive cannot be imported; wrong format");
    const path = yield* readText(MAX_PATH);
    const references = yield* readPaths();
    const deriver = yield* readText(MAX_PATH);
    // An old signature: read and forgotten, as Nix does.
    if ((yield* readNumber()) === 1) yield* readText(MAX_PATH);
    onPath({ path, references, deriver: deriver === "" ? undefined : deriver, tree });
  }
}

const MAX_PATH = 4096;
const MAX_REFERENCES = 1_000_000;

function* readPaths(): NarReading<ByteString[]> {
  const count = yield* readNumber();
  if (count > MAX_REFERENCES) throw exportError("too many references");
  const paths: ByteString[] = [];
  for (let index = 0; index < count; index++) paths.push(yield* readText(MAX_PATH));
  return paths;
}

function exportError(message: string): FormatError {
  return new FormatError("export", message);
}
