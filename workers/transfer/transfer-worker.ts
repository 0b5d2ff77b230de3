/**
 * The transfer worker: unpacks what is taken in and packs what is taken home. It is started for one piece of work and ended after it, or
 * in its midst when that is cancelled. It has no network; of stores it only reads, except one that it makes itself for an imported
 * workspace and that nobody else has open yet. Rejections are plain `WorkerProblem`s.
 */
import * as Comlink from "comlink";
import { provideDigests } from "#engine/store/format/hash.ts";
import type { SourceTree } from "#engine/store/format/tree.ts";
import { Store } from "#engine/store/store.ts";
import { openIdb } from "../store/idb.ts";
import { browserDigest } from "../store/hashing.ts";
import { unpackArchive } from "../store/decompress.ts";
import { storeDatabase } from "../api.ts";
import { fillStore, readArchive, writeArchive } from "./archive.ts";
import { readDisk, writeDisk } from "./disk.ts";
import { LIBRARY, addSource, addTree, listSources, loadSource, removeSource } from "./library.ts";
import { guardedMethods } from "./problem.ts";
import type { TransferWorker } from "./types.ts";

provideDigests(browserDigest);

const library = openIdb(LIBRARY);
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
};

const openStore = (workspace: string): Promise<Store> =>
  Store.open(openIdb(storeDatabase(workspace)), { now: () => Math.floor(Date.now() / 1000) });

/** Pieces as one gzipped file. */
function packed(pieces: AsyncGenerator<Uint8Array>): Promise<Blob> {
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      const next = await pieces.next();
      if (next.done) controller.close();
      else controller.enqueue(next.value as Uint8Array<ArrayBuffer>);
    },
  });
  return new Response(stream.pipeThrough(new CompressionStream("gzip"))).blob();
}

Comlink.expose(guardedMethods(worker));
