/**
 * The archive of a whole workspace: a `.tar.gz` that any program opens. What is in it:
 *
 *   terrarium.json            Manifest: the workspace, its profiles, roots, notes, lessons, and the machine's inodes
 *   cache/                    the closures of all roots as a binary cache, which `nix copy --from file://…/cache` reads, too
 *   machine/<inode>/<chunk>   contents of the machine's files
 *   sources/<number>.nar      package sets, in the manifest's order
 *
 * Reading believes nothing: every NAR must have its hash and size, every reference must be there, every generation must exist. What is
 * read goes into a store that nobody has open yet; whoever calls throws that store away when anything is refused.
 */
import { StoreError } from "#engine/store/error.ts";
import { concatBytes, decodeUtf8, encodeUtf8, fromBytes, toBytes } from "#engine/store/format/bytes.ts";
import { printHash } from "#engine/store/format/hash.ts";
import { decodeNar, digestNar, encodeNar } from "#engine/store/format/nar.ts";
import { type NarInfo, parseNarInfo, printCacheInfo, printNarInfo } from "#engine/store/format/narinfo.ts";
import { hashPartOf } from "#engine/store/format/store-path.ts";
import { writeTar } from "#engine/store/format/tar.ts";
import { type SourceTree, nodeAt, regularFile } from "#engine/store/format/tree.ts";
import { closure, topologicalOrder } from "#engine/store/graph.ts";
import { type Generation, type Profile, profilePath } from "#engine/store/profile.ts";
import type { Root, Store } from "#engine/store/store.ts";
import type { InodeRecord } from "../machine/p9/state-backing.ts";
import type { OnProgress, PageRecords, SourceRecord } from "./types.ts";

const FORMAT = 1;

/** The persistent tree of a machine: what `/var`, `/home`, `/root` and `/etc/nixos` hold. */
export interface MachineDisk {
  readonly inodes: readonly InodeRecord[];
  readonly chunks: readonly (readonly [inode: number, index: number, bytes: Uint8Array])[];
}

export interface ArchiveParts {
  readonly page: PageRecords;
  readonly store: Store;
  readonly disk: MachineDisk;
  readonly sources: readonly { readonly record: SourceRecord; readonly tree: SourceTree }[];
}

/** `terrarium.json`. Times of inodes are nanoseconds, as decimal numbers in text. */
interface Manifest {
  readonly format: number;
  readonly page: PageRecords;
  readonly profiles: readonly Profile[];
  readonly roots: readonly Root[];
  readonly machine: readonly (Omit<InodeRecord, "atime" | "mtime" | "ctime"> & {
    readonly times: readonly [atime: string, mtime: string, ctime: string];
  })[];
  readonly sources: readonly SourceRecord[];
}

// Writing

/** The archive, uncompressed, piece by piece. */
export async function* writeArchive(parts: ArchiveParts, onProgress: OnProgress): AsyncGenerator<Uint8Array> {
  const { store, disk, sources, page } = parts;
  const roots = store.roots();
  const paths = topologicalOrder(
    store.index,
    closure(
      store.index,
      roots.map(({ path }) => path),
    ),
  );
  const manifest: Manifest = {
    format: FORMAT,
    page,
    profiles: store.profiles(),
    roots: roots.filter(({ name }) => !generationLinks(store).has(name)),
    machine: disk.inodes.map(({ atime, mtime, ctime, ...rest }) => ({
      ...rest,
      times: [String(atime), String(mtime), String(ctime)],
    })),
    sources: sources.map(({ record }) => record),
  };
  yield member("terrarium.json", toBytes(encodeUtf8(JSON.stringify(manifest))));
  const cacheInfo = { storeDir: store.storeDir, wantMassQuery: true, priority: 50 };
  yield member("cache/nix-cache-info", toBytes(printCacheInfo(cacheInfo)));
  const written = new Set<string>();
  for (const [count, path] of paths.entries()) {
    onProgress(`Packing ${paths.length} store paths`, count / paths.length);
    const info = store.requireInfo(path);
    const url = `nar/${info.narHash.replace("sha256:", "")}.nar`;
    const text = printNarInfo({ info, url, compression: "none", fileHash: info.narHash, fileSize: info.narSize });
    yield member(`cache/${hashPartOf(path)}.narinfo`, toBytes(text));
    if (written.has(url)) continue;
    written.add(url);
    const pieces: Uint8Array[] = [];
    for await (const piece of store.nar(path)) pieces.push(piece);
    yield member(`cache/${url}`, concatBytes(pieces));
  }
  onProgress("Packing the machine's files", null);
  for (const [inode, index, bytes] of disk.chunks) yield member(`machine/${inode}/${index}`, bytes);
  for (const [number, { tree }] of sources.entries()) yield member(`sources/${number}.nar`, encodeNar(tree));
  yield END;
}

