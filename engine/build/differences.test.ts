/** Where two builds differ, and how the end of a log is quoted. */
import { expect, test } from "vitest";
import { toBytes } from "../store/format/bytes.ts";
import { type SourceTree, directory, regularFile, storeTree, symlink } from "../store/format/tree.ts";
import { type BuiltTree, describeDifference, differences } from "./differences.ts";
import { logTail, plainLine } from "./log-tail.ts";

function built(tree: SourceTree): BuiltTree {
  const blobs = new Map<string, Uint8Array>();
  const stored = storeTree(tree, (sha256, bytes) => void blobs.set(sha256, bytes));
  return { tree: stored, read: async (sha256) => blobs.get(sha256) as Uint8Array };
}

const file = (text: string, executable = false) => regularFile(toBytes(text), executable);

function check(name: string, first: SourceTree, second: SourceTree, expected: readonly string[]): void {
  test(`differences: ${name}`, async () => {
    const found = await differences(built(first), built(second));
    expect(found.map((one) => describeDifference("OUT", one))).toEqual(expected);
  });
}

check("none", directory([["a", file("x")]]), directory([["a", file("x")]]), []);
check("a byte", file("abc"), file("aXc"), ["OUT at byte 1 (1 bytes differ): first 6263, then 5863"]);
check("a longer file", file("ab"), file("abcd"), ["OUT at byte 2 (2 bytes differ): first its end, then 6364"]);
check("sixteen bytes are shown", file("a".repeat(20)), file("b".repeat(20)), [
  `OUT at byte 0 (20 bytes differ): first ${"61".repeat(16)}, then ${"62".repeat(16)}`,
]);
check("a bit of the mode", file("x"), file("x", true), ["OUT: first a file, then an executable file"]);
check("a link", symlink("a"), symlink("b"), ["OUT: first a link to a, then a link to b"]);
check("another kind", file("x"), directory([]), ["OUT: first a file, then a directory"]);
check(
  "names, in order",
  directory([
    ["b", file("1")],
    ["d", directory([["e", file("1")]])],
  ]),
  directory([
    ["a", file("1")],
    ["b", file("2")],
    ["d", directory([])],
  ]),
  [
    "OUT/a: first nothing, then a file",
    "OUT/b at byte 0 (1 bytes differ): first 31, then 32",
    "OUT/d/e: first a file, then nothing",
  ],
);

test.each([
  ["", 25, []],
  ["one", 25, ["one"]],
  ["one\n", 25, ["one"]],
  ["one\n\n", 25, ["one", ""]],
  ["1\n2\n3\n", 2, ["2", "3"]],
  ["1\n2\n", 0, []],
  ["long\rab\n", 25, ["ab"]],
  ["x\r\n", 25, [""]],
  ["a\tb\n", 25, ["a     b"]],
  ["\u001b[31mred\u001b[0m and \u001b]0;title\u0007plain\n", 25, ["red and plain"]],
])("the tail of %j", (log, count, expected) => expect(logTail(toBytes(log), count)).toEqual(expected));

test("tabs count from where the line begins", () => expect(plainLine("c\td", 6)).toBe("c d"));
