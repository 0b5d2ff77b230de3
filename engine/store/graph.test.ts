import { expect, test } from "vitest";
import { toBytes } from "./format/bytes.ts";
import { planGc, limitDead, whyAlive } from "./gc.ts";
import {
  addedSize,
  closure,
  closureSize,
  copyingOrder,
  diffClosures,
  distancesTo,
  referrersClosure,
  shortestChain,
  topologicalOrder,
  versionedName,
} from "./graph.ts";
import { PathIndex } from "./path-index.ts";
import type { PathInfo } from "./path-info.ts";
import { ReferenceScanner, hashModulo, rewriteHash, scanReferences } from "./references.ts";

const at = (name: string) =>
  `/nix/store/${name
    .replace(/[^a-d0-9]/g, "0")
    .padEnd(32, "0")
    .slice(0, 32)}-${name}`;

/** An index from "a: b c" lines; sizes are ten times the line's number, derivers come after "<". */
function indexOf(...lines: string[]): PathIndex {
  const index = new PathIndex();
  const infos = lines.map((line, number): PathInfo => {
    const [, name, references, deriver] = /^(\S+):([^<]*)(?:<(.*))?$/.exec(line) as unknown as [
      string,
      string,
      string,
      string?,
    ];
    return {
      path: at(name),
      narHash: "",
      narSize: 10 * (number + 1),
      references: references.split(" ").filter(Boolean).map(at).sort(),
      ...(deriver === undefined ? {} : { deriver: at(deriver.trim()) }),
      signatures: [],
      registrationTime: 0,
      ultimate: true,
    };
  });
  index.change(infos, []).apply();
  return index;
}

const DIAMOND = indexOf("d:", "b: d", "c: d c", "a: b c", "x: d");
const names = (paths: Iterable<string>) => [...paths].map((path) => path.slice(44)).join(" ");

test("closures and sizes", () => {
  expect(names([...closure(DIAMOND, [at("a")])].sort())).toBe("a b c d");
  expect(names([...referrersClosure(DIAMOND, [at("d")])].sort())).toBe("x a b c d");
  expect(closureSize(DIAMOND, [at("a")])).toBe(100);
  expect(addedSize(DIAMOND, at("a"), at("b"))).toBe(20);
  expect(addedSize(DIAMOND, at("a"), at("d"))).toBe(10);
  expect(addedSize(DIAMOND, at("a"), at("a"))).toBe(100);
});

test("orders and chains", () => {
  const order = topologicalOrder(DIAMOND, DIAMOND.paths());
  for (const path of order) {
    for (const reference of DIAMOND.info(path)?.references ?? []) {
      expect(order.indexOf(reference)).toBeLessThanOrEqual(order.indexOf(path));
    }
  }
  expect(names(copyingOrder(DIAMOND, DIAMOND.paths()))).toBe("d x b c a");
  expect(names(shortestChain(DIAMOND, at("a"), at("d")) ?? [])).toBe("a b d");
  expect(shortestChain(DIAMOND, at("d"), at("a"))).toBe(undefined);
  expect([...distancesTo(DIAMOND, at("a"), at("d"))].map(([path, far]) => `${names([path])}${far}`).sort()).toEqual([
    "a2",
    "b1",
    "c1",
    "d0",
  ]);
});

test("a chain of 30,000 paths overflows nothing", () => {
  const lines = Array.from({ length: 30_000 }, (_, index) => (index === 0 ? "p0:" : `p${index}: p${index - 1}`));
  const digits = (name: string) => `/nix/store/${name.slice(1).padStart(32, "0")}-${name}`;
  const index = new PathIndex();
  const infos = lines.map((_, number): PathInfo => {
    const references = number === 0 ? [] : [digits(`p${number - 1}`)];
    return {
      path: digits(`p${number}`),
      narHash: "",
      narSize: 1,
      references,
      signatures: [],
      registrationTime: 0,
      ultimate: true,
    };
  });
  index.change(infos, []).apply();
  const top = digits("p29999");
  expect(topologicalOrder(index, index.paths()).length).toBe(30_000);
  expect(shortestChain(index, top, digits("p0"))?.length).toBe(30_000);
  expect(closure(index, [top]).size).toBe(30_000);
});

