import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { ParseOptions } from "./options.ts";
import { parse } from "./parser.ts";
import { printExpr } from "./print.ts";
import { positionAt, stdinSource } from "./source.ts";

interface Golden {
  readonly text: string;
  readonly flags: readonly string[];
  readonly output: string;
}

const goldens = JSON.parse(
  readFileSync(new URL("../testdata/syntax/parse.json", import.meta.url), "utf8"),
) as readonly Golden[];

function optionsOf(flags: readonly string[]): Partial<ParseOptions> {
  const setting = (name: string): "ignore" | "warn" | "fatal" => {
    const index = flags.indexOf(name);
    return index < 0 ? "ignore" : (flags[index + 1] as "warn" | "fatal");
  };
  return {
    home: "/home/user",
    pure: flags.includes("pure-eval"),
    pipeOperators: flags.includes("pipe-operators"),
    lintUrlLiterals: setting("lint-url-literals"),
    lintShortPathLiterals: setting("lint-short-path-literals"),
    lintAbsolutePathLiterals: setting("lint-absolute-path-literals"),
  };
}

/** The tree or the error with its position, and the first line of each warning: as the golden has them. */
function run(text: string, flags: readonly string[]): { result: string; warnings: string[] } {
  const source = stdinSource(text, "/base/dir");
  const { ast, diagnostics, warnings } = parse(source, optionsOf(flags));
  const [error] = diagnostics;
  const lines = warnings.map((warning) => `warning: ${warning.message.split("\n")[0]}`);
  if (error === undefined) return { result: printExpr(ast), warnings: lines };
  if (error.positioned === false) return { result: `error: ${error.message}`, warnings: lines };
  const { line, column } = positionAt(source, error.start);
  return {
    result: `error: ${error.message.replaceAll("\n", "\n       ")}\n       at \u00c2\u00abstdin\u00c2\u00bb:${line}:${column}:`,
    warnings: lines,
  };
}

function check({ text, flags, output }: Golden): void {
  const { result, warnings } = run(text, flags);
  const lines = output.split("\n");
  const error = lines.findIndex((line) => line.startsWith("error: "));
  if (lines[error]?.startsWith("error: undefined variable")) {
    // Names are the evaluator's; the text itself is right.
    expect(result).not.toMatch(/^error/);
    return;
  }
  expect(result).toBe(error < 0 ? lines[0] : lines.slice(error, error + result.split("\n").length).join("\n"));
  expect(warnings).toEqual(lines.filter((line) => line.startsWith("warning: ")));
}

describe("as nix-instantiate --parse", () => {
  for (const golden of goldens) it(JSON.stringify(golden.text), () => check(golden));
});

describe("depth", () => {
  const deep = 100_000;
  const texts: Record<string, [string, number]> = {
    parentheses: ["(".repeat(deep) + "1" + ")".repeat(deep), 1],
    lists: ["[".repeat(deep) + "]".repeat(deep), 6 * deep - 3],
    sets: ["{a=".repeat(deep) + "1" + ";}".repeat(deep), 9 * deep + 1],
    sums: ["1" + "+1".repeat(deep), 6 * deep + 1],
    functions: ["x: ".repeat(deep) + "1", 5 * deep + 1],
    interpolations: ['"${'.repeat(deep) + "1" + '}"'.repeat(deep), 2 * deep + 1],
  };
  for (const [name, [text, length]] of Object.entries(texts)) {
    it(name, () => {
      const { ast, diagnostics } = parse(stdinSource(text));
      expect(diagnostics).toEqual([]);
      expect(printExpr(ast).length).toBe(length);
    });
  }
});

describe("recovery", () => {
  const recovered = (text: string, messages: readonly string[], tree: string): void => {
    const { ast, diagnostics } = parse(stdinSource(text));
    expect(diagnostics.map((one) => one.message.replace(/^syntax error, unexpected /, ""))).toEqual(messages);
    expect(printExpr(ast)).toBe(tree);
  };
  it("missing ;", () => recovered("{ a = 1 }", ["'}', expecting ';'"], "{ a = 1; }"));
  it("missing ; before a binding", () =>
    recovered("{ a = 1\n b = 2; c = 3; }", ["'=', expecting ';'"], "{ a = (1 b); c = 3; }"));
  it("missing value", () => recovered("{ a = ; b = 2; }", ["';'"], "{ a = ; b = 2; }"));
  it("unfinished selection", () =>
    recovered("{ a = b.; c = 1; }", ["';', expecting identifier or 'or' or '${' or '\"'"], '{ a = (b).""; c = 1; }'));
  it("two errors", () => recovered("{ a = [ 1; b = (2; }", ["';'", "';', expecting ')'"], "{ a = [ (1) ]; b = 2; }"));
  it("stray bracket", () => recovered("{ a = 1 ); b = 2; }", ["')', expecting ';'"], "{ a = 1; b = 2; }"));
  it("open at the end", () => recovered("let a = { b = [ 1", ["end of file"], "(let a = { b = [ (1) ]; }; in )"));
  it("open string", () => recovered('{ a = "x', ["end of file, expecting '\"'"], '{ a = "x"; }'));
  it("missing in", () => recovered("let a = 1; b", ["end of file, expecting '.' or '='"], "(let a = 1; b = ; in )"));
  it("nothing", () => recovered("", ["end of file"], ""));
  it("any bytes", () => {
    let seed = 1;
    for (let round = 0; round < 2000; round++) {
      let text = "";
      for (let index = 0; index < 24; index++) {
        seed = (seed * 1103515245 + 12345) & 0x7fffffff;
        text += "{}[]()=;:,.\"'$@?!<>|&+-*/\\ \nabclet in or if 1"[(seed >> 8) % 48];
      }
      expect(() => printExpr(parse(stdinSource(text)).ast)).not.toThrow();
    }
  });
});
