/**
 * The evaluator as an object: requests that are fulfilled later, files that change, trees for a page, depth.
 */
import { describe, expect, test } from "vitest";
import { errorToData } from "./error-data.ts";
import { NixError } from "./error.ts";
import { createEvaluator, type Evaluator } from "./evaluator.ts";
import { IoError, NeedsIO, type FileStatus, type Io } from "./io.ts";
import { PendingWrites } from "./pending-writes.ts";
import { printAmbiguous } from "./print.ts";
import type { Settings } from "./settings.ts";
import { valueTree } from "./value-tree.ts";

/** A world of files in memory; those not `loaded` are asked for by NeedsIO. */
class TestIo implements Io {
  readonly files: Map<string, string>;
  readonly loaded: Set<string>;
  readonly lines: string[] = [];
  readonly writes = new PendingWrites("/nix/store", (path) => this.readFile(path));
  realised = new Set<string>();

  constructor(files: Record<string, string>, loaded: readonly string[] = Object.keys(files)) {
    this.files = new Map(Object.entries(files));
    this.loaded = new Set(loaded);
  }

  readFile(path: string): string {
    const text = this.files.get(path);
    if (text === undefined) throw new IoError("ENOENT", path);
    if (!this.loaded.has(path)) throw new NeedsIO({ kind: "read", path });
    return text;
  }
  readDir(): [] {
    return [];
  }
  lstat(path: string): FileStatus | undefined {
    if (this.files.has(path)) return { type: "regular", executable: false, size: this.files.get(path)!.length };
    const isDirectory = [...this.files.keys()].some((file) => file.startsWith(`${path}/`));
    return isDirectory ? { type: "directory", executable: false, size: 0 } : undefined;
  }
  readLink(path: string): string {
    throw new IoError("EINVAL", path);
  }
  getEnv(): undefined {
    return undefined;
  }
  currentTime(): number {
    return 1;
  }
  addSource(request: Parameters<Io["addSource"]>[0]): string {
    return this.writes.addSource(request);
  }
  addText(name: string, text: string, references: readonly string[]): string {
    return this.writes.addText(name, text, references, false);
  }
  writeDerivation(drvPath: string, text: string, references: readonly string[]): void {
    this.writes.writeDerivation(drvPath, text, references);
  }
  readDerivation(drvPath: string): string {
    throw new IoError("ENOENT", drvPath);
  }
  isValidPath(path: string): boolean {
    return this.writes.has(path);
  }
  references(): undefined {
    return undefined;
  }
  realise(drvPath: string, outputs: readonly string[]): string[] {
    if (!this.realised.has(drvPath)) throw new NeedsIO({ kind: "realise", drvPath, outputs });
    return [];
  }
  fetch(): never {
    throw new NeedsIO({ kind: "store", path: "" });
  }
  log(line: string): void {
    this.lines.push(line);
  }
}

function make(files: Record<string, string>, settings: Partial<Settings> = {}): { io: TestIo; evaluator: Evaluator } {
  const io = new TestIo(files);
  return { io, evaluator: createEvaluator({ io, settings }) };
}

const show = (evaluator: Evaluator, text: string): string =>
  printAmbiguous(evaluator.forceDeep(evaluator.expression(text)));

describe("NeedsIO", () => {
  /** Evaluates, fulfilling reads one by one; returns the result and what was asked. */
  function fulfil(io: TestIo, evaluator: Evaluator, text: string): { result: string; asked: string[] } {
    const asked: string[] = [];
    const slot = evaluator.expression(text);
    for (;;) {
      try {
        return { result: printAmbiguous(evaluator.forceDeep(slot)), asked };
      } catch (thrown) {
        if (!(thrown instanceof NeedsIO) || thrown.request.kind !== "read") throw thrown;
        asked.push(thrown.request.path);
        io.loaded.add(thrown.request.path);
      }
    }
  }

  test.each([400, 0])("resumes where it was, with a budget of %i frames", (directDepth) => {
    const io = new TestIo({ "/a.nix": "import ./b.nix + 1", "/b.nix": "2", "/c.nix": "3" }, []);
    const evaluator = createEvaluator({ io, settings: { directDepth } });
    const text =
      'let once = builtins.trace "once" 1; in [ once (import /a.nix) (builtins.tryEval (import /c.nix)).value once ]';
    const { result, asked } = fulfil(io, evaluator, text);
    expect(result).toBe("[ 1 3 3 1 ]");
    expect(asked).toEqual(["/a.nix", "/b.nix", "/c.nix"]);
    expect(io.lines).toEqual(["trace: once"]);
  });

  test.each([400, 0])("traces that were unwound are not repeated, with a budget of %i frames", (directDepth) => {
    const io = new TestIo({ "/a.nix": 'builtins.trace "a" (import ./b.nix)', "/b.nix": "2" }, []);
    const evaluator = createEvaluator({ io, settings: { directDepth } });
    const text = 'builtins.trace "before" ((builtins.trace "left" 1) + import /a.nix) + builtins.trace "after" 1';
    expect(fulfil(io, evaluator, text).result).toBe("4");
    expect(io.lines).toEqual(["trace: before", "trace: left", "trace: a", "trace: after"]);
  });

  test("import from derivation asks to realise", () => {
    const { io, evaluator } = make({}, { readOnly: false });
    const slot = evaluator.expression('import (derivation { name = "x"; builder = "b"; system = "s"; })');
    const ask = (): unknown => evaluator.force(slot);
    expect(ask).toThrow(NeedsIO);
    io.realised.add("/nix/store/5wq5jx7219pmi3xklyhl77fjbqvy6qaj-x.drv");
    expect(ask).toThrow(/does not exist/);
    io.files.set("/nix/store/gwwjwi08fyrbrz2d8zkfvy65nzzq2czp-x", "42");
    io.loaded.add("/nix/store/gwwjwi08fyrbrz2d8zkfvy65nzzq2czp-x");
    expect(
      evaluator.force(evaluator.expression('import (derivation { name = "x"; builder = "b"; system = "s"; })')),
    ).toBe(42);
  });
});

