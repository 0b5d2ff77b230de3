/** Moving closures between stores as one stream: `nix-store --export` and `--import`. */
import { EXPORT_END, EXPORT_PATH, type ExportedPath, exportGrammar, exportTrailer } from "./format/export.ts";
import { printHash } from "./format/hash.ts";
import { PieceReader, digestNar } from "./format/nar.ts";
import { type StorePath, parseStorePath } from "./format/store-path.ts";
import { digestTree } from "./format/tree.ts";
import { topologicalOrder } from "./graph.ts";
import type { Registration, Store } from "./store.ts";

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
  const exported: ExportedPath<{ readonly contents: Uint8Array }>[] = [];
  const reader = new PieceReader(
    exportGrammar(
      (contents) => ({ contents }),
      (path) => exported.push(path),
    ),
  );
  for await (const piece of pieces) reader.push(piece);
  reader.finish();
  const blobs = new Map<string, Uint8Array>();
  const registrations: Registration[] = [];
  for (const path of exported) registrations.push(await describeExported(path, blobs, store.storeDir));
  await store.register(registrations, (sha256) => blobs.get(sha256) as Uint8Array);
  return registrations.map(({ info }) => info.path);
}

async function describeExported(
  { path, references, deriver, tree }: ExportedPath<{ readonly contents: Uint8Array }>,
  blobs: Map<string, Uint8Array>,
  storeDir: string,
): Promise<Registration> {
  const [{ hash, size }, stored] = await Promise.all([
    digestNar(tree),
    digestTree(tree, (sha256, contents) => void blobs.set(sha256, contents)),
  ]);
  const info = {
    path: parseStorePath(path, storeDir),
    narHash: printHash(hash, "nix32", true),
    narSize: size,
    references: references.map((reference) => parseStorePath(reference, storeDir)),
    ...(deriver === undefined ? {} : { deriver: parseStorePath(deriver, storeDir) }),
    signatures: [],
    ultimate: false,
  };
  return { info, tree: stored };
}
