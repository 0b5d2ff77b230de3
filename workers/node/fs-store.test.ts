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
