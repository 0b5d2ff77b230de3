/** Moving closures between stores as one stream: `nix-store --export` and `--import`. */
import { EXPORT_END, EXPORT_PATH, type ExportedPath, exportGrammar, exportTrailer } from "./format/export.ts";
import { createHasher, printHash, sha256Hex } from "./format/hash.ts";
import { PieceReader, writeNar } from "./format/nar.ts";
import { type StorePath, parseStorePath } from "./format/store-path.ts";
import type { BlobReference } from "./format/tree.ts";
import { topologicalOrder } from "./graph.ts";
import { type Registration, type Store, blobContents } from "./store.ts";

/** The stream of some paths (no closure is taken: name what is wanted), references first. */
export async function* exportPaths(store: Store, paths: readonly StorePath[]): AsyncGenerator<Uint8Array, void> {
  for (const path of topologicalOrder(store.index, paths)) {
    const info = store.requireInfo(path);
    yield EXPORT_PATH;
    yield* store.nar(path);
    yield exportTrailer(path, info.references, info.deriver);
  }
  yield EXPORT_END;
}

/**
 * Registers everything in a stream at once, so that a damaged stream leaves nothing; gives the paths in its order.
 * @throws FormatError "export" or "nar", StoreError "missing" when a reference is neither in the stream nor in the store
 */
export async function importPaths(
  store: Store,
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<StorePath[]> {
  const blobs = new Map<string, Uint8Array>();
  const registrations: Registration[] = [];
  const file = (contents: Uint8Array): BlobReference => {
    const blob = sha256Hex(contents);
    blobs.set(blob, contents);
    return { size: contents.length, blob };
  };
  const onPath = (exported: ExportedPath<BlobReference>) => {
    registrations.push(describeExported(exported, blobs, store.storeDir));
  };
  const reader = new PieceReader(exportGrammar(file, onPath));
  for await (const piece of pieces) reader.push(piece);
  reader.finish();
  await store.register(registrations, (sha256) => blobs.get(sha256) as Uint8Array);
  return registrations.map(({ info }) => info.path);
}

function describeExported(
  { path, references, deriver, tree }: ExportedPath<BlobReference>,
  blobs: ReadonlyMap<string, Uint8Array>,
  storeDir: string,
): Registration {
  const hasher = createHasher("sha256");
  let narSize = 0;
  writeNar(tree, blobContents(blobs), (piece) => {
    hasher.update(piece);
    narSize += piece.length;
  });
  const narHash = printHash({ algorithm: "sha256", bytes: hasher.digest() }, "nix32", true);
  const info = {
    path: parseStorePath(path, storeDir),
    narHash,
    narSize,
    references: references.map((reference) => parseStorePath(reference, storeDir)),
    ...(deriver === undefined ? {} : { deriver: parseStorePath(deriver, storeDir) }),
    signatures: [],
    ultimate: false,
  };
  return { info, tree };
}
