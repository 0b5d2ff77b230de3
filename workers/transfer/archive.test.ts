/** Archives of workspaces: what comes back, and that nothing damaged does. Where it is present, C++ Nix reads the store inside. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { concatBytes, encodeUtf8, fromBytes, toBytes } from "#engine/store/format/bytes.ts";
import { printHash } from "#engine/store/format/hash.ts";
import { hashNar } from "#engine/store/format/nar.ts";
import { type TarMember, readTar, writeTar } from "#engine/store/format/tar.ts";
import { type SourceTree, directory, regularFile, symlink, walkTree } from "#engine/store/format/tree.ts";
import { MemoryBacking } from "#engine/store/memory-backing.ts";
import { annotate, setPath } from "#engine/store/profile.ts";
import { Store } from "#engine/store/store.ts";
import { type ArchiveParts, type MachineDisk, fillStore, readArchive, writeArchive } from "./archive.ts";
import type { PageRecords } from "./types.ts";

const quiet = () => undefined;
const file = (text: string) => regularFile(toBytes(encodeUtf8(text)));
const openStore = () => Store.open(new MemoryBacking(), { now: () => 5 });

const page: PageRecords = {
  workspace: {
    title: "Grüße",
    entry: "configuration.nix",
    files: [{ path: "configuration.nix", text: "{ } # ü" }],
    origin: null,
    sources: [],
  },
  snapshots: { 1: [{ path: "configuration.nix", text: "{ }" }] },
  lessons: { "01-first": { at: 2, predicted: [1, null], here: false } },
};

const inode = { uid: 0, gid: 0, nlink: 1, rdev: 0, atime: 1n, mtime: 1_700_000_000_123_456_789n, ctime: 3n };
const disk: MachineDisk = {
  inodes: [
    {
      ...inode,
      id: 1,
      mode: 0o40755,
      size: 0,
      chunks: [],
      entries: [
        ["log", 2],
        ["\xff", 3],
      ],
    },
    { ...inode, id: 2, mode: 0o100644, size: 65_540, chunks: [0, 2] },
    { ...inode, id: 3, mode: 0o120777, size: 3, chunks: [], target: "log" },
  ],
  chunks: [
    [2, 0, new Uint8Array(65_536).fill(7)],
    [2, 1, toBytes("tail")],
  ],
};

const setTree = directory([["default.nix", file("{ }")]]);
const record = { narHash: printHash(hashNar(setTree).hash, "sri"), title: "set.zip", files: 1, bytes: 3, added: 9 };

async function parts(): Promise<ArchiveParts> {
  const store = await openStore();
  const leaf = await store.addTree(
    "leaf",
    directory([
      ["a", file("leaf")],
      ["l", symlink("a")],
    ]),
  );
  const top = await store.addTree("system", file(`uses ${leaf.path}`), "nar", "sha256", {
    others: [leaf.path],
    self: false,
  });
  await store.addTree("garbage", file("nobody needs this"));
  await store.updateProfile("system", (profile) => setPath(setPath(profile, leaf.path, 10), top.path, 20, "label"));
  await store.updateProfile("system", (profile) => annotate(profile, 1, { note: "nöte", pinned: true }));
  await store.addRoot("/root/result", leaf.path);
  return { page, store, disk, sources: [{ record, tree: setTree }] };
}

async function archived(): Promise<SourceTree> {
  const pieces: Uint8Array[] = [];
  for await (const piece of writeArchive(await parts(), quiet)) pieces.push(piece);
  return readTar(concatBytes(pieces));
}

/** The archive with one file changed; undefined takes it away. */
async function changed(name: RegExp, change: (contents: Uint8Array) => Uint8Array | undefined): Promise<SourceTree> {
  const members: TarMember[] = [];
  for (const [at, node] of walkTree(await archived())) {
    if (node.type !== "regular") continue;
    const contents = name.test(at) ? change(node.contents) : node.contents;
    if (contents !== undefined) members.push({ name: at.slice(1), node: regularFile(contents) });
  }
  return readTar(writeTar(members));
}

async function take(tree: SourceTree): Promise<Store> {
  const store = await openStore();
  await fillStore(await readArchive(tree, quiet), store, quiet);
  return store;
}

test("everything comes back, and what no root needs does not", async () => {
  const given = await parts();
  const tree = await archived();
  const read = await readArchive(tree, quiet);
  expect(read.page).toEqual(page);
  expect(read.disk).toEqual(disk);
  expect(read.sources).toEqual([{ record, tree: setTree }]);
  const store = await take(tree);
  expect(store.paths()).toEqual(given.store.paths().filter((path) => !path.endsWith("-garbage")));
  expect(store.profiles()).toEqual(given.store.profiles());
  expect(store.roots()).toEqual(given.store.roots());
  expect(await store.verify(true)).toEqual([]);
});

const text = (edit: (text: string) => string) => (contents: Uint8Array) => toBytes(edit(fromBytes(contents)));
const manifest = (edit: (value: Record<string, never>) => object) =>
  text((json) => JSON.stringify(edit(JSON.parse(json) as Record<string, never>)));

