/**
 * Both ways with C++ Nix, where it is present (NIX_ORACLE=DIR/bin): it reads our exports, caches and server, and checks
 * what it read; we read its exports and its caches in every compression, with its signatures.
 */
import { execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import golden from "#engine/testdata/store/commands.golden.json" with { type: "json" };
import { BinaryCacheReader, writeToCache } from "#engine/build/binary-cache.ts";
import { realise } from "#engine/build/realise.ts";
import { decodeNar } from "#engine/store/format/nar.ts";
import { parseHash, printHash } from "#engine/store/format/hash.ts";
import { parsePublicKey, parseSecretKey } from "#engine/store/format/signature.ts";
import { storeTree } from "#engine/store/format/tree.ts";
import { closure } from "#engine/store/graph.ts";
import { MemoryBacking } from "#engine/store/memory-backing.ts";
import { Store } from "#engine/store/store.ts";
import { exportPaths, importPaths } from "#engine/store/transfer.ts";
import { decompress } from "../store/decompress.ts";
import { openCacheFiles } from "./cache-files.ts";
import { openFsStore } from "./fs-store.ts";
import { serveStore } from "./serve.ts";

const oracle = process.env["NIX_ORACLE"] ?? path.join(os.homedir(), ".cache/nix-oracle/bin");
const present = fs.existsSync(path.join(oracle, "nix-store"));
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "terrarium-oracle-"));
const SYSTEM = golden.variables.system2;
const SECRET = "test-1:3FkR8XRq0XWRE4mGoyfyc+boDu/JxNX6xDQdkX/HU2LM2Zer6z4Q9hAsmYRzk87fhNiM3IdSCK+Su5eh8AJI7Q==";
const PUBLIC = "test-1:zNmXq+s+EPYQLJmEc5PO34TYjNyHUgivkruXofACSO0=";
const never = { aborted: false, addEventListener: () => undefined, removeEventListener: () => undefined };
let roots = 0;

afterAll(() => {
  execFileSync("chmod", ["-R", "u+w", scratch]);
  fs.rmSync(scratch, { recursive: true });
});

function freshRoot(): string {
  return path.join(scratch, `root${roots++}`);
}

function environment(root: string): NodeJS.ProcessEnv {
  return {
    PATH: process.env["PATH"],
    HOME: scratch,
    NIX_REMOTE: `local?root=${root}`,
    NIX_CONFIG: `trusted-public-keys = ${PUBLIC}`,
  };
}

function nix(root: string, program: string, args: readonly string[], input?: Uint8Array): Buffer {
  return execFileSync(path.join(oracle, program), args, {
    env: environment(root),
    input,
    stdio: ["pipe", "pipe", "pipe"],
  });
}

/** Without blocking, for when this process is the server. */
async function nixBesides(root: string, program: string, args: readonly string[]): Promise<number | null> {
  const child = spawn(path.join(oracle, program), args, { env: environment(root), stdio: "ignore" });
  return new Promise((resolve) => child.once("exit", resolve));
}

async function fill(store: Store): Promise<Store> {
  const blobs = new Map<string, Uint8Array>();
  const registrations = golden.world.map(({ nar, narHash, ca, deriver, path, narSize, references, ultimate }) => {
    const tree = storeTree(decodeNar(Buffer.from(nar, "base64")), (sha256, bytes) => void blobs.set(sha256, bytes));
    const hash = printHash(parseHash(narHash), "nix32", true);
    const info = { path, narSize, references, ultimate, signatures: [], narHash: hash };
    return { info: { ...info, ...(ca === null ? {} : { ca }), ...(deriver === null ? {} : { deriver }) }, tree };
  });
  await store.register(registrations, (sha256) => blobs.get(sha256) as Uint8Array);
  return store;
}

const world = async () => fill(await Store.open(new MemoryBacking(), { now: () => 1 }));

