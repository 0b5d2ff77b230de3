/** Package sets under the evaluator: what is asked for and when, how they are found, and that what is not asked for is never loaded. */
import { expect, test } from "vitest";
import { createEvaluator } from "#engine/eval/evaluator.ts";
import { NeedsIO } from "#engine/eval/io.ts";
import { printAmbiguous } from "#engine/eval/print.ts";
import { encodeUtf8, toBytes } from "#engine/store/format/bytes.ts";
import { type SourceTree, directory, regularFile, symlink } from "#engine/store/format/tree.ts";
import { MemoryBacking } from "#engine/store/memory-backing.ts";
import { addSource, readChunk, readIndex } from "../transfer/library.ts";
import type { SourcePin } from "../transfer/types.ts";
import { CHANNELS, createVirtualFiles } from "./files.ts";
import { createPageIo } from "./io.ts";

const file = (text: string, executable = false) => regularFile(toBytes(encodeUtf8(text)), executable);
const large = "#".repeat(1_000_000);

const set = directory([
  ["default.nix", file("{ small = import ./z/small.nix; broken = import ./missing.nix; }")],
  ["large.nix", file(`1 ${large}`)],
  ["link.nix", symlink("z/small.nix")],
  ["run", file("#!/bin/sh", true)],
  ["z", directory([["small.nix", file('"smäll"')]])],
]);

interface World {
  run(expression: string): Promise<string>;
  /** What was loaded, in order. */
  readonly loaded: string[];
  use(pins: readonly SourcePin[]): void;
}

async function world(tree: SourceTree): Promise<World & { pin: SourcePin }> {
  const backing = new MemoryBacking();
  const record = await addSource(backing, tree, { title: "set.zip", expected: null, now: 1 }, () => undefined);
  const pin: SourcePin = { name: "mine", narHash: record.narHash, url: null, nixpkgs: false };
  const files = createVirtualFiles([["channel/default.nix", false, '"embedded"']], []);
  const io = createPageIo(files, []);
  const loaded: string[] = [];
  const nixPath = [`nixpkgs=${CHANNELS}/nixos`, CHANNELS];
  let evaluator = createEvaluator({ io, settings: { nixPath } });
  files.setSources([pin]);

  const supply = async (path: string): Promise<void> => {
    const part = files.missing(path);
    if (part === undefined) throw new Error(`nothing is missing at ${path}`);
    loaded.push(part.chunk === null ? "index" : `chunk ${part.chunk}`);
    if (part.chunk === null) files.supplyIndex(part.narHash, await readIndex(backing, part.narHash));
    else files.supplyChunk(part.narHash, part.chunk, await readChunk(backing, part.narHash, part.chunk));
  };
  const run = async (expression: string): Promise<string> => {
    io.begin(0);
    for (;;) {
      try {
        const value = evaluator.expression(expression);
        evaluator.forceDeep(value);
        return printAmbiguous(evaluator.force(value));
      } catch (thrown) {
        if (!(thrown instanceof NeedsIO)) return `error: ${(thrown as Error).message}`;
        if (thrown.request.kind === "store") io.answerStore(thrown.request.path, undefined);
        else if (thrown.request.kind === "read") await supply(thrown.request.path);
        else throw thrown;
      }
    }
  };
  const use = (pins: readonly SourcePin[]) => {
    files.setSources(pins);
    evaluator = createEvaluator({ io, settings: { nixPath } });
  };
  return { run, loaded, use, pin };
}

test.each([
  ["(import <mine>).small", '"smäll"', ["index", "chunk 0", "chunk 1"]],
  ["<mine/z/small.nix>", `${CHANNELS}/mine/z/small.nix`, ["index"]],
  [
    "builtins.readDir <mine>",
    '{ "default.nix" = "regular"; "large.nix" = "regular"; "link.nix" = "symlink"; run = "regular"; z = "directory"; }',
    ["index"],
  ],
  ["builtins.pathExists <mine/z/small.nix>", "true", ["index"]],
  ["builtins.pathExists (<mine> + /nothing)", "false", ["index"]],
  ["import <mine/link.nix>", '"smäll"', ["index", "chunk 1"]],
  ["builtins.readFileType <mine/run>", '"regular"', ["index"]],
  ["builtins.attrNames (builtins.readDir <mine/..>)", '[ "mine" "nixos" ]', []],
  ["import <nixpkgs>", '"embedded"', []],
  ["import <nixos>", '"embedded"', []],
  ["(import <mine>).broken", /^error: .*missing\.nix/, ["index", "chunk 0"]],
  ["<other>", /^error: file 'other' was not found in the Nix search path/, []],
] as const)("%s", async (expression, printed, parts) => {
  const { run, loaded } = await world(set);
  const got = await run(expression);
  if (typeof printed === "string") expect(got).toBe(encodeUtf8(printed));
  else expect(got).toMatch(printed);
  expect(loaded).toEqual(parts);
});

test("a set that is not to be had is as if it were not there, until it is", async () => {
  const { run, use, pin } = await world(set);
  use([{ ...pin, narHash: "sha256-unknown" }]);
  expect(await run("<mine>")).toMatch(/^error: file 'mine' was not found/);
  use([pin]);
  expect(await run("(import <mine>).small")).toBe(encodeUtf8('"smäll"'));
  use([]);
  expect(await run("<mine>")).toMatch(/^error: file 'mine' was not found/);
});

test("a whole set as a source has the path that its name and bytes make", async () => {
  const { run, pin } = await world(set);
  const path = await run('"${<mine>}"');
  expect(path).toMatch(/^"\/nix\/store\/[0-9a-z]{32}-mine"$/);
  expect(await run(`builtins.path { name = "mine"; path = <mine>; sha256 = "${pin.narHash}"; }`)).toBe(path);
});
