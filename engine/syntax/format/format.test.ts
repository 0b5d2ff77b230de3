import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "../parser.ts";
import { printExpr } from "../print.ts";
import { stdinSource } from "../source.ts";
import { format } from "./format.ts";

const formatted = (text: string): string => format(stdinSource(text));

function check(text: string, expected: string): void {
  expect(formatted(text)).toBe(expected);
  expect(formatted(expected)).toBe(expected);
}

const long = "abcdefghijklmnopqrstuvwxyz".repeat(2);

describe("one line", () => {
  const same = (text: string): void => check(`  ${text}`, `${text}\n`);
  it("number", () => same("1"));
  it("set", () => same("{ a = 1; }"));
  it("empty", () => same("{ }"));
  it("empty list", () => same("[ ]"));
  it("list", () => same("[ 1 2 ]"));
  it("call", () => same("f x (g y)"));
  it("operators", () => same("a + b * c"));
  it("signs", () => same("-a + !b"));
  it("if", () => same("if a then b else c"));
  it("with", () => same("with a; b"));
  it("function", () => same("x: y: x"));
  it("formals", () => same("{ a, b ? 1, ... }@args: a"));
  it("formals the other way", () => same("args@{ a }: a"));
  it("select", () => same("a.b.c or d"));
  it("has", () => same("a ? b.c"));
  it("paths", () => same("[ ./a <b/c> ~/d http://e ]"));
  it("string", () => same('"a ${b + "c"} d"'));
  it("path with interpolation", () => same("./a/${b}/c"));
  it("or as a name", () => same("f or"));
  it("rec", () => same("rec { a = 1; }"));
  it("inherit", () => same("{ inherit a b; inherit (c) d; }"));
  it("quoted and dynamic names", () => same('{ "a b" = 1; ${c} = 2; d.${e}."f" = 3; }'));
});

describe("spacing", () => {
  it("is made even", () => check("{a=1;b  =  [1 2];}", "{ a = 1; b = [ 1 2 ]; }\n"));
  it("of operators", () => check("a+b", "a + b\n"));
  it("of functions", () => check("x :x", "x: x\n"));
  it("of formals", () => check("{a,b?1,...}:a", "{ a, b ? 1, ... }: a\n"));
  it("needless commas go", () => check("{ a, b, }: a", "{ a, b }: a\n"));
  it("empty brackets", () => check("[{} []]", "[ { } [ ] ]\n"));
  it("one empty line stays", () => check("{\n  a = 1;\n\n\n\n  b = 2;\n}", "{\n  a = 1;\n\n  b = 2;\n}\n"));
  it("none at the start", () => check("\n\n{\n\n  a = 1;\n\n}\n\n", "{\n  a = 1;\n}\n"));
});

describe("lines", () => {
  it("a set stays open", () => check("{\na = 1; b = 2;}", "{\n  a = 1;\n  b = 2;\n}\n"));
  it("a set that is too long opens", () =>
    check(`{ a = ${long}; b = ${long}; }`, `{\n  a = ${long};\n  b = ${long};\n}\n`));
  it("a list that is too long opens", () => check(`[ ${long} ${long} ]`, `[\n  ${long}\n  ${long}\n]\n`));
  it("a set that is a value opens", () => check("{ a = { b = 1; }; }", "{\n  a = {\n    b = 1;\n  };\n}\n"));
  it("unless it inherits once", () => check("{ a = { inherit b; }; }", "{ a = { inherit b; }; }\n"));
  it("let", () => check("let a = 1; b = 2; in a", "let\n  a = 1;\n  b = 2;\nin\na\n"));
  it("let in a binding", () =>
    check("{\n a = let b = 1; in b; }", "{\n  a =\n    let\n      b = 1;\n    in\n    b;\n}\n"));
  it("if", () =>
    check(
      `if ${long} then ${long} else if a then b else c`,
      `if ${long} then\n  ${long}\nelse if a then\n  b\nelse\n  c\n`,
    ));
  it("operators", () => check(`${long} ++ ${long} ++ c`, `${long}\n++ ${long}\n++ c\n`));
  it("update with a set", () => check("a // {\n b = 1; }", "a // {\n  b = 1;\n}\n"));
  it("call with a set", () => check("f a {\n b = 1; }", "f a {\n  b = 1;\n}\n"));
  it("call with a function", () => check("map (x: {\n a = x; }) b", "map\n  (x: {\n    a = x;\n  })\n  b\n"));
  it("value with a call", () => check("{\na = f {\n b = 1; }; }", "{\n  a = f {\n    b = 1;\n  };\n}\n"));
  it("long formals", () => check(`{ ${long}, b${long} }: 1`, `{\n  ${long},\n  b${long},\n}:\n1\n`));
  it("a function of a set", () => check("{ pkgs, ... }: {\n a = 1; }", "{ pkgs, ... }:\n{\n  a = 1;\n}\n"));
  it("long inherit", () =>
    check(`{ inherit ${long} b${long}; }`, `{\n  inherit\n    ${long}\n    b${long}\n    ;\n}\n`));
  it("parentheses", () => check(`(${long} + ${long})`, `(\n  ${long}\n  + ${long}\n)\n`));
});

