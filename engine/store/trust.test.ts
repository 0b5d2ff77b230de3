/** What a path's content address is worth: nothing unless the name follows from it and the content has it. */
import { expect, test } from "vitest";
import { isContentAddressed, isTrusted } from "./format/signature.ts";
import { encodeNar } from "./format/nar.ts";
import { directory, regularFile } from "./format/tree.ts";
import { toBytes } from "./format/bytes.ts";
import { MemoryBacking } from "./memory-backing.ts";
import { Store } from "./store.ts";

const open = () => Store.open(new MemoryBacking(), { now: () => 0 });
const TREE = directory([["a", regularFile(toBytes("a"))]]);
const OTHER = directory([["a", regularFile(toBytes("b"))]]);

test("a content address is trusted only with the name that it makes", async () => {
  const info = await (await open()).addTree("tree", TREE);
  expect(isContentAddressed(info)).toBe(true);
  const forged = { ...info, path: info.path.replace("-tree", "-bash") };
  expect(isContentAddressed(forged)).toBe(false);
  expect(isTrusted(forged, [])).toBe(false);
  expect(isContentAddressed({ ...info, references: [info.path] })).toBe(false);
  expect(isContentAddressed({ ...info, ca: "nonsense" })).toBe(false);
});

test("content that has another address than it claims is refused, and nothing of it stays", async () => {
  const store = await open();
  const honest = await store.addTree("tree", TREE);
  const other = await store.addTree("other", OTHER);
  const { narHash, narSize } = other;
  const empty = await open();
  const claim = { ...honest, narHash, narSize };
  await expect(empty.addNar(claim, [encodeNar(OTHER)])).rejects.toThrow(/^ca hash mismatch importing path/);
  expect(empty.paths()).toEqual([]);
  await empty.addNar(honest, [encodeNar(TREE)]);
  expect(empty.isValid(honest.path)).toBe(true);
});
