import { describe, expect, it } from "vitest";
import { codeActions, editDistance } from "./actions.ts";
import { completeAt } from "./completion.ts";
import { type Document, openDocument, type Workspace } from "./document.ts";
import { hoverAt } from "./hover.ts";
import { problemsOf } from "./problems.ts";
import { documentSymbols, foldingRanges, selectionRanges } from "./structure.ts";
import { semanticTokens } from "./tokens.ts";
import type { SymbolNode } from "./types.ts";

const workspace: Workspace = {
  builtins: [
    { name: "map", arity: 2, doc: "Applies a function to each element." },
    { name: "length", arity: 1, doc: "The number of elements." },
  ],
  options: [
    { path: ["networking", "hostName"], type: "string", description: "The machine's name.", default: '"nixos"' },
    { path: ["networking", "hosts"], type: "attribute set", description: "Addresses." },
    { path: ["users", "users", "<name>", "shell"], type: "package", description: "The shell." },
    { path: ["environment", "systemPackages"], type: "list of package", description: "Packages." },
  ],
  attributes: { pkgs: ["hello", "htop"], "lib.types": ["str"] },
};

function cursor(marked: string): [Document, number] {
  return [openDocument("/w/a.nix", marked.replace("$0", "")), marked.indexOf("$0")];
}

describe("completion", () => {
  /** Whether the labels are offered, `!x` that it is not. */
  const offers = (marked: string, ...labels: string[]): void => {
    const found = new Set(completeAt(...cursor(marked), workspace).map((item) => item.label));
    for (const label of labels) {
      if (label.startsWith("!")) expect(found).not.toContain(label.slice(1));
      else expect(found).toContain(label);
    }
  };
  it("names in scope", () => offers("let apple = 1; in x: a$0", "apple", "x", "map", "if"));
  it("not names of elsewhere", () => offers("{ a = let inner = 1; in inner; b = $0; }", "!inner", "!a"));
  it("rec", () => offers("rec { apple = 1; b = $0; }", "apple"));
  it("formals", () => offers("{ pkgs, lib ? 1 }@args: $0", "pkgs", "lib", "args"));
  it("in an unfinished let", () => offers("let apple = 1; in $0", "apple"));
  it("in an unfinished binding", () => offers("let apple = 1; in { b = $0 }", "apple"));
  it("builtins", () => offers("builtins.le$0", "length", "map", "!networking"));
  it("builtins with nothing typed", () => offers("builtins.$0", "length"));
  it("builtins in a set", () => offers("{ a = builtins.$0; b = 1; }", "length"));
  it("with builtins", () => offers("with builtins; $0", "length"));
  it("with a known set", () => offers("let s = { apple = 1; }; in with s; $0", "apple"));
  it("attributes of a known set", () => offers("let s = { apple.pear = 1; }; in s.apple.$0", "pear", "!apple"));
  it("inherit", () => offers("apple: { inherit $0; }", "apple"));
  it("inherit from", () => offers("let s = { apple = 1; }; in { inherit (s) $0; }", "apple", "!s"));
  it("inherit from builtins", () => offers("{ inherit (builtins) $0; }", "length"));
  it("options", () => offers("{ config, pkgs, ... }: { $0 }", "networking", "users", "inherit"));
  it("options below", () => offers("{ ... }: { networking.$0 }", "hostName", "hosts", "!networking"));
  it("options below with a value", () => offers("{ ... }: { networking.h$0 = 1; }", "hostName"));
  it("options in a nested set", () => offers("{ ... }: { networking = { $0 }; }", "hostName"));
  it("options under config", () => offers("{ ... }: { config.networking = { host$0 }; }", "hostName"));
  it("options under any name", () => offers("{ ... }: { users.users.alice.$0 }", "shell"));
  it("options read", () => offers("{ config, ... }: { a = config.networking.$0; }", "hostName"));
  it("packages", () => offers("{ pkgs, ... }: { a = pkgs.$0; }", "hello", "!str"));
  it("packages by with", () => offers("{ pkgs, ... }: { a = with pkgs; [ he$0 ]; }", "hello", "pkgs"));
  it("packages by inherit", () => offers("{ pkgs, ... }: { inherit (pkgs) $0; }", "hello"));
  it("a path known by evaluation", () => offers("{ lib, ... }: lib.types.$0", "str", "!hello"));
  it("a path known by evaluation, by with", () => offers("{ lib, ... }: with lib.types; $0", "str"));
  it("nothing in a string", () => expect(completeAt(...cursor('"a $0"'), workspace)).toEqual([]));
  it("nothing in a comment", () => expect(completeAt(...cursor("# a$0\n1"), workspace)).toEqual([]));
  it("nothing in a number", () => expect(completeAt(...cursor("12$0"), workspace)).toEqual([]));
  it("in an interpolation", () => offers('apple: "x ${$0}"', "apple"));
  it("replaces what is typed", () => {
    const [item] = completeAt(...cursor('let apple = "é"; in ap$0'), workspace);
    expect(item!.replace).toEqual({ start: 20, end: 22 });
  });
});

