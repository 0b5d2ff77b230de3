/**
 * Small texts of the evaluator: floats, names, suggestions, settings, search paths.
 */
import { describe, expect, test } from "vitest";
import { parseSearchPathEntry, splitNixPath } from "#engine/builtins/search-path.ts";
import { fixedFloat, printFloat } from "./float-text.ts";
import { canonPath } from "./canon-path.ts";
import { printName, quoteString } from "./print.ts";
import { parseAttrPath } from "./select-path.ts";
import { applySetting, parseConfig } from "./setting-text.ts";
import { defaultSettings } from "./settings.ts";
import { suggest, suggestionLine } from "./suggest.ts";

const check = <Input, Output>(
  title: string,
  run: (input: Input) => Output,
  cases: readonly (readonly [Input, Output])[],
): void => {
  describe(title, () => {
    test.each(cases.map(([input, expected]) => [JSON.stringify(input), input, expected] as const))(
      "%s",
      (_title, input, expected) => {
        expect(run(input as Input)).toEqual(expected);
      },
    );
  });
};

check("floats as printed", printFloat, [
  [0, "0"],
  [-0, "-0"],
  [1.5, "1.5"],
  [100_000, "100000"],
  [1_000_000, "1e+06"],
  [1e-5, "1e-05"],
  [123_456_789, "1.23457e+08"],
  [Infinity, "inf"],
]);
check("floats by toString", fixedFloat, [
  [1.5, "1.500000"],
  [-0, "-0.000000"],
  [1e22, "10000000000000000000000.000000"],
]);
check("names", printName, [
  ["a-b'", "a-b'"],
  ["if", '"if"'],
  ["a b", '"a b"'],
  ["", '""'],
]);
check("strings", (text: string) => quoteString(text), [
  ['a"b\\', '"a\\"b\\\\"'],
  ["${x} $y", '"\\${x} $y"'],
]);
check("paths", canonPath, [
  ["/a/./b/../c//", "/a/c"],
  ["/../..", "/"],
]);
check("attribute paths", parseAttrPath, [
  ['a."b.c".0', ["a", "b.c", "0"]],
  ["", []],
]);
check("NIX_PATH", splitNixPath, [
  ["a=/b:/c", ["a=/b", "/c"]],
  ["n=https://x/y.tar.gz:/c", ["n=https://x/y.tar.gz", "/c"]],
  ["", []],
]);
check("search path entries", parseSearchPathEntry, [
  ["a=/b", { prefix: "a", path: "/b" }],
  ["/b", { prefix: "", path: "/b" }],
]);
check("nix.conf", parseConfig, [
  [
    "a = b c # d\n# e = f\n g=h ",
    [
      ["a", "b c"],
      ["g", "h"],
    ],
  ],
]);
check("suggestions", ([name, ...names]: string[]) => suggestionLine(suggest(name!, names)), [
  [["ae", "ab", "ac", "abc", "xyzzy"], "Did you mean one of ab, ac or abc?"],
  [["foo", "fo"], "Did you mean fo?"],
  [["foo", "quux"], undefined],
]);

test("settings that are not there or not valid are warned about", () => {
  const warnings: string[] = [];
  const warn = (message: string): void => void warnings.push(message);
  expect(applySetting(defaultSettings, "max-call-depth", "5", warn).maxCallDepth).toBe(5);
  expect(applySetting(defaultSettings, "max-call-depth", "x", warn)).toBe(defaultSettings);
  expect(applySetting(defaultSettings, "nonsense", "1", warn)).toBe(defaultSettings);
  expect(applySetting(defaultSettings, "cores", "1", warn)).toBe(defaultSettings);
  expect(warnings).toEqual(["setting 'max-call-depth' has invalid value 'x'", "unknown setting 'nonsense'"]);
});
