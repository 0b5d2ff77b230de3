/** What C++ Nix answers is in testdata/builtins/json.jsonl; these are properties over many values. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { NixFloat } from "../eval/value.ts";
import { encodeUtf8 } from "../store/format/bytes.ts";
import { parseJson } from "./json-parse.ts";
import { jsonFloat, jsonString } from "./json-print.ts";

describe("floats", () => {
  test("read back as they were", () =>
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(parseJson(jsonFloat(value))).toEqual(new NixFloat(value));
      }),
      { numRuns: 1000 },
    ));

  test.each([
    [1, "1.0"],
    [-0, "-0.0"],
    [0.1 + 0.2, "0.30000000000000004"],
    [1e14, "100000000000000.0"],
    [1e15, "1e+15"],
    [1e-4, "0.0001"],
    [1e-5, "1e-05"],
    [5e-324, "5e-324"],
    [1.7976931348623157e308, "1.7976931348623157e+308"],
    [Infinity, "null"],
    [NaN, "null"],
  ])("%d", (value, expected) => expect(jsonFloat(value)).toBe(expected));
});

describe("strings", () => {
  test("read back as they were", () =>
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (value) => {
        const bytes = encodeUtf8(value.replaceAll("\0", ""));
        expect(parseJson(jsonString(bytes))).toBe(bytes);
      }),
    ));

  test("agree with JavaScript's on ASCII but for the escape of DEL", () =>
    fc.assert(
      fc.property(fc.stringMatching(/^[ -~\n\t]*$/), (value) => {
        expect(jsonString(value)).toBe(JSON.stringify(value));
      }),
    ));
});

test("nesting needs no stack", () => {
  const deep = `${"[".repeat(200_000)}${"]".repeat(200_000)}`;
  expect(Array.isArray(parseJson(deep))).toBe(true);
});
