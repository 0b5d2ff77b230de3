/**
 * The transfer worker: unpacks what is taken in and packs what is taken home. It is started for one piece of work and ended after it, or
 * in its midst when that is cancelled. It has no network; of stores it only reads, except one that it makes itself for an imported
 * workspace and that nobody else has open yet. Rejections are plain `WorkerProblem`s.
 */
import * as Comlink from "comlink";
import { provideDigests } from "#engine/store/format/hash.ts";
import { openIdb } from "../store/idb.ts";
import { browserDigest } from "../store/hashing.ts";
import { unpackArchive } from "../store/decompress.ts";
import { LIBRARY, addSource, removeSource } from "./library.ts";
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
};

Comlink.expose(guardedMethods(worker));
