import { array, assert, constantFrom, property } from "fast-check";
import { describe, expect, it } from "vitest";
import { highlight } from "./highlight.ts";

const kinds = (source: string): string[] =>
  highlight(source)
    .filter((token) => token.kind !== "text")
    .map((token) => `${token.kind}:${token.text}`);

describe("highlight", () => {
  it.each([
    ["# note\n1", ["comment:# note", "number:1"]],
    ["/* a\nb */ x", ["comment:/* a\nb */", "variable:x"]],
    ["a.b = true;", ["name:a.b", "builtin:true"]],
    ["a == b", ["variable:a", "variable:b"]],
    ["let x = ./y.nix; in x", ["keyword:let", "name:x", "path:./y.nix", "keyword:in", "variable:x"]],
    ["<nixpkgs/lib>", ["path:<nixpkgs/lib>"]],
    ['"a\\"b"', ['string:"a', 'escape:\\"', 'string:b"']],
    ['"a${b + 1}c"', ['string:"a', "escape:${", "variable:b", "number:1", "escape:}", 'string:c"']],
    ['"${ { a = 1; }.a }"', ['string:"', "escape:${", "name:a", "number:1", "variable:a", "escape:}", 'string:"']],
    ["''a ''${b} '''c''", ["string:''a ", "escape:''$", "string:{b} ", "escape:'''", "string:c''"]],
    ["''a ${b}''", ["string:''a ", "escape:${", "variable:b", "escape:}", "string:''"]],
    ["letter", ["variable:letter"]],
    ["if-then", ["variable:if-then"]],
    ["{ pkgs, a ? 1, ... }@all: x: pkgs.hello", ["number:1", "variable:pkgs", "variable:hello"]],
  ])("%j", (source, expected) => expect(kinds(source)).toEqual(expected));

  it("loses no character, whatever it is given", () => {
    const pieces = array(constantFrom("''", '"', "${", "}", "{", "\\", "$", "#", "\n", "/*", "a", " = ", "./x", "'"));
    assert(
      property(pieces, (parts) => {
        const source = parts.join("");
        return (
          highlight(source)
            .map((token) => token.text)
            .join("") === source
        );
      }),
    );
  });
});
