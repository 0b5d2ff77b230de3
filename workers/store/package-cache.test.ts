/**
 * The package cache beside the page: whole, signed by the key that this program believes, and what C++ Nix built the examples with. And as
 * a substituter: it fetches what is wanted with all it refers to, asks for nothing that is not there, and is no error when it is out of reach.
 */
import { readFileSync, readdirSync, statSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { realise } from "#engine/build/realise.ts";
import { StoreError } from "#engine/store/error.ts";
import { parseHash, printHash } from "#engine/store/format/hash.ts";
import { parseNarInfo } from "#engine/store/format/narinfo.ts";
import { isTrusted } from "#engine/store/format/signature.ts";
import { hashPartOf } from "#engine/store/format/store-path.ts";
import { MemoryBacking } from "#engine/store/memory-backing.ts";
import { Store } from "#engine/store/store.ts";
import { packageCache, packageKeys } from "./package-cache.ts";

const root = path.join(import.meta.dirname, "../..");
const cache = path.join(root, "web/public/cache");
const list = readFileSync(path.join(cache, "paths"), "utf8").trim().split("\n");
const infos = list.map((hash) =>
  parseNarInfo(readFileSync(path.join(cache, `${hash}.narinfo`), "latin1"), `${hash}.narinfo`, "/nix/store"),
);
const byName = (name: string) => infos.find(({ info }) => info.path.endsWith(`-${name}`))!.info.path;
const never = { aborted: false, addEventListener: () => undefined, removeEventListener: () => undefined };

describe("the cache", () => {
  it("has what its list names and nothing else", () => {
    const names = readdirSync(cache).filter((name) => name.endsWith(".narinfo"));
    expect(names.sort()).toEqual(list.map((hash) => `${hash}.narinfo`));
    const archives = new Set(infos.map(({ url }) => url.slice("nar/".length)));
    expect(readdirSync(path.join(cache, "nar")).sort()).toEqual([...archives].sort());
  });
  it("is closed, signed, and as large as it says", () => {
    const known = new Set(infos.map(({ info }) => info.path));
    for (const { info, url, fileSize } of infos) {
      expect(isTrusted(info, packageKeys), info.path).toBe(true);
      expect(info.references.filter((reference) => !known.has(reference))).toEqual([]);
      expect(statSync(path.join(cache, url)).size, url).toBe(fileSize);
    }
  });
  it("stays below 40 MB", () => {
    const size = infos.reduce((sum, { fileSize }) => sum + (fileSize ?? 0), 0);
    expect(size).toBeLessThan(40_000_000);
  });
  it("has the bytes that C++ Nix built the examples with", () => {
    const goldens = path.join(root, "engine/testdata/samples");
    const compared = ["compile", "cross", "database", "nginx"].flatMap((example) => {
      const { paths } = JSON.parse(readFileSync(path.join(goldens, `${example}.json`), "utf8")) as {
        paths: Record<string, { narHash: string }>;
      };
      return infos
        .filter(({ info }) => info.path in paths)
        .map(({ info }) => [info.path, printHash(parseHash(info.narHash), "sri"), paths[info.path].narHash]);
    });
    expect(compared.length).toBeGreaterThan(25);
    for (const [name, ours, theirs] of compared) expect(ours, name).toBe(theirs);
  });
});

describe("the substituter", () => {
  const asked: string[] = [];
  const fetch = async (url: string) => {
    asked.push(url);
    return readFileSync(path.join(root, "web/public", url));
  };
  const fetchPath = async (wanted: string, substituter = packageCache(fetch)) => {
    const store = await Store.open(new MemoryBacking(), { now: () => 1 });
    const options = { store, substituters: [substituter], trustedKeys: packageKeys, signal: never, owner: "test" };
    await realise([wanted], options);
    return store;
  };

  it("fetches a program with its C library", async () => {
    const hello = byName("hello-gnu-2.10");
    const store = await fetchPath(hello);
    expect(store.requireInfo(hello).references).toEqual([byName("glibc-2.36")]);
    expect(await store.readFile(hello, "bin/hello")).toBeDefined();
    expect(asked.filter((url) => url.startsWith("cache/nar/")).length).toBeLessThanOrEqual(3);
  });
  it("asks for nothing that its list does not name", async () => {
    asked.length = 0;
    const missing = `/nix/store/${"0".repeat(32)}-missing`;
    expect(await packageCache(fetch).offer(missing)).toBeUndefined();
    expect(asked).toEqual(["cache/paths", "cache/nix-cache-info"]);
  });
  it("offers nothing when it cannot be reached, and is asked again", async () => {
    let reachable = false;
    const sometimes = packageCache((url) => (reachable ? fetch(url) : Promise.reject(new Error("offline"))));
    expect(await sometimes.offer(byName("glibc-2.36"))).toBeUndefined();
    reachable = true;
    expect(await sometimes.offer(byName("glibc-2.36"))).toBeDefined();
  });
  it("refuses an archive with another content", async () => {
    const changed = packageCache(async (url) => {
      const bytes = await fetch(url);
      return url.startsWith("cache/nar/") ? new Uint8Array([...bytes.subarray(0, -1), 0x55]) : bytes;
    });
    await expect(fetchPath(byName("glibc-2.36"), changed)).rejects.toThrow(StoreError);
  });
  it("knows each path by its hash part", () => {
    expect(infos.map(({ info }) => hashPartOf(info.path))).toEqual(list);
  });
});