test.each([
  ["hello-1.0", "hello", "1.0"],
  ["hello-1.0-dev", "hello", "1.0"],
  ["hello", "hello", ""],
  ["nixos-system-demo-26.05", "nixos-system-demo", "26.05"],
  ["tank-1.0.drv", "tank", "1.0.drv"],
  ["a-b-lib32", "a-b", ""],
  ["x86_64-linux-3", "x86_64-linux", "3"],
])("package of %s", (name, packageName, version) => {
  expect(versionedName(`/nix/store/${"0".repeat(32)}-${name}`)).toEqual({ name: packageName, version });
});

test("differences of closures", () => {
  const index = indexOf("lib-1:", "lib-2:", "old: lib-1", "new: lib-2");
  expect(diffClosures(index, [at("old")], [at("new")])).toEqual([
    { name: "lib", removed: ["1"], added: ["2"], sizeDelta: 10 },
    { name: "new", removed: [], added: [""], sizeDelta: 40 },
    { name: "old", removed: [""], added: [], sizeDelta: -30 },
  ]);
});

const GARBAGE = indexOf("d:", "b.drv:", "b: d < b.drv", "old:", "older: old");
const NO_OUTPUTS = { keepDerivations: true, keepOutputs: false, outputsOf: () => [] };

test("what is alive and why, what is dead and in which order", () => {
  const plan = planGc(GARBAGE, [{ name: "result", path: at("b") }], NO_OUTPUTS);
  expect(names(plan.dead)).toBe("older old");
  expect(whyAlive(plan, at("d"))).toEqual({ root: "result", chain: [at("b"), at("d")] });
  expect(whyAlive(plan, at("b.drv"))?.chain).toEqual([at("b"), at("b.drv")]);
  expect(whyAlive(plan, at("old"))).toBe(undefined);
  expect(names(limitDead(plan.dead, () => 10, 9))).toBe("older");
  expect(limitDead(plan.dead, () => 10, 0)).toEqual([]);
});

test("keep-derivations and keep-outputs", () => {
  const roots = [{ name: "result", path: at("b") }];
  expect(planGc(GARBAGE, roots, { ...NO_OUTPUTS, keepDerivations: false }).alive.has(at("b.drv"))).toBe(false);
  const outputsOf = (path: string) => (path === at("b.drv") ? [at("b")] : []);
  const fromDerivation = [{ name: "result", path: at("b.drv") }];
  expect(planGc(GARBAGE, fromDerivation, { ...NO_OUTPUTS, outputsOf }).alive.has(at("b"))).toBe(false);
  expect(planGc(GARBAGE, fromDerivation, { ...NO_OUTPUTS, keepOutputs: true, outputsOf }).alive.has(at("d"))).toBe(
    true,
  );
});

test("an index changed is an index loaded", () => {
  const index = indexOf("d:", "b: d", "a: b d");
  index.change([], [at("a")]).apply();
  expect(names(index.referrers(at("d")))).toBe("b");
  expect(index.byHashPart(at("a").slice(11, 43))).toBe(undefined);
});

const CANDIDATES = [at("a"), at("b"), at("c")];
const TEXT = toBytes(`xx${at("a")}yy${at("c").slice(11, 42)}`);

test("references are found, also across the borders of pieces", () => {
  expect(scanReferences(TEXT, CANDIDATES)).toEqual([at("a")]);
  for (let size = 1; size < 50; size++) {
    const scanner = new ReferenceScanner(CANDIDATES);
    for (let offset = 0; offset < TEXT.length; offset += size) scanner.push(TEXT.slice(offset, offset + size));
    expect(scanner.found()).toEqual([at("a")]);
  }
});

test("the hash modulo itself does not depend on the hash part", () => {
  const [from, to] = [at("a").slice(11, 43), at("b").slice(11, 43)];
  const rewritten = rewriteHash(TEXT, from, to);
  expect(hashModulo(rewritten, "sha256", to)).toEqual(hashModulo(TEXT, "sha256", from));
  expect(rewriteHash(rewritten, to, from)).toEqual(TEXT);
});