/** Roots that the profiles themselves make. */
const generationLinks = (store: Store): Set<string> =>
  new Set(
    store
      .profiles()
      .flatMap(({ name, generations }) => generations.map(({ number }) => `${profilePath(name)}-${number}-link`)),
  );

/** An archive of one file has two blocks of zeros at its end. */
const END = new Uint8Array(1024);
const member = (name: string, contents: Uint8Array): Uint8Array =>
  writeTar([{ name, node: regularFile(contents) }]).subarray(0, -END.length);

// Reading

/** An archive whose form is right; its store paths are not checked yet. */
export interface ReadArchive {
  readonly page: PageRecords;
  readonly disk: MachineDisk;
  readonly sources: readonly { readonly record: SourceRecord; readonly tree: SourceTree }[];
  readonly paths: readonly NarInfo[];
  readonly profiles: readonly Profile[];
  readonly roots: readonly Root[];
  /** The NAR of a path, as it came. */
  nar(info: NarInfo): Uint8Array;
}

/** @throws StoreError "corrupt", saying what is not as it should be */
export const readArchive = (tree: SourceTree, onProgress: OnProgress): Promise<ReadArchive> =>
  readParts(tree, onProgress).catch((error: unknown) => {
    // Something of the manifest is of another kind than its readers take for granted.
    throw error instanceof TypeError ? damaged("its terrarium.json is incomplete") : error;
  });

async function readParts(tree: SourceTree, onProgress: OnProgress): Promise<ReadArchive> {
  const file = (name: string): Uint8Array => {
    const node = nodeAt(tree, name);
    if (node?.type !== "regular") throw damaged(`it has no ${name}`);
    return node.contents;
  };
  if (nodeAt(tree, "terrarium.json")?.type !== "regular") {
    throw new StoreError("corrupt", "This is not a workspace's archive: it has no terrarium.json.");
  }
  const manifest = readManifest(fromBytes(file("terrarium.json")));
  const cache = nodeAt(tree, "cache");
  const names = cache?.type === "directory" ? [...cache.entries.keys()] : [];
  const paths = names
    .filter((name) => name.endsWith(".narinfo"))
    .map((name) => parseNarInfo(fromBytes(file(`cache/${name}`)), name));
  const inodes = manifest.machine.map(readInode);
  const ids = new Set(inodes.map(({ id }) => id));
  if (inodes.some(({ entries }) => entries?.some(([, id]) => !ids.has(id)))) {
    throw damaged("a folder of the machine names a file that is not there");
  }
  onProgress("Checking the package sets", null);
  return {
    page: manifest.page,
    profiles: manifest.profiles.map(readProfile),
    roots: manifest.roots.map(({ name, path }) => ({ name: text(name), path: text(path) })),
    disk: { inodes, chunks: inodes.flatMap((inode) => chunksOf(inode, tree)) },
    sources: await Promise.all(
      manifest.sources.map((record, number) => readSource(record, file(`sources/${number}.nar`))),
    ),
    paths,
    nar: ({ url }) => file(`cache/${url}`),
  };
}

/**
 * Puts an archive's paths, profiles and roots into an empty store, each path only when it has the hash it is registered with.
 * @throws StoreError naming the path that is refused, and why
 */
export async function fillStore(archive: ReadArchive, store: Store, onProgress: OnProgress): Promise<void> {
  const waiting = new Map(archive.paths.map((one) => [one.info.path, one]));
  const total = waiting.size;
  while (waiting.size > 0) {
    const before = waiting.size;
    for (const [path, one] of waiting) {
      if (one.info.references.some((reference) => reference !== path && waiting.has(reference))) continue;
      await store.addNar({ ...one.info, ultimate: false }, [archive.nar(one)]);
      waiting.delete(path);
      onProgress(`Checking ${total} store paths`, 1 - waiting.size / total);
    }
    if (waiting.size === before) throw damaged("its store paths refer to each other in a circle");
  }
  for (const profile of archive.profiles) await store.updateProfile(profile.name, () => profile);
  for (const { name, path } of archive.roots) await store.addRoot(name, path);
}

