import { expect, it } from "vitest";
import { openDocument } from "./document.ts";
import { explain } from "./explain.ts";

const check = (message: string, expected: RegExp): void => expect(explain(message)).toMatch(expected);
const syntax = (text: string, expected: RegExp): void =>
  check(openDocument("/a.nix", text).diagnostics[0]!.message, expected);

it("missing semicolon", () => syntax("{ a = 1 }", /semicolon/));
it("missing semicolon before the next", () => syntax("{ a = 1 b = 2; }", /semicolon/));
it("open at the end", () => syntax("{ a = [ 1", /not closed/));
it("open binding at the end", () => syntax("{ a = (1", /not closed/));
it("no value", () => syntax("{ a }", /function's arguments/));
it("no = in a set", () => syntax("{ a = 1; b }", /followed by '= value;'/));
it("stray bracket", () => syntax("1 )", /was not opened/));
it("then", () => syntax("then 1", /in this order/));
it("a strange character", () => syntax("%", /no use for this character/));
it("twice", () => syntax("{ a = 1; a = 2; }", /'a' has two values/));
it("undefined", () => check("undefined variable 'pkg'", /called 'pkg'/));
it("prefix", () => check("error: undefined variable 'pkg'\n at x", /called 'pkg'/));
it("missing", () => check("attribute 'foo' missing", /no 'foo'/));
it("types", () =>
  check("expected a Boolean but found an integer: 1", /type Boolean is needed, and there is an integer/));
it("coercion", () => check("cannot coerce a set to a string: { }", /part of a string/));
it("option", () => check("The option `services.ngin' does not exist. Definition values:", /'services.ngin'/));
it("option type", () =>
  check(
    "A definition for option `a.b' is not of type `string'. Definition values:",
    /'a.b' takes a value of this kind: string/,
  ));
it("an option without a value", () =>
  check("The option `a.b' was accessed but has no value defined. Try setting the option.", /no module sets it/));
it.each([
  ["'builtins.head' called on an empty list", /'head' needs a list/],
  ["'builtins.elemAt' called with index 3 on a list of size 2", /2 elements, .* none at 3/],
  [
    "access to absolute path '/etc' is forbidden in pure evaluation mode (use '--impure' to override)",
    /look at '\/etc'/,
  ],
  ["required attribute 'builder' missing", /needs 'builder'/],
  ["string 'a' doesn't represent an absolute path", /starts with '\/'/],
  ["the string 'x' is not allowed to refer to a store path (such as 'y')", /path of the store/],
  ["a string that refers to a store path cannot be appended to a path", /\$\{path\}\/name/],
  ["dynamic attribute 'a' already defined at a.nix:1:3", /'a', .*twice/],
  ["cannot convert a function to JSON", /no form for a function/],
  ["invalid regular expression '('", /no partner/],
  ["hash mismatch in file downloaded from 'x':", /under 'got'/],
  ["name 'a b' contains illegal character ' '", /letters, digits/],
  ["attribute 'b' in selection path 'a.b' not found", /no 'b' on the way to a\.b/],
])("%s", check);
it("unknown", () => expect(explain("something else")).toBeNull());
