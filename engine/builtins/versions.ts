/**
 * Versions as `nix-env` orders them: components of digits or of other characters, separated by dots and dashes.
 */
import { Keys } from "#engine/eval/keys.ts";
import { Attrs } from "#engine/eval/value.ts";
import { arg, builtin } from "./record.ts";
import type { BuiltinFamily } from "./record.ts";

const COMPONENT = /[0-9]+|[^0-9.-]+/g;

/** The components of a version, in order: "1.2pre3" is 1, 2, pre, 3. */
export const splitVersion = (version: string): string[] => version.match(COMPONENT) ?? [];

/** Digits that fit a C int, as a number; longer ones count as words. */
function numberOf(component: string): number | undefined {
  if (!/^[0-9]+$/.test(component)) return undefined;
  const value = Number(component);
  return value <= 0x7fffffff ? value : undefined;
}

/** Is a component earlier than another? "pre" comes before everything, words before numbers. */
function isEarlier(left: string, right: string): boolean {
  const leftNumber = numberOf(left);
  const rightNumber = numberOf(right);
  if (leftNumber !== undefined && rightNumber !== undefined) return leftNumber < rightNumber;
  if (left === "" && rightNumber !== undefined) return true;
  if (left === "pre" && right !== "pre") return true;
  if (right === "pre") return false;
  if (rightNumber !== undefined) return true;
  if (leftNumber !== undefined) return false;
  return left < right;
}

/** -1, 0 or 1; a missing component is the empty word. */
export function compareVersions(left: string, right: string): number {
  const leftParts = splitVersion(left);
  const rightParts = splitVersion(right);
  for (let i = 0; i < leftParts.length || i < rightParts.length; i++) {
    const leftPart = leftParts[i] ?? "";
    const rightPart = rightParts[i] ?? "";
    if (isEarlier(leftPart, rightPart)) return -1;
    if (isEarlier(rightPart, leftPart)) return 1;
  }
  return 0;
}

/** Name and version of a package name: the version begins after the first dash that no letter follows. */
export function parseDrvName(text: string): { name: string; version: string } {
  const match = /-[^a-zA-Z]/.exec(text);
  if (match === null) return { name: text, version: "" };
  return { name: text.slice(0, match.index), version: text.slice(match.index + 1) };
}

const nameAndVersion = new Keys(["name", "version"]);

export const versionBuiltins: BuiltinFamily = [
  builtin({
    name: "compareVersions",
    args: [arg("s1", "plain"), arg("s2", "plain")],
    doc: "Compares two version strings the way `nix-env -u` decides what is newer: `-1` if *s1* is older, `0` if they are equal, `1` if it is newer.",
    impl: ([left, right]) => compareVersions(left, right),
  }),
  builtin({
    name: "parseDrvName",
    args: [arg("s", "plain")],
    doc: 'Splits a package name into its `name` and `version`: `"hello-2.12"` gives `{ name = "hello"; version = "2.12"; }`. The version starts after the first dash that is not followed by a letter.',
    impl: ([text]) => {
      const { name, version } = parseDrvName(text);
      return new Attrs(nameAndVersion, [name, version]);
    },
  }),
  builtin({
    name: "splitVersion",
    args: [arg("s", "plain")],
    doc: 'The components of a version string as `compareVersions` sees them: `"1.2pre3"` gives `[ "1" "2" "pre" "3" ]`.',
    impl: ([version]) => splitVersion(version),
  }),
];
