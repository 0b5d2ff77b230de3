import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { storeContract } from "#engine/store/contract.ts";
import { toBytes } from "#engine/store/format/bytes.ts";
import { directory, regularFile, symlink } from "#engine/store/format/tree.ts";
import { FsBacking, openFsStore } from "./fs-store.ts";

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "terrarium-fs-store-"));
let count = 0;

afterAll(() => {
  execFileSync("chmod", ["-R", "u+w", scratch]);
  fs.rmSync(scratch, { recursive: true });
});

function freshRoot(): string {
  return path.join(scratch, String(count++));
}

const cases = storeContract(async () => {
  const root = freshRoot();
  return { backing: new FsBacking(root), reopen: async () => new FsBacking(root) };
});

test.each(cases)("file system: $name", ({ run }) => run());

const TREE = directory([
  ["bin", directory([["sh", regularFile(toBytes("#!\n"), true)]])],
  ["link", symlink("bin/\xff")],
  ["\xff", regularFile(toBytes("x"))],
]);

test("files lie in the store with canonical modes and times", async () => {
  const root = freshRoot();
  const store = await openFsStore(root);
  const info = await store.addTree("tree", TREE);
  const real = path.join(root, info.path);
  const shape = (below: string) => {
    const status = fs.lstatSync(path.join(real, below));
    return `${(status.mode & 0o7777).toString(8)} ${status.mtimeMs}`;
  };
  expect([shape("."), shape("bin"), shape("bin/sh")]).toEqual(["555 1000", "555 1000", "555 1000"]);
  expect(fs.readlinkSync(path.join(real, "link"), "latin1")).toBe("bin/\xff");
  expect(fs.readdirSync(real, "latin1").sort()).toEqual(["bin", "link", "\xff"]);
  await store.collectGarbage();
  expect(fs.existsSync(real)).toBe(false);
});

test("a journal left by a dead process is applied", async () => {
  const root = freshRoot();
  const store = await openFsStore(root);
  const { path: kept } = await store.addText("kept", "x");
  const backing = new FsBacking(root);
  const before = await backing.get("meta/seq");
  // What a process leaves that dies between the journal and its application: the old state and the journal.
  const journal = path.join(backing.metadata, "journal");
  const { serialize } = await import("node:v8");
  fs.writeFileSync(
    journal,
    serialize({ puts: [["meta/seq", serialize((before as number) + 1)]], deletes: ["root/none"] }),
  );
  const again = await openFsStore(root);
  expect(again.sequence).toBe((before as number) + 1);
  expect(again.isValid(kept)).toBe(true);
  expect(fs.existsSync(journal)).toBe(false);
});

test("writers in two processes' stores take turns", async () => {
  const root = freshRoot();
  const stores = await Promise.all([openFsStore(root), openFsStore(root), openFsStore(root)]);
  await Promise.all(
    stores.flatMap((store, index) => [1, 2, 3].map((n) => store.addText(`t${index}${n}`, `${index} ${n}`))),
  );
  expect((await openFsStore(root)).paths().length).toBe(9);
});

test("damage from outside is found, and mended from a good archive", async () => {
  const root = freshRoot();
  const store = await openFsStore(root);
  const { path: damaged } = await store.addTree("tree", TREE);
  const nar: Uint8Array[] = [];
  for await (const piece of store.nar(damaged)) nar.push(piece.slice());
  const file = path.join(root, damaged, "\xff");
  const bytes = Buffer.from(file, "latin1");
  fs.chmodSync(bytes, 0o644);
  fs.writeFileSync(bytes, "y");
  expect((await store.verify(true)).map(({ kind }) => kind)).toEqual(["modified"]);
  expect(await store.verify(false)).toEqual([]);
  await store.repairFromNar(damaged, nar);
  expect(await store.verify(true)).toEqual([]);
  expect(fs.readFileSync(bytes, "utf8")).toBe("x");
  execFileSync("chmod", ["-R", "u+w", path.join(root, damaged)]);
  fs.rmSync(path.join(root, damaged), { recursive: true });
  expect((await store.verify(false)).map(({ kind }) => kind)).toEqual(["removed"]);
  await store.forget([damaged]);
  expect(store.isValid(damaged)).toBe(false);
});

test("files that lie in the store are registered as they are listed", async () => {
  const from = freshRoot();
  const { path: added, narHash, narSize } = await (await openFsStore(from)).addTree("tree", TREE);
  const root = freshRoot();
  const store = await openFsStore(root);
  const loose = { path: added, narHash, narSize, references: [added], deriver: undefined };
  await expect(store.registerLaidOut([loose])).rejects.toThrow("does not exist");
  execFileSync("cp", ["-a", path.join(from, added), path.join(root, added)]);
  await expect(store.registerLaidOut([{ ...loose, narHash: `sha256:${"0".repeat(52)}` }])).rejects.toThrow("modified");
  await store.registerLaidOut([loose]);
  expect(store.requireInfo(added)).toMatchObject({ narHash, narSize, references: [added] });
  expect(await store.verify(true)).toEqual([]);
});
