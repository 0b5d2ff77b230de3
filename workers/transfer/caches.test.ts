/** Caches from files: where in an archive they may lie, whose word is taken, and what is refused. */
import { expect, test } from "vitest";
import { writeToCache } from "#engine/build/binary-cache.ts";
import { toBytes } from "#engine/store/format/bytes.ts";
import { parseSecretKey } from "#engine/store/format/signature.ts";
import { type SourceTree, regularFile } from "#engine/store/format/tree.ts";
import { MemoryBacking } from "#engine/store/memory-backing.ts";
import { Store } from "#engine/store/store.ts";
import { addCache, listCaches, readCacheFile, removeCache, trustKey } from "./caches.ts";
import { treeOf } from "./take-home.ts";

const SECRET = "test-1:3FkR8XRq0XWRE4mGoyfyc+boDu/JxNX6xDQdkX/HU2LM2Zer6z4Q9hAsmYRzk87fhNiM3IdSCK+Su5eh8AJI7Q==";
const PUBLIC = "test-1:zNmXq+s+EPYQLJmEc5PO34TYjNyHUgivkruXofACSO0=";
const OTHER = "test-1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
const file = (text: string) => regularFile(toBytes(text));
const quiet = () => undefined;

/** A cache of one content-addressed path and one that only a signature proves. */
async function cacheFiles(signed: boolean): Promise<Map<string, Uint8Array>> {
  const store = await Store.open(new MemoryBacking(), { now: () => 1 });
  const source = await store.addTree("source", file("source"));
  const { ca: _, ...rest } = await store.addTree("built", file("built"));
  const other = await Store.open(new MemoryBacking(), { now: () => 1 });
  await other.register([{ info: source, tree: await store.tree(source.path) }], (sha256) => store.blob(sha256));
  await other.register([{ info: rest, tree: await store.tree(rest.path) }], (sha256) => store.blob(sha256));
  const files = new Map<string, Uint8Array>();
  const write = async (name: string, contents: Uint8Array) => void files.set(name, contents);
  const cache = { url: "memory", read: async (name: string) => files.get(name), write };
  await writeToCache(other, other.paths(), cache, signed ? { key: parseSecretKey(SECRET) } : {});
  return files;
}

const placed = (files: ReadonlyMap<string, Uint8Array>, folder = ""): SourceTree =>
  treeOf([...files].map(([name, bytes]) => [folder + name, regularFile(bytes)] as const));

const given = { id: "one", title: "cache.tar", now: 3 };

test.each(["", "cache/", "deep/in/an/archive/"])("kept from the folder “%s”, and gone as a whole", async (folder) => {
  const files = await cacheFiles(true);
  const backing = new MemoryBacking();
  const record = await addCache(backing, placed(files, folder), given, quiet);
  expect(record).toMatchObject({ id: "one", paths: 2, signers: ["test-1"], key: null, trusted: 1, priority: 50 });
  for (const [name, bytes] of files) expect(await readCacheFile(backing, "one", name)).toEqual(bytes);
  expect(await listCaches(backing)).toEqual([record]);
  await removeCache(backing, "one");
  expect(await backing.keys("")).toEqual([]);
});

test.each<[string, boolean, string | null, number]>([
  ["its own", true, PUBLIC, 2],
  ["another of the same name", true, OTHER, 1],
  ["none", true, null, 1],
  ["one that signed nothing", false, PUBLIC, 1],
])("a key: %s", async (_, signed, key, trusted) => {
  const backing = new MemoryBacking();
  await addCache(backing, placed(await cacheFiles(signed)), given, quiet);
  expect(await trustKey(backing, "one", key)).toMatchObject({ key, trusted });
});

test("what is no key changes nothing", async () => {
  const backing = new MemoryBacking();
  const record = await addCache(backing, placed(await cacheFiles(true)), given, quiet);
  await expect(trustKey(backing, "one", "nonsense")).rejects.toMatchObject({ code: "signature" });
  expect(await listCaches(backing)).toEqual([record]);
});

test.each<[string, (files: Map<string, Uint8Array>) => unknown, RegExp]>([
  ["no cache at all", (files) => files.delete("nix-cache-info"), /cache\.tar is no binary cache/],
  [
    "of another store",
    (files) => files.set("nix-cache-info", toBytes("StoreDir: /other/store\n")),
    /is for Nix stores with prefix '\/other\/store'/,
  ],
  [
    "a NAR is missing",
    (files) => [...files.keys()].filter((name) => name.startsWith("nar/")).map((name) => files.delete(name)),
    /cache\.tar lists '\/nix\/store\/.*', but has no nar\//,
  ],
  ["a damaged info", (files) => files.set("x.narinfo", toBytes("nonsense")), /x\.narinfo/],
])("refused: %s", async (_, change, message) => {
  const files = await cacheFiles(true);
  change(files);
  const backing = new MemoryBacking();
  await expect(addCache(backing, placed(files), given, quiet)).rejects.toThrow(message);
  expect(await backing.keys("")).toEqual([]);
});