test.each<[string, RegExp, (contents: Uint8Array) => Uint8Array | undefined, RegExp]>([
  [
    "a changed file",
    /\.nar$/,
    text((nar) => nar.replace("leaf", "lead")),
    /hash mismatch importing path '\/nix\/store\/.*-leaf'/,
  ],
  ["a truncated NAR", /cache\/nar\//, (nar) => nar.subarray(0, -8), /./],
  ["no NAR", /cache\/nar\//, () => undefined, /it has no cache\/nar\//],
  [
    "a missing reference",
    /narinfo$/,
    (info) => (fromBytes(info).includes("-leaf\n") && /-leaf\nURL/.test(fromBytes(info)) ? undefined : info),
    /its reference '.*-leaf' is not valid/,
  ],
  [
    "another size",
    /narinfo$/,
    text((info) => info.replace(/NarSize: \d/, "NarSize: 9")),
    /size mismatch importing path/,
  ],
  [
    "another hash",
    /narinfo$/,
    text((info) => info.replace(/NarHash: sha256:..../, "NarHash: sha256:1111")),
    /hash mismatch importing path/,
  ],
  ["a damaged info", /narinfo$/, text((info) => info.replace("StorePath", "Store")), /narinfo|StorePath/],
  ["no manifest", /terrarium\.json/, () => undefined, /not a workspace's archive/],
  ["half a manifest", /terrarium\.json/, (json) => json.subarray(0, 100), /no JSON/],
  ["an empty manifest", /terrarium\.json/, () => toBytes("{}"), /incomplete/],
  ["null", /terrarium\.json/, () => toBytes("null"), /incomplete/],
  ["a newer one", /terrarium\.json/, manifest((value) => ({ ...value, format: 2 })), /newer Terrarium/],
  [
    "a generation without its path",
    /terrarium\.json/,
    text((json) => json.replace(/"path":"(\/nix\/store\/)\w{32}/, `"path":"$1${"0".repeat(32)}`)),
    /is not valid/,
  ],
  [
    "generations out of order",
    /terrarium\.json/,
    text((json) => json.replace('"number":1', '"number":3')),
    /not in order/,
  ],
  [
    "a current generation that is none",
    /terrarium\.json/,
    text((json) => json.replace('"current":2', '"current":7')),
    /not in order/,
  ],
  ["a part of a machine's file", /machine\/2\/1/, () => undefined, /a part of the machine's file 2 is missing/],
  [
    "a folder that names nothing",
    /terrarium\.json/,
    text((json) => json.replace('["log",2]', '["log",9]')),
    /names a file that is not there/,
  ],
  ["a time that is none", /terrarium\.json/, text((json) => json.replace('"1700', '"x')), /no time/],
  [
    "a changed package set",
    /sources\//,
    text((nar) => nar.replace("{ }", "{1}")),
    /the package set set\.zip has the hash/,
  ],
])("refused: %s", async (_, name, change, message) => {
  await expect(changed(name, change).then(take)).rejects.toThrow(message);
});

test.each(["profiles", "roots", "machine", "sources"])("refused: %s of another kind", async (list) => {
  for (const member of [null, 1, "text", [], {}]) {
    const tree = await changed(
      /terrarium\.json/,
      manifest((value) => ({ ...value, [list]: [member] })),
    );
    await expect(take(tree)).rejects.toMatchObject({ name: "StoreError" });
  }
});

test("whatever byte is changed, what comes in is whole or refused", async () => {
  const pieces: Uint8Array[] = [];
  for await (const piece of writeArchive(await parts(), quiet)) pieces.push(piece);
  const bytes = concatBytes(pieces);
  const property = fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
    const damaged = bytes.slice();
    damaged[at] ^= change;
    const taken = await (async () => take(readTar(damaged)))().catch((error: unknown) => error as Error);
    if (taken instanceof Store) expect(await taken.verify(true)).toEqual([]);
    else expect(["StoreError", "FormatError"]).toContain(taken.name);
  });
  await fc.assert(property, { numRuns: 150, seed: 7 });
});

const oracle = path.join(process.env["NIX_ORACLE"] ?? path.join(os.homedir(), ".cache/nix-oracle/bin"));

test.runIf(fs.existsSync(path.join(oracle, "nix-store")))(
  "C++ Nix copies from the cache inside, and verifies",
  async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "terrarium-archive-"));
    const pieces: Uint8Array[] = [];
    for await (const piece of writeArchive(await parts(), quiet)) pieces.push(piece);
    fs.writeFileSync(path.join(folder, "a.tar.gz"), gzipSync(concatBytes(pieces)));
    execFileSync("tar", ["xzf", "a.tar.gz"], { cwd: folder });
    const env = { PATH: process.env["PATH"], HOME: folder, NIX_REMOTE: `local?root=${folder}/root` };
    const nix = (program: string, ...args: string[]) =>
      execFileSync(path.join(oracle, program), args, {
        env,
        cwd: folder,
        stdio: ["ignore", "pipe", "pipe"],
      }).toString();
    const store = await take(await archived());
    const paths = store.paths();
    nix(
      "nix",
      "--extra-experimental-features",
      "nix-command",
      "copy",
      "--no-check-sigs",
      "--from",
      `file://${folder}/cache`,
      ...paths,
    );
    nix("nix-store", "--verify", "--check-contents");
    expect(nix("nix-store", "-q", "--references", paths.find((one) => one.endsWith("-system")) as string)).toContain(
      "-leaf",
    );
    execFileSync("chmod", ["-R", "u+w", folder]);
    fs.rmSync(folder, { recursive: true });
  },
);
