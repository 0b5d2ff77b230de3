/** The library over memory: what is kept, what is refused, what a killed writer leaves. */
import { expect, test } from "vitest";
import { encodeUtf8, toBytes } from "#engine/store/format/bytes.ts";
import { printHash } from "#engine/store/format/hash.ts";
import { hashNar } from "#engine/store/format/nar.ts";
import { type SourceTree, directory, regularFile, symlink } from "#engine/store/format/tree.ts";
import { MemoryBacking } from "#engine/store/memory-backing.ts";
import { addSource, listSources, loadSource, readChunk, readIndex, removeSource } from "./library.ts";

const file = (text: string, executable = false) => regularFile(toBytes(encodeUtf8(text)), executable);
const sri = (tree: SourceTree) => printHash(hashNar(tree).hash, "sri");
const quiet = () => undefined;
const options = { title: "set.tar.gz", expected: null, now: 7 };

const set = directory([
  ["default.nix", file("import ./a.nix")],
  ["a.nix", file("{ }")],
  ["bin", directory([["run", file("#!/bin/sh", true)]])],
  ["link", symlink("a.nix")],
  ["empty", directory([])],
]);

test.each([
  ["as it is", set, set],
  ["without the folder of an archive", directory([["set-1.0", set]]), set],
  ["one file is no folder", directory([["a.nix", file("1")]]), directory([["a.nix", file("1")]])],
  ["only one folder is taken off", directory([["x", directory([["y", set]])]]), directory([["y", set]])],
])("kept and loaded: %s", async (_, given, kept) => {
  const backing = new MemoryBacking();
  const record = await addSource(backing, given, options, quiet);
  expect(record.narHash).toBe(sri(kept));
  expect(await loadSource(backing, record.narHash)).toEqual(kept);
});

test("many files in few chunks, each read with its neighbours", async () => {
  const names = Array.from({ length: 3000 }, (_, index) => `p${index}.nix`);
  const tree = directory(names.map((name) => [name, file(`# ${name}\n${"x".repeat(960)}`)] as const));
  const backing = new MemoryBacking();
  const { narHash, files, bytes } = await addSource(backing, tree, options, quiet);
  expect(files).toBe(3000);
  expect(bytes).toBeGreaterThan(2_900_000);
  const index = await readIndex(backing, narHash);
  const chunks = new Set(
    index?.type === "directory"
      ? [...index.entries.values()].map((node) => (node.type === "regular" ? node.chunk : -1))
      : [],
  );
  expect([...chunks]).toEqual([0, 1, 2]);
  expect((await readChunk(backing, narHash, 0)).length).toBeGreaterThanOrEqual(1_000_000);
  expect(sri((await loadSource(backing, narHash)) as SourceTree)).toBe(sri(tree));
});

test("another hash than the one wanted keeps nothing", async () => {
  const backing = new MemoryBacking();
  const expected = sri(directory([]));
  await expect(addSource(backing, set, { ...options, expected }, quiet)).rejects.toMatchObject({
    code: "hash-mismatch",
    message: `set.tar.gz has the hash ${sri(set)}, and ${expected} is asked for`,
  });
  expect(await backing.keys("")).toEqual([]);
});

test("the same set is kept once, and goes as a whole", async () => {
  const backing = new MemoryBacking();
  const first = await addSource(backing, set, options, quiet);
  const again = await addSource(backing, directory([["other", set]]), { ...options, title: "again", now: 8 }, quiet);
  expect(again).toEqual(first);
  expect(await listSources(backing)).toEqual([first]);
  await removeSource(backing, first.narHash);
  expect(await backing.keys("")).toEqual([]);
  expect(await readIndex(backing, first.narHash)).toBeNull();
});

test("what a killed writer left goes with the next", async () => {
  const backing = new MemoryBacking();
  await backing.commit({ puts: [["chunk/sha256-gone/0", toBytes("x")]], deletes: [], expect: [], require: [] });
  expect(await readIndex(backing, "sha256-gone")).toBeNull();
  await addSource(backing, set, options, quiet);
  expect((await backing.keys("chunk/")).filter((key) => key.includes("gone"))).toEqual([]);
});