describe("files that change", () => {
  const files = {
    "/lib/default.nix": "{ f = import ./f.nix; }",
    "/lib/f.nix": 'builtins.trace "f" (x: x + 1)',
    "/w/main.nix": "let lib = import ../lib; in lib.f (import ./part.nix).n",
    "/w/part.nix": '{ n = builtins.trace "part" 1; }',
  };

  test("only what depends on them is evaluated again", () => {
    const { io, evaluator } = make(files);
    const run = (): unknown => evaluator.force(evaluator.expression("import /w/main.nix"));
    expect(run()).toBe(2);
    expect(run()).toBe(2);
    io.files.set("/w/part.nix", '{ n = builtins.trace "part" 10; }');
    expect(evaluator.refresh()).toEqual(["/w/part.nix"]);
    expect(run()).toBe(11);
    io.files.set("/lib/f.nix", "x: x - 1");
    evaluator.invalidate(["/lib/f.nix"]);
    expect(run()).toBe(9);
    expect(io.lines).toEqual(["trace: f", "trace: part", "trace: part"]);
  });

  test("a syntax error and its mending", () => {
    const { io, evaluator } = make({ "/a.nix": "{ x = 1" });
    const run = (): unknown => evaluator.force(evaluator.expression("(import /a.nix).x"));
    expect(run).toThrow(/syntax error/);
    io.files.set("/a.nix", "{ x = 1; }");
    evaluator.refresh();
    expect(run()).toBe(1);
  });
});

describe("depth", () => {
  const { evaluator } = make({});

  const deep: [string, string][] = [
    ["let f = n: if n == 0 then 0 else 1 + f (n - 1); in f 9999", "9999"],
    [
      "let xs = builtins.genList (i: if i == 0 then 0 else 1 + builtins.elemAt xs (i - 1)) 4900; in builtins.elemAt xs 4899",
      "4899",
    ],
    ["builtins.foldl' (a: b: a + b) 0 (builtins.genList (i: i) 100000)", "4999950000"],
    [
      "let chain = builtins.foldl' (acc: i: { v = acc.v + 1; }) { v = 0; } (builtins.genList (i: i) 100000); in chain.v",
      "100000",
    ],
    ["let f = n: if n == 0 then [ ] else [ (f (n - 1)) ]; in builtins.deepSeq (f 5000) 1", "1"],
    [`${"(".repeat(5000)}1${")".repeat(5000)}`, "1"],
    [`${"1 + ".repeat(20000)}1`, "20001"],
    [`${"[".repeat(3000)}${"]".repeat(3000)} == 1`, "false"],
  ];
  test.each(deep.map(([text, expected]) => [text.slice(0, 60), text, expected] as const))(
    "%s",
    (_title, text, expected) => {
      expect(show(evaluator, text)).toBe(expected);
    },
  );

  const large = [
    "builtins.genList (x: x) 2147483647",
    'builtins.foldl\' (s: _: s + s) "aaaa" (builtins.genList (x: x) 40)',
  ];
  test.each(large)("what no heap has room for is an error: %s", (text) => {
    expect(() => show(evaluator, text)).toThrow("out of memory");
    expect(show(evaluator, "1 + 1")).toBe("2");
  });

  test("a budget beyond the stack is made smaller", () => {
    const { evaluator: generous } = make({}, { directDepth: 1_000_000 });
    expect(show(generous, "let f = n: if n == 0 then 0 else 1 + f (n - 1); in f 9999")).toBe("9999");
  });
});

describe("plain data", () => {
  const { evaluator } = make({});
  const tree = (text: string, limits = {}): unknown =>
    evaluator.run(() => valueTree(evaluator.expression(text), limits));

  test("a tree of what is asked for", () => {
    expect(tree('{ a = [ 1 "x" ]; b.c.d = 1; e = throw "no"; f = x: x; }', { depth: 2 })).toMatchObject({
      type: "set",
      entries: [
        [
          "a",
          {
            type: "list",
            items: [
              { type: "int", value: 1 },
              { type: "string", value: "x" },
            ],
          },
        ],
        ["b", { type: "set", entries: [["c", { type: "more", of: "set" }]] }],
        ["e", { type: "error", error: { kind: "throw", message: "no" } }],
        ["f", { type: "function" }],
      ],
    });
  });

  test("limits", () => {
    expect(tree("builtins.genList (x: x) 1000", { width: 3 })).toMatchObject({ type: "list", omitted: 997 });
    expect(tree("let x = { a = x; }; in x", { depth: 100 })).toMatchObject({
      entries: [["a", { type: "more", of: "repeated" }]],
    });
  });

  test("errors say where in the user's own files", () => {
    const { evaluator: two } = make({ "/lib.nix": "x: x.missing", "/own.nix": "\n  (import ./lib.nix) { }" });
    try {
      two.force(two.expression("import /own.nix"));
      expect.unreachable();
    } catch (thrown) {
      const data = errorToData(thrown as NixError, (file) => file === "/own.nix");
      expect(data).toMatchObject({
        kind: "missing",
        message: "attribute 'missing' missing",
        position: { file: "/lib.nix", line: 1, column: 4 },
        own: { file: "/own.nix", line: 2, column: 4 },
      });
    }
  });
});
