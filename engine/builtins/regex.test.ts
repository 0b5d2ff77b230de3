/** The cases C++ Nix was asked about are goldens (testdata/builtins/regex.jsonl); these are the ones it takes for ever on, or dies of. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RegexError, compileRegex, matchRegex, splitRegex } from "./regex.ts";

const match = (pattern: string, text: string) => matchRegex(compileRegex(pattern), text);
const split = (pattern: string, text: string) => splitRegex(compileRegex(pattern), text);

describe("hostile patterns end", () => {
  const many = "a".repeat(30_000);
  test.each([
    ["(a*)*b", many],
    ["(a|a)*b", many],
    ["((a|aa)*)*b", many],
    ["(a?){60}b", many],
    [".*.*.*.*b", many],
    ["(x+x+)+y", "x".repeat(20_000)],
    ["(.*)(.*)(.*)(.*)(.*)=", many],
  ])("%s", (pattern, text) => expect(match(pattern, text)).toBeNull());

  test("long texts need no stack", () => {
    const long = "ab".repeat(100_000);
    expect(match("(a|b)*", long)).toEqual(["b"]);
    expect(match("(ab)*", long)).toEqual(["ab"]);
    expect(match("(.*)b(.*)", long)).toEqual([long.slice(0, -1), ""]);
    expect(split("b", long)).toHaveLength(200_001);
    expect(split("a*c", long)).toEqual([long]);
  });

  test("deep nesting needs no stack", () =>
    expect(match(`${"(".repeat(20_000)}a${")".repeat(20_000)}`, "a")).toHaveLength(20_000));

  test("too many states", () => {
    expect(() => compileRegex("a{100001}")).toThrow(new RegexError("space"));
    expect(() => compileRegex("((a{100}){100}){100}")).toThrow(RegexError);
  });
});

/** Patterns that mean the same to JavaScript, which also takes the left alternative first when the whole text must match. */
const pattern: fc.Arbitrary<string> = fc.letrec<{ pattern: string }>((tie) => ({
  pattern: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom("a", "b", "[ab]", ".", "c"),
    fc.tuple(tie("pattern"), tie("pattern")).map((pair) => pair.join("")),
    fc.tuple(tie("pattern"), tie("pattern")).map((pair) => `(${pair.join("|")})`),
    fc.constantFrom("a*", "b+", "[ab]?", ".{1,2}", "(a)b?"),
  ),
})).pattern;
const text = fc.stringMatching(/^[abc]{0,8}$/);

describe("properties", () => {
  test("a match agrees with JavaScript's where the grammars do", () =>
    fc.assert(
      fc.property(pattern, text, (source, subject) => {
        const theirs = new RegExp(`^(?:${source})$`, "s").exec(subject);
        expect(match(source, subject)).toEqual(theirs === null ? null : theirs.slice(1).map((group) => group ?? null));
      }),
    ));

  test("the parts of a split are its text", () =>
    fc.assert(
      fc.property(pattern, text, (source, subject) => {
        const parts = split(`(${source})`, subject);
        const joined = parts.map((part) => (typeof part === "string" ? part : part[0])).join("");
        expect(joined).toBe(subject);
      }),
    ));
});