async function exported(store: Store, paths: readonly string[]): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of exportPaths(store, paths)) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** What C++ Nix says of a path, after it has checked every byte it has. */
function judged(root: string, storePath: string): string {
  nix(root, "nix-store", ["--verify", "--check-contents"]);
  return nix(root, "nix-store", ["-q", "--hash", storePath]).toString().trim();
}

test.runIf(present)("C++ Nix imports our export", async () => {
  const store = await world();
  const root = freshRoot();
  const paths = [...closure(store.index, [SYSTEM])];
  nix(root, "nix-store", ["--import"], await exported(store, paths));
  expect(judged(root, SYSTEM)).toBe(store.requireInfo(SYSTEM).narHash);
});

test.runIf(present)("we import C++ Nix's export", async () => {
  const store = await world();
  const root = freshRoot();
  const paths = [...closure(store.index, [SYSTEM])];
  nix(root, "nix-store", ["--import"], await exported(store, paths));
  const stream = nix(root, "nix-store", ["--export", ...paths]);
  const other = await openFsStore(freshRoot());
  expect((await importPaths(other, [stream])).sort()).toEqual([...paths].sort());
  expect(await other.verify(true)).toEqual([]);
  expect(other.requireInfo(SYSTEM).references).toEqual(store.requireInfo(SYSTEM).references);
});

test.runIf(present)("C++ Nix copies from a cache that we wrote and signed", async () => {
  const store = await world();
  const url = `file://${path.join(scratch, "our-cache")}`;
  const files = openCacheFiles(url);
  if (files?.write === undefined) throw new Error("no cache");
  const paths = [...closure(store.index, [SYSTEM])];
  await writeToCache(store, paths, { ...files, write: files.write }, { key: parseSecretKey(SECRET) });
  const root = freshRoot();
  nix(root, "nix", ["copy", "--from", url, SYSTEM]);
  expect(judged(root, SYSTEM)).toBe(store.requireInfo(SYSTEM).narHash);
});

test.runIf(present)("C++ Nix copies from our server", async () => {
  const store = await fill(await openFsStore(freshRoot()));
  const served = await serveStore(store, { port: 0, host: "127.0.0.1", key: parseSecretKey(SECRET) });
  const root = freshRoot();
  expect(await nixBesides(root, "nix", ["copy", "--from", served.url, SYSTEM])).toBe(0);
  await served.close();
  expect(judged(root, SYSTEM)).toBe(store.requireInfo(SYSTEM).narHash);
});

test.runIf(present).each(["none", "xz", "zstd", "bzip2", "gzip"])(
  "we substitute from C++ Nix's cache (%s)",
  async (compression) => {
    const store = await world();
    const root = freshRoot();
    nix(root, "nix-store", ["--import"], await exported(store, [...closure(store.index, [SYSTEM])]));
    const key = path.join(scratch, "key");
    fs.writeFileSync(key, SECRET);
    const directory = path.join(scratch, `cache-${compression}`);
    nix(root, "nix", ["copy", "--to", `file://${directory}?compression=${compression}&secret-key=${key}`, SYSTEM]);
    const files = openCacheFiles(`file://${directory}`);
    if (files === undefined) throw new Error("no cache");
    const reader = await BinaryCacheReader.open(files, { storeDir: "/nix/store", trusted: false, decompress });
    const target = await Store.open(new MemoryBacking(), { now: () => 1 });
    const common = { store: target, substituters: [reader], signal: never, owner: "test" };
    const withoutContent = { ...common, trustedKeys: [] };
    await expect(realise([golden.variables.hello2], withoutContent)).rejects.toThrow(
      "does not exist and cannot be created",
    );
    await realise([SYSTEM], { ...common, trustedKeys: [parsePublicKey(PUBLIC)] });
    expect(await target.verify(true)).toEqual([]);
    expect(target.requireInfo(SYSTEM).narHash).toBe(store.requireInfo(SYSTEM).narHash);
  },
);
