import { describe, expect, it } from "vitest";
import { definitionAt, referencesAt, rename } from "./definition.ts";
import { openDocument } from "./document.ts";

/** The cursor is `$0`. */
function cursor(marked: string): [ReturnType<typeof openDocument>, number] {
  const offset = marked.indexOf("$0");
  return [openDocument("/w/a.nix", marked.replace("$0", "")), offset];
}

/** The text with each span in brackets. */
function mark(text: string, spans: readonly { start: number; end: number }[]): string {
  let result = text;
  for (const { start, end } of [...spans].sort((a, b) => b.start - a.start)) {
    result = `${result.slice(0, start)}[${result.slice(start, end)}]${result.slice(end)}`;
  }
  return result;
}

const definition = (marked: string, expected: string): void => {
  const [document, offset] = cursor(marked);
  expect(mark(document.text, definitionAt(document, offset))).toBe(expected);
};

const references = (marked: string, expected: string): void => {
  const [document, offset] = cursor(marked);
  expect(mark(document.text, referencesAt(document, offset))).toBe(expected);
};

const renamed = (marked: string, name: string, expected: string): void => {
  const [document, offset] = cursor(marked);
  const result = rename(document, offset, name);
  if (!result.ok) {
    expect(result.reason).toBe(expected);
    return;
  }
  let text = document.text;
  for (const edit of [...result.edits].reverse()) text = text.slice(0, edit.start) + edit.text + text.slice(edit.end);
  expect(text).toBe(expected);
};

describe("definition", () => {
  it("let", () => definition("let a = 1; in $0a", "let [a] = 1; in a"));
  it("from the name", () => definition("let $0a = 1; in a", "let [a] = 1; in a"));
  it("shadowed", () => definition("let a = 1; in a: $0a", "let a = 1; in [a]: a"));
  it("formal", () => definition("{ a, b ? a }: $0a", "{ [a], b ? a }: a"));
  it("formal in a default", () => definition("{ a, b ? $0a }: a", "{ [a], b ? a }: a"));
  it("@", () => definition("{ a }@x: $0x.a", "{ a }@[x]: x.a"));
  it("rec", () => definition("rec { a = 1; b = $0a; }", "rec { [a] = 1; b = a; }"));
  it("not in a plain set", () => definition("{ a = 1; b = $0a; }", "{ a = 1; b = a; }"));
  it("let before with", () => definition("let a = 1; in with { a = 2; }; $0a", "let [a] = 1; in with { a = 2; }; a"));
  it("inherit refers outwards", () => definition("a: rec { inherit $0a; }", "[a]: rec { inherit a; }"));
  it("inherit from", () => definition("let inherit ({ a = 1; }) a; in $0a", "let inherit ({ a = 1; }) [a]; in a"));
  it("paths with one head", () => definition("let a.b = 1; a.c = 2; in $0a", "let [a].b = 1; [a].c = 2; in a"));
  it("attribute of a known set", () => definition("let x = { a = 1; }; in x.$0a", "let x = { [a] = 1; }; in x.a"));
  it("nested attribute", () => definition("let x = { a.b = 1; }; in x.a.$0b", "let x = { a.[b] = 1; }; in x.a.b"));
  it("legacy let", () => definition("let { a = 1; body = $0a; }", "let { [a] = 1; body = a; }"));
  it("interpolated", () => definition('let a = "x"; in "${$0a}"', 'let [a] = "x"; in "${a}"'));
  it("behind a non-ASCII text", () => definition('let a = "é😀"; in $0a', 'let [a] = "é😀"; in a'));
  it("with a known set", () => definition("let s = { a = 1; }; in with s; $0a", "let s = { [a] = 1; }; in with s; a"));
  it("a file", () =>
    expect(definitionAt(...cursor("import ./b/$0c.nix"))).toEqual([{ path: "/w/b/c.nix", start: 0, end: 0 }]));
  it("a broken text", () => definition("let a = 1; in { b = $0a }", "let [a] = 1; in { b = a }"));
});

describe("references", () => {
  it("let", () => references("let a = 1; in $0a + a", "let [a] = 1; in [a] + [a]"));
  it("not the shadowed", () => references("let $0a = 1; in (a: a) a", "let [a] = 1; in (a: a) [a]"));
  it("inherit", () => references("let $0a = 1; in { inherit a; }", "let [a] = 1; in { inherit [a]; }"));
});

describe("rename", () => {
  it("let", () => renamed("let a = 1; in $0a + a", "b", "let b = 1; in b + b"));
  it("inherit becomes a binding", () => renamed("let $0a = 1; in { inherit a; }", "b", "let b = 1; in { a = b; }"));
  it("one of several inherited", () => renamed("$0a: c: { inherit a c; }", "b", "b: c: { inherit c; a = b; }"));
  it("an inherited definition", () => renamed("let inherit (x) a; in $0a", "b", "let b = x.a; in b"));
  it("paths", () => renamed("let $0a.b = 1; a.c = 2; in a", "d", "let d.b = 1; d.c = 2; in d"));
  it("a keyword", () => renamed("let $0a = 1; in a", "if", "'if' is not an identifier."));
  it("taken", () => renamed("let $0a = 1; b = 2; in a", "b", "'b' is already defined in the same place."));
  it("captured", () => renamed("$0a: b: a", "b", "'b' is defined between this name and a use of it."));
  it("capturing", () => renamed("b: $0a: b", "b", "'b' is used here with another meaning."));
  it("nothing there", () => renamed("$01", "b", "There is no name of this file here."));
});
