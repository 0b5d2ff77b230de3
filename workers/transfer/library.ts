/**
 * The library: package sets unpacked once and opened lazily. A set is an index (its tree, with each file's place) and chunks of file
 * contents in the order of the tree, so that whoever reads one file has its neighbours too.
 *
 * Keys: `record/<hash>` SourceRecord, `index/<hash>` PackedTree, `chunk/<hash>/<number>` bytes. Invariant: a set is there when its record
 * is, and the record is committed last; chunks without a record are what a killed writer left, and the next writer takes them away.
 */
import type { Backing } from "#engine/store/backing.ts";
import { StoreError } from "#engine/store/error.ts";
import { concatBytes } from "#engine/store/format/bytes.ts";
import { printHash } from "#engine/store/format/hash.ts";
import { digestNar } from "#engine/store/format/nar.ts";
import { type SourceTree, type TreeNode, mapTree } from "#engine/store/format/tree.ts";
import type { OnProgress, PackedFile, PackedTree, SourceRecord } from "./types.ts";

export const LIBRARY = "terrarium-sources";

const RECORD = "record/";
const INDEX = "index/";
const CHUNK = "chunk/";

/** A file is never split, so a chunk may be longer by one file. */
const CHUNK_BYTES = 1_000_000;
const BATCH_CHUNKS = 4;

const chunkKey = (narHash: string, chunk: number) => `${CHUNK}${narHash}/${chunk}`;

export async function listSources(backing: Backing): Promise<SourceRecord[]> {
  const records = (await backing.getMany(await backing.keys(RECORD))) as SourceRecord[];
  return records.sort((left, right) => right.added - left.added);
}

/** The tree of a set; null when it is not here. */
export async function readIndex(backing: Backing, narHash: string): Promise<PackedTree | null> {
  const [record, index] = await backing.getMany([RECORD + narHash, INDEX + narHash]);
  return record === undefined ? null : (index as PackedTree);
}

/** @throws StoreError "corrupt" when it is not there */
export async function readChunk(backing: Backing, narHash: string, chunk: number): Promise<Uint8Array> {
  const bytes = await backing.get(chunkKey(narHash, chunk));
  if (bytes === undefined) throw new StoreError("corrupt", `a part of the package set ${narHash} is missing`);
  return bytes as Uint8Array;
}

interface SourceOptions {
  readonly title: string;
  /** The hash it must have. */
  readonly expected: string | null;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Keeps an unpacked archive. What lies in a single folder, as archives of repositories do, is taken without that folder. */
export const addSource = (
  backing: Backing,
  unpacked: SourceTree,
  options: SourceOptions,
  onProgress: OnProgress,
): Promise<SourceRecord> => addTree(backing, withoutWrapper(unpacked), options, onProgress);

/**
 * Keeps a set.
 * @throws StoreError "hash-mismatch" when it is not the one wanted; then nothing is kept
 */
export async function addTree(
  backing: Backing,
  tree: SourceTree,
  { title, expected, now }: SourceOptions,
  onProgress: OnProgress,
): Promise<SourceRecord> {
  onProgress("Hashing", null);
  const narHash = printHash((await digestNar(tree)).hash, "sri");
  if (expected !== null && narHash !== expected) {
    throw new StoreError("hash-mismatch", `${title} has the hash ${narHash}, and ${expected} is asked for`);
  }
  const known = (await backing.get(RECORD + narHash)) as SourceRecord | undefined;
  if (known !== undefined) return known;
  await sweep(backing);
  const { index, chunks, files, bytes } = pack(tree);
  for (let at = 0; at < chunks.length; at += BATCH_CHUNKS) {
    onProgress("Keeping", at / chunks.length);
    const batch = chunks.slice(at, at + BATCH_CHUNKS);
    const puts = batch.map((chunk, offset) => [chunkKey(narHash, at + offset), chunk] as const);
    await backing.commit({ puts, deletes: [], expect: [], require: [] });
  }
  const record: SourceRecord = { narHash, title, files, bytes, added: now };
  await backing.commit({
    puts: [
      [INDEX + narHash, index],
      [RECORD + narHash, record],
    ],
    deletes: [],
    expect: [],
    require: chunks.map((_, chunk) => chunkKey(narHash, chunk)),
  });
  return record;
}

export async function removeSource(backing: Backing, narHash: string): Promise<void> {
  await backing.commit({ puts: [], deletes: [RECORD + narHash], expect: [], require: [] });
  await sweep(backing);
}

/** Takes away what belongs to no record. */
async function sweep(backing: Backing): Promise<void> {
  const kept = new Set((await backing.keys(RECORD)).map((key) => key.slice(RECORD.length)));
  const indexes = (await backing.keys(INDEX)).filter((key) => !kept.has(key.slice(INDEX.length)));
  const chunks = (await backing.keys(CHUNK)).filter((key) => !kept.has(key.slice(CHUNK.length, key.lastIndexOf("/"))));
  const deletes = [...indexes, ...chunks];
  if (deletes.length > 0) await backing.commit({ puts: [], deletes, expect: [], require: [] });
}

function withoutWrapper(tree: SourceTree): SourceTree {
  if (tree.type !== "directory" || tree.entries.size !== 1) return tree;
  const [only] = tree.entries.values();
  return only?.type === "directory" ? only : tree;
}

function pack(tree: SourceTree): { index: PackedTree; chunks: Uint8Array[]; files: number; bytes: number } {
  const chunks: Uint8Array[] = [];
  let parts: Uint8Array[] = [];
  let offset = 0;
  let files = 0;
  let bytes = 0;
  const close = () => {
    if (parts.length > 0) chunks.push(concatBytes(parts));
    parts = [];
    offset = 0;
  };
  const index = mapTree(tree, ({ contents }): PackedFile => {
    if (offset >= CHUNK_BYTES) close();
    const place = { chunk: chunks.length, offset, size: contents.length };
    parts.push(contents);
    offset += contents.length;
    files++;
    bytes += contents.length;
    return place;
  });
  close();
  return { index, chunks, files, bytes };
}

/** The whole of a set in memory, for taking it home. */
export async function loadSource(backing: Backing, narHash: string): Promise<SourceTree | null> {
  const index = await readIndex(backing, narHash);
  if (index === null) return null;
  const chunks = new Map<number, Uint8Array>();
  for (const chunk of new Set(placesOf(index).map((place) => place.chunk))) {
    chunks.set(chunk, await readChunk(backing, narHash, chunk));
  }
  return mapTree(index, ({ chunk, offset, size }) => ({
    contents: (chunks.get(chunk) as Uint8Array).subarray(offset, offset + size),
  }));
}

function placesOf(tree: TreeNode<PackedFile>): PackedFile[] {
  if (tree.type === "regular") return [tree];
  return tree.type === "directory" ? [...tree.entries.values()].flatMap(placesOf) : [];
}
