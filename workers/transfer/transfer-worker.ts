/**
 * The transfer worker: unpacks what is taken in and packs what is taken home. It is started for one piece of work and ended after it, or
 * in its midst when that is cancelled. It has no network; of stores it only reads, except one that it makes itself for an imported
 * workspace and that nobody else has open yet. Rejections are plain `WorkerProblem`s.
 */
import * as Comlink from "comlink";
import { provideDigests } from "#engine/store/format/hash.ts";
import { StoreError } from "#engine/store/error.ts";
import { type ImagePath, imageArchive, writeImage } from "#engine/store/format/oci.ts";
import { type SourceTree, blobsOf, mapTree, regularFile } from "#engine/store/format/tree.ts";
import { closure } from "#engine/store/graph.ts";
import { exportPaths } from "#engine/store/transfer.ts";
import { Store } from "#engine/store/store.ts";
import { openIdb } from "../store/idb.ts";
import { browserDigest } from "../store/hashing.ts";
import { unpackArchive } from "../store/decompress.ts";
import { storeDatabase } from "../api.ts";
import { fillStore, readArchive, writeArchive } from "./archive.ts";
import { CACHES, addCache, listCaches, removeCache, trustKey } from "./caches.ts";
import { readDisk, writeDisk } from "./disk.ts";
import { LIBRARY, addSource, addTree, listSources, loadSource, removeSource } from "./library.ts";
import { guardedMethods } from "./problem.ts";
import { channelTree, homeTree, treeOf, zipTree } from "./take-home.ts";
import { readSamples } from "../samples.ts";
import type { GivenFile, SourcePin, TransferWorker } from "./types.ts";

provideDigests(browserDigest);

const library = openIdb(LIBRARY);
const caches = openIdb(CACHES);
/** One writer of the library at a time, in whichever tab. */
const exclusively = <T>(body: () => Promise<T>): Promise<T> =>
  navigator.locks.request(LIBRARY, body) as unknown as Promise<T>;

const bytesOf = async (blob: Blob): Promise<Uint8Array> => new Uint8Array(await blob.arrayBuffer());

const worker: TransferWorker = {
  async addSource(archive, title, expected, now, onProgress) {
    onProgress("Unpacking", null);
    const tree = await unpackArchive(await bytesOf(archive));
    return exclusively(() => addSource(library, tree, { title, expected, now }, onProgress));
  },
  removeSource: (narHash) => exclusively(() => removeSource(library, narHash)),

  async addCache(files, title, now, onProgress) {
    onProgress("Unpacking", null);
    const [only] = files;
    const tree = files.length === 1 ? await unpackArchive(await bytesOf(only.contents)) : await treeOfFiles(files);
    return exclusively(() => addCache(caches, tree, { id: crypto.randomUUID(), title, now }, onProgress));
  },
  caches: () => listCaches(caches),
  trustKey: (id, key) => exclusively(() => trustKey(caches, id, key)),
  removeCache: (id) => exclusively(() => removeCache(caches, id)),

  async exportWorkspace(workspace, page, onProgress) {
    const [store, disk, records] = await Promise.all([openStore(workspace), readDisk(workspace), listSources(library)]);
    const hashes = new Set(page.workspace.sources.map(({ narHash }) => narHash));
    const used = records.filter(({ narHash }) => hashes.has(narHash));
    const sources = await Promise.all(
      used.map(async (record) => ({ record, tree: (await loadSource(library, record.narHash)) as SourceTree })),
    );
    return packed(writeArchive({ page, store, disk, sources }, onProgress));
  },
  async importWorkspace(archive, workspace, now, onProgress) {
    onProgress("Unpacking", null);
    const read = await readArchive(await unpackArchive(await bytesOf(archive)), onProgress);
    await fillStore(read, await openStore(workspace), onProgress);
    onProgress("Keeping the machine's files", null);
    await writeDisk(workspace, read.disk);
    for (const { record, tree } of read.sources) {
      const { title, narHash: expected } = record;
      await exclusively(() => addTree(library, tree, { title, expected, now }, onProgress));
    }
    return read.page;
  },

  async takeHome(workspace, { archive, seeds }, expected, onProgress) {
    onProgress("Reading the package sets", null);
    const { title, entry, files, sources } = workspace;
    const sets = await Promise.all(sources.map(loadPinned));
    const channel = channelTree(readSamples(archive), seeds);
    onProgress("Packing", null);
    const tree = homeTree({ title, entry, files, channel, sets, expected });
    return new Blob([zipTree(tree, "terrarium")]);
  },
  async exportClosure(workspace, root, onProgress) {
    const store = await openStore(workspace);
    const paths = [...closure(store.index, [root])];
    onProgress(`Packing ${paths.length} store paths`, null);
    return new Response(streamOf(exportPaths(store, paths))).blob();
  },
  async exportImage(workspace, root, reference, onProgress) {
    const store = await openStore(workspace);
    const members = [...closure(store.index, [root])];
    const paths: ImagePath[] = [];
    for (const path of members) {
      onProgress(`Packing ${members.length} store paths`, paths.length / members.length);
      paths.push({ path, references: store.requireInfo(path).references, tree: await loadTree(store, path) });
    }
    const bin = `${root}/sw/bin`;
    const files = writeImage(paths, { architecture: "386", command: [`${bin}/sh`], env: [`PATH=${bin}`], reference });
    return new Blob([imageArchive(files) as Uint8Array<ArrayBuffer>]);
  },
  storeSizes: (workspaces) =>
    Promise.all(
      workspaces.map(async (workspace) => {
        const { index } = await openStore(workspace);
        const bytes = [...index.infos()].reduce((sum, { narSize }) => sum + narSize, 0);
        return { workspace, paths: index.size, bytes };
      }),
    ),
};

async function loadPinned({ name, narHash, nixpkgs }: SourcePin) {
  const tree = await loadSource(library, narHash);
  if (tree === null) throw new StoreError("missing", `<${name}> is not in this browser: get it in Sources first.`);
  return { name, nixpkgs, tree };
}

async function treeOfFiles(files: readonly GivenFile[]): Promise<SourceTree> {
  const nodes = files.map(async ({ path, contents }) => [path, regularFile(await bytesOf(contents))] as const);
  return treeOf(await Promise.all(nodes));
}

async function loadTree(store: Store, path: string): Promise<SourceTree> {
  const tree = await store.tree(path);
  const contents = new Map<string, Uint8Array>();
  for (const blob of blobsOf(tree).keys()) contents.set(blob, await store.blob(blob));
  return mapTree(tree, ({ blob }) => ({ contents: contents.get(blob) as Uint8Array }));
}

const openStore = (workspace: string): Promise<Store> =>
  Store.open(openIdb(storeDatabase(workspace)), { now: () => Math.floor(Date.now() / 1000) });

/** Pieces as one gzipped file. */
const packed = (pieces: AsyncGenerator<Uint8Array>): Promise<Blob> =>
  new Response(streamOf(pieces).pipeThrough(new CompressionStream("gzip"))).blob();

function streamOf(pieces: AsyncGenerator<Uint8Array>): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    async pull(controller) {
      const next = await pieces.next();
      if (next.done) controller.close();
      else controller.enqueue(next.value as Uint8Array<ArrayBuffer>);
    },
  });
}

Comlink.expose(guardedMethods(worker));