describe("comments", () => {
  const same = (text: string): void => check(text, text);
  it("before", () => same("# a\n1\n"));
  it("after", () => same("1 # a\n"));
  it("at the end", () => same("1\n# a\n"));
  it("in a set", () => same("{\n  # a\n  b = 1; # c\n  # d\n}\n"));
  it("between bindings", () => same("{\n  a = 1;\n\n  # b\n\n  # c\n  d = 1;\n}\n"));
  it("alone in a set", () => same("{\n  # a\n}\n"));
  it("alone in a list", () => same("[\n  # a\n]\n"));
  it("in a list", () => same("[\n  1 # a\n  # b\n  2\n]\n"));
  it("before in", () => same("let\n  a = 1;\n  # b\nin\na\n"));
  it("before a body", () => same("let\n  a = 1;\nin\n# b\na\n"));
  it("in a block", () => same("/* a */ 1\n"));
  it("in formals", () => same("{\n  a, # b\n  # c\n  d,\n}:\n1\n"));
  it("of many lines", () => same("/*\n  a\n*/\n1\n"));
});

describe("strings", () => {
  it("keep what is in them", () => check('"a\n  b"', '"a\n  b"\n'));
  it("move with the code", () =>
    check("{\n  a = ''\n        b\n\n          c\n  '';\n}", "{\n  a = ''\n    b\n\n      c\n  '';\n}\n"));
  it("stay where they must", () => check("{\n  a = ''b\n        c'';\n}", "{\n  a = ''b\n        c'';\n}\n"));
});

describe("texts it leaves alone", () => {
  it("errors", () => expect(formatted("{ a = 1 }")).toBe("{ a = 1 }"));
  it("depth", () => expect(formatted(`${"[".repeat(9000)}${"]".repeat(9000)}`).length).toBe(18000));
});

describe("the channel", () => {
  const folder = new URL("../../../samples/channel/", import.meta.url);
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".nix"));
  for (const file of files) {
    it(file, () => {
      const text = readFileSync(new URL(file, folder), "latin1");
      const once = formatted(text);
      expect(formatted(once)).toBe(once);
      expect(printExpr(parse(stdinSource(once)).ast)).toBe(printExpr(parse(stdinSource(text)).ast));
    });
  }
});

describe("the goldens", () => {
  const goldens = JSON.parse(readFileSync(new URL("../../testdata/syntax/parse.json", import.meta.url), "utf8")) as {
    text: string;
  }[];
  it("are stable and not left alone", () => {
    const unstable: string[] = [];
    for (const { text } of goldens) {
      if (/[\r\0]/.test(text) || parse(stdinSource(text)).diagnostics.length > 0) continue;
      const once = formatted(text);
      if (formatted(once) !== once || (once === text && !text.endsWith("\n"))) unstable.push(text);
    }
    expect(unstable).toEqual([]);
  });
});