function readManifest(json: string): Manifest {
  let value: Partial<Manifest> | null;
  try {
    value = JSON.parse(decodeUtf8(json)) as Partial<Manifest> | null;
  } catch {
    throw damaged("its terrarium.json is no JSON");
  }
  if (typeof value?.format === "number" && value.format > FORMAT) {
    throw new StoreError("schema", `This archive was made by a newer Terrarium (format ${value.format}).`);
  }
  const { format, page, profiles, roots, machine, sources } = value ?? {};
  if (format !== FORMAT || typeof page !== "object" || page === null) throw damaged("its terrarium.json is incomplete");
  if (![profiles, roots, machine, sources].every(Array.isArray)) throw damaged("its terrarium.json is incomplete");
  return value as Manifest;
}

function readProfile({ name, current, generations }: Profile): Profile {
  if (!Array.isArray(generations)) throw damaged("a profile has no generations");
  const read = generations.map(({ number, path, created, label, note, pinned }): Generation => ({
    number: whole(number),
    path: text(path),
    created: whole(created),
    ...(label === undefined ? {} : { label: text(label) }),
    ...(note === undefined ? {} : { note: text(note) }),
    ...(pinned === true ? { pinned } : {}),
  }));
  const ascending = read.every(({ number }, index) => index === 0 || number > read[index - 1].number);
  if (!ascending || (current !== undefined && !read.some(({ number }) => number === current)))
    throw damaged("a profile's generations are not in order");
  return { name: text(name), current, generations: read };
}

function readInode(record: Manifest["machine"][number]): InodeRecord {
  const { id, mode, uid, gid, nlink, rdev, size, chunks, target, entries, times } = record;
  if (!Array.isArray(chunks) || !Array.isArray(times) || chunks.length % 2 === 1) throw damaged("a file has no place");
  const [atime, mtime, ctime] = times.map((time) => {
    if (!/^-?\d{1,20}$/.test(String(time))) throw damaged("a file has no time");
    return BigInt(time);
  });
  return {
    id: whole(id),
    mode: whole(mode),
    uid: whole(uid),
    gid: whole(gid),
    nlink: whole(nlink),
    rdev: whole(rdev),
    size: whole(size),
    atime,
    mtime,
    ctime,
    chunks: chunks.map(whole),
    ...(target === undefined ? {} : { target: text(target) }),
    ...(entries === undefined
      ? {}
      : { entries: entries.map(([name, inode]): [string, number] => [text(name), whole(inode)]) }),
  };
}

/** The stored chunks of an inode, as its own record names them: start and count in turn. */
function chunksOf({ id, chunks }: InodeRecord, tree: SourceTree): MachineDisk["chunks"] {
  const found: [number, number, Uint8Array][] = [];
  for (let at = 0; at < chunks.length; at += 2) {
    for (let index = chunks[at]; index < chunks[at] + chunks[at + 1]; index++) {
      const node = nodeAt(tree, `machine/${id}/${index}`);
      if (node?.type !== "regular") throw damaged(`a part of the machine's file ${id} is missing`);
      found.push([id, index, node.contents.slice()]);
    }
  }
  return found;
}

async function readSource(record: SourceRecord, nar: Uint8Array): Promise<{ record: SourceRecord; tree: SourceTree }> {
  const tree = decodeNar(nar);
  const got = printHash((await digestNar(tree)).hash, "sri");
  const title = text(record.title).slice(0, 200);
  if (got !== record.narHash) {
    throw new StoreError("hash-mismatch", `the package set ${title} has the hash ${got}, not ${record.narHash}`);
  }
  return { record: { ...record, title }, tree };
}

function text(value: unknown): string {
  if (typeof value !== "string") throw damaged("a text is missing");
  return value;
}

function whole(value: unknown): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw damaged("a number is missing");
  return value as number;
}

const damaged = (what: string): StoreError => new StoreError("corrupt", `This archive is damaged: ${what}.`);
