/** Flakes over an outside in memory; what C++ Nix answers to the same files was asked of it by hand. */
import { describe, expect, test } from "vitest";
import { NixError } from "../eval/error.ts";
import { createEvaluator } from "../eval/evaluator.ts";
import { IoError } from "../eval/io.ts";
import type { Io } from "../eval/io.ts";
import { printAmbiguous } from "../eval/print.ts";

/** Trees by address; fetching `/flakes/x` gives the store path of that name. */
const files: Readonly<Record<string, string>> = {
  "a/flake.nix": `{
    inputs.b.url = "path:/flakes/b";
    inputs.c = { url = "path:/flakes/c"; flake = false; };
    inputs.d = { url = "path:/flakes/d"; inputs.b.follows = "b"; };
    outputs = { self, b, c, d }: {
      x = b.y + 1;
      text = builtins.readFile "\${c}/file";
      z = d.v;
      names = builtins.attrNames self.inputs;
    };
  }`,
  "b/flake.nix": "{ outputs = { self }: { y = 41; }; }",
  "b/sub/flake.nix": "{ outputs = inputs: { o = baseNameOf inputs.self.outPath; }; }",
  "c/file": "data\n",
  "d/flake.nix": `{ inputs.b.url = "path:/flakes/missing"; outputs = { self, b }: { v = b.y * 2; }; }`,
  "locked/flake.nix": `{ inputs.p.url = "path:/flakes/moving"; outputs = { self, p }: { inherit (p) y; }; }`,
  "locked/flake.lock": JSON.stringify({
    version: 7,
    root: "root",
    nodes: {
      root: { inputs: { p: "p" } },
      p: { original: { type: "path", path: "/flakes/moving" }, locked: { type: "path", path: "/flakes/b" } },
    },
  }),
  "inner/flake.nix": `{ inputs.lib.url = "./lib"; outputs = { self, lib }: { inherit (lib) v; at = baseNameOf lib.outPath; }; }`,
  "inner/lib/flake.nix": "{ outputs = { self }: { v = 7; }; }",
  "cycle/flake.nix": `{ inputs.a.follows = "b"; inputs.b.follows = "a"; outputs = { self, a, b }: { }; }`,
  "odd/flake.nix": "{ output = 1; outputs = { self }: { }; }",
  "none/flake.nix": "{ }",
};

const STORE = "/nix/store/";
const storePath = (name: string): string => `${STORE}${"0".repeat(32)}-${name}`;
const keyOf = (path: string): string => path.slice(STORE.length + 33);

const io = {
  readFile: (path: string) => files[keyOf(path)]!,
  readDir: () => [],
  lstat: (path: string) => {
    const key = keyOf(path);
    if (key in files) return { type: "regular", executable: false, size: 1 };
    const isFolder = path.startsWith(STORE) && Object.keys(files).some((file) => file.startsWith(`${key}/`));
    return isFolder ? { type: "directory", executable: false, size: 0 } : undefined;
  },
  readLink: () => "",
  getEnv: () => undefined,
  currentTime: () => 0,
  isValidPath: (path: string) => Object.keys(files).some((file) => file.startsWith(`${keyOf(path)}/`)),
  references: () => [],
  fetch: ({ options }: { options: Readonly<Record<string, unknown>> }) => {
    const name = String(options["path"]).slice("/flakes/".length);
    if (!Object.keys(files).some((file) => file.startsWith(`${name}/`)))
      throw new IoError("ENOENT", name, "no such flake");
    return { storePath: storePath(name), narHash: `sha256-${"A".repeat(43)}=`, attributes: { lastModified: 86_400 } };
  },
  log: () => undefined,
} as unknown as Io;

function check(expr: string, pureEval = false): string {
  const evaluator = createEvaluator({ io, settings: { pureEval, experimentalFeatures: new Set(["flakes"]) } });
  try {
    const slot = evaluator.expression(expr);
    evaluator.forceDeep(slot);
    return printAmbiguous(slot);
  } catch (thrown) {
    if (thrown instanceof NixError) return `error: ${thrown.message}`;
    throw thrown;
  }
}

describe("getFlake", () => {
  const flake = (name: string): string => `(builtins.getFlake "path:/flakes/${name}")`;
  test.each([
    [`${flake("a")}.x`, "42"],
    [`${flake("a")}.text`, '"data\\n"'],
    [`${flake("a")}.z`, "82"],
    [`${flake("a")}.names`, '[ "b" "c" "d" ]'],
    [`${flake("a")}._type`, '"flake"'],
    [`${flake("a")}.lastModifiedDate`, '"19700102000000"'],
    [
      `builtins.attrNames ${flake("a")}.inputs.c`,
      '[ "lastModified" "lastModifiedDate" "narHash" "outPath" "sourceInfo" ]',
    ],
    [
      `builtins.attrNames ${flake("a")}.inputs.b`,
      '[ "_type" "inputs" "lastModified" "lastModifiedDate" "narHash" "outPath" "outputs" "sourceInfo" "y" ]',
    ],
    [`${flake("b?dir=sub")}.outputs`, '{ o = "sub"; }'],
    [`${flake("locked")}.y`, "41"],
    [`${flake("inner")}.v`, "7"],
    [`${flake("inner")}.at`, '"lib"'],
    [flake("c"), `error: path '${storePath("c")}/flake.nix' does not exist`],
    [flake("nowhere"), "error: no such flake"],
    [flake("none"), "error: flake 'path:/flakes/none' lacks attribute 'outputs'"],
  ])("%s", (expr, expected) => expect(check(expr)).toBe(expected));

  test("a cycle of follows is an error", () => expect(check(flake("cycle"))).toMatch(/^error: follow cycle detected/));
  test("unknown attributes are refused", () =>
    expect(check(flake("odd"))).toMatch(
      /^error: flake 'path:\/flakes\/odd' has an unsupported attribute 'output', at /,
    ));
  test("an unlocked reference is refused under pure evaluation", () =>
    expect(check(flake("a"), true)).toMatch(/^error: cannot call 'getFlake' on unlocked flake reference/));
});