describe("hover", () => {
  const hover = (marked: string, expected: RegExp): void =>
    expect(hoverAt(...cursor(marked), workspace)?.markdown ?? "").toMatch(expected);
  it("a definition", () => hover("let a = 1 + 1; in $0a", /^let `a`\n\n```nix\na = 1 \+ 1;/));
  it("its comment", () => hover("let\n  # The answer.\n  a = 42;\nin $0a", /The answer\.$/));
  it("a doc comment", () => hover("let\n  /**\n    Adds.\n  */\n  f = x: x;\nin $0f", /Adds\.$/));
  it("not a comment further up", () => hover("let\n  # Something else.\n\n  a = 42;\nin $0a", /```$/));
  it("an argument", () => hover("{ a ? 1 }: $0a", /^argument `a`\n\n```nix\na \? 1/));
  it("a builtin", () => hover("builtins.$0length", /The number of elements/));
  it("a global builtin", () => hover("$0map", /Applies a function/));
  it("an option", () =>
    hover("{ ... }: { networking.$0hostName = 1; }", /`networking.hostName`: string\n\nThe machine's name/));
  it("an option in a nested set", () => hover("{ ... }: { networking = { $0hostName = 1; }; }", /Default:/));
  it("an option read", () => hover("{ config, ... }: config.networking.$0hosts", /Addresses/));
  it("an option below any name", () => hover("{ users.users.alice.$0shell = 1; }", /The shell/));
  it("nothing", () => hover("$01", /^$/));
});

describe("tokens", () => {
  const tokens = (text: string, expected: string): void => {
    const document = openDocument("/w/a.nix", text);
    const shown = semanticTokens(document).map(
      ({ start, end, type, modifier }) => `${text.slice(start, end)}:${type}${modifier ? `.${modifier}` : ""}`,
    );
    expect(shown.filter((token) => !/:(punctuation|operator)$/.test(token)).join(" ")).toBe(expected);
  };
  it("let", () => tokens("let a = 1; in a", "let:keyword a:variable.definition 1:number in:keyword a:variable"));
  it("functions", () =>
    tokens(
      "let f = x: x; in f",
      "let:keyword f:function.definition x:parameter.definition x:parameter in:keyword f:function",
    ));
  it("unused", () => tokens("let a = 1; in 2", "let:keyword a:variable.unused 1:number in:keyword 2:number"));
  it("globals", () => tokens("map true x", "map:builtin true:constant x:variable.unresolved"));
  it("attributes", () =>
    tokens(
      "{ a.b = x: c.d; }",
      "a:property.definition b:function.definition x:parameter.unused c:variable.unresolved d:property",
    ));
  it("strings", () => tokens('"a${b}"', '":string a:string ${:escape b:variable.unresolved ":string'));
  it("comments", () => tokens("# a\n1 /* b */", "# a:comment 1:number /* b */:comment"));
  it("paths", () => tokens("[ ./a <b> http://c ]", "./a:path <b>:path http://c:url"));
});

describe("structure", () => {
  const outline = (nodes: readonly SymbolNode[]): string =>
    nodes.map((node) => node.name + (node.children.length > 0 ? `(${outline(node.children)})` : "")).join(" ");
  it("outline", () => {
    const document = openDocument(
      "/w/a.nix",
      "{ pkgs, ... }: let x = 1; in { a.b = { c = 1; }; inherit d; e = [ { f = 1; } ]; }",
    );
    expect(outline(documentSymbols(document))).toBe("x a.b(c) d e(f)");
  });
  it("folds sets, lists and comments", () => {
    const text = "# a\n# b\n{\n  a = [\n    1\n  ];\n  b = { };\n}";
    const folds = foldingRanges(openDocument("/w/a.nix", text)).map(({ start, end }) => text.slice(start, end).length);
    expect(folds).toEqual([7, 33, 11]);
  });
  it("selection grows", () => {
    const [document, offset] = cursor("{ a = f $0x; }");
    const grown = selectionRanges(document, offset).map(({ start, end }) => document.text.slice(start, end));
    expect(grown).toEqual(["x", "f x", "a = f x;", "{ a = f x; }"]);
  });
});

describe("problems", () => {
  const problems = (text: string, ...expected: string[]): void =>
    expect(problemsOf(openDocument("/w/a.nix", text)).map((one) => `${one.severity}: ${one.message}`)).toEqual(
      expected,
    );
  it("none", () => problems("let a = 1; in a"));
  it("syntax", () => problems("{ a = 1 }", "error: syntax error, unexpected '}', expecting ';'"));
  it("twice", () => problems("{ a = 1; a = 2; }", "error: attribute 'a' already defined at /w/a.nix:1:3"));
  it("unused let", () => problems("let a = 1; in 2", "hint: 'a' is never used."));
  it("unused argument", () => problems("a: 1", "hint: 'a' is never used."));
  it("not _unused", () => problems("_a: 1"));
  it("unused inherit", () => problems("let inherit (x) a; in 2", "hint: 'a' is never used."));
  it("formals are an interface", () => problems("{ a }: 1"));
});

describe("actions", () => {
  const fixes = (marked: string, title: string, expected: string, message = ""): void => {
    const [document, offset] = cursor(marked);
    const problem = {
      start: offset,
      end: offset,
      severity: "error",
      message,
      code: "evaluation",
      unnecessary: false,
    } as const;
    const problems = message === "" ? [] : [problem];
    const action = codeActions(document, { start: offset, end: offset }, problems, workspace).find(
      (one) => one.title === title,
    );
    expect(action?.title).toBe(title);
    let text = document.text;
    for (const edit of [...action!.edits].sort((a, b) => b.start - a.start))
      text = text.slice(0, edit.start) + edit.text + text.slice(edit.end);
    expect(text).toBe(expected);
  };
  it("missing ;", () => fixes("{ a = 1 $0}", "Insert ';'", "{ a = 1; }"));
  it("missing ; before the next binding", () =>
    fixes("{\n  a = 1\n  b.c $0= 2;\n}", "Insert ';'", "{\n  a = 1;\n  b.c = 2;\n}"));
  it("missing )", () => fixes("{ a = (1$0; }", "Insert ')'", "{ a = (1); }"));
  it("stray )", () => fixes("{ a = 1 $0); }", "Remove ')'", "{ a = 1 ; }"));
  it("second definition", () => fixes("{\n  a = 1;\n  $0a = 2;\n}", "Remove this second 'a'", "{\n  a = 1;\n}"));
  it("unused", () => fixes("let\n  $0a = 1;\n  b = 2;\nin b", "Remove unused 'a'", "let\n  b = 2;\nin b"));
  it("unused inherited", () => fixes("let inherit (x) $0a b; in b", "Remove unused 'a'", "let inherit (x) b; in b"));
  it("unused argument", () => fixes("$0a: 1", "Rename to '_a'", "_a: 1"));
  it("builtin without builtins", () =>
    fixes("$0length [ ]", "Use 'builtins.length'", "builtins.length [ ]", "undefined variable 'length'"));
  it("a slip", () =>
    fixes("let apple = 1; in $0aplpe", "Change to 'apple'", "let apple = 1; in apple", "undefined variable 'aplpe'"));
  it("rec", () =>
    fixes("{ a = 1; b = $0a; }", "Make the set 'rec'", "rec { a = 1; b = a; }", "undefined variable 'a'"));
  it("an argument", () =>
    fixes("{ lib }: $0pkgs", "Take 'pkgs' as an argument", "{ pkgs, lib }: pkgs", "undefined variable 'pkgs'"));
  it("inherit", () => fixes("a: { $0a = a; }", "Write as 'inherit a;'", "a: { inherit a; }"));
  it("inherit from", () => fixes("x: { $0a = x.y.a; }", "Write as 'inherit (x.y) a;'", "x: { inherit (x.y) a; }"));
  it("a wrong attribute", () =>
    fixes(
      "let s = { apple = 1; }; in s.$0aple",
      "Change to 'apple'",
      "let s = { apple = 1; }; in s.apple",
      "attribute 'aple' missing\nDid you mean apple?",
    ));
  it("a wrong option", () =>
    fixes(
      "{ networking.$0hostNam = 1; }",
      "Change to 'hostName'",
      "{ networking.hostName = 1; }",
      "The option `networking.hostNam' does not exist.\n\nDid you mean `networking.hostName', `networking.hosts' or `networking.x'?",
    ));
  it("a conflict", () =>
    fixes(
      "{ a.$0b = x: 1; }",
      "Let this definition win (lib.mkForce)",
      "{ a.b = lib.mkForce (x: 1); }",
      "The option `a.b' has conflicting definitions:",
    ));
  it("a problem by its message alone", () =>
    fixes("{ a = 1 $0}", "Insert ';'", "{ a = 1; }", "syntax error, unexpected '}', expecting ';'"));
  it("distances", () =>
    expect([editDistance("ab", "ba"), editDistance("abc", "abc"), editDistance("", "abc")]).toEqual([1, 0, 3]));
});
