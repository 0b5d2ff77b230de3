import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { decompressBzip2 } from "./bzip2.ts";
import { decodeBase64 } from "./base-n.ts";
import { fromBytes, toBytes } from "./bytes.ts";
import { readTar } from "./tar.ts";
import { walkTree } from "./tree.ts";

// bzip2 of "hello hello hello hello\n" and of nothing.
const HELLO = "QlpoOTFBWSZTWW9PEPMAAAXRAAAQQAACRKAAMMACqDRxDa2HDxdyRThQkG9PEPM=";
const EMPTY = "QlpoORdyRThQkAAAAAA=";

test("bzip2", () => {
  expect(fromBytes(decompressBzip2(decodeBase64(HELLO) as Uint8Array))).toBe("hello hello hello hello\n");
  expect(decompressBzip2(decodeBase64(EMPTY) as Uint8Array).length).toBe(0);
});

const SAMPLES = [
  "a".repeat(100_000),
  Array.from({ length: 30_000 }, (_, index) => `${(index * 7919) % 1013} `).join(""),
  String.fromCharCode(...Array.from({ length: 70_000 }, (_, index) => (index * index * 31 + (index >> 3)) & 255)),
  "aaaa",
  "aaaaa",
  "abababab".repeat(200_000),
];

const hasBzip2 = (() => {
  try {
    execFileSync("bzip2", ["--help"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

test.runIf(hasBzip2).each(SAMPLES.map((sample, index) => [index, sample] as const))(
  "bzip2 of sample %i",
  (_, sample) => {
    const packed = execFileSync("bzip2", ["-c"], { input: toBytes(sample), maxBuffer: 1 << 26 });
    expect(fromBytes(decompressBzip2(packed)) === sample).toBe(true);
  },
);

test.each([0, 3, 4, 10, 14, 18, 25, 30, 40])("bzip2 with byte %i changed is refused", (at) => {
  const bytes = decodeBase64(HELLO) as Uint8Array;
  bytes[at] = (bytes[at] as number) ^ 0x55;
  expect(() => decompressBzip2(bytes)).toThrow("bzip2 data is damaged");
});

/** A ustar header block for these fields, and the padded content. */
function member(name: string, kind: string, content = "", link = "", mode = "0000644"): Uint8Array {
  const block = new Uint8Array(512 + Math.ceil(content.length / 512) * 512);
  const put = (text: string, at: number) => block.set(toBytes(text), at);
  put(name, 0);
  put(`${mode}\0`, 100);
  put(`${content.length.toString(8).padStart(11, "0")}\0`, 124);
  put(kind, 156);
  put(link, 157);
  put("ustar\x0000", 257);
  put("        ", 148);
  put(
    `${block
      .subarray(0, 512)
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, "0")}\0 `,
    148,
  );
  put(content, 512);
  return block;
}

const tar = (...members: Uint8Array[]) =>
  Uint8Array.from([...members.flatMap((item) => [...item]), ...new Uint8Array(1024)]);

test("tar", () => {
  const long = `${"d".repeat(60)}/${"f".repeat(60)}`;
  const tree = readTar(
    tar(
      member("./", "5"),
      member("./bin/", "5"),
      member("bin/sh", "0", "#!\n", "", "0000755"),
      member("link", "2", "", "bin/sh"),
      member("hard", "1", "", "bin/sh"),
      member("x", "L", `${long}\0`),
      member("short", "0", "long"),
      member("x", "x", `${"11 path=p/q".length + 1} path=p/q\n`),
      member("short", "0", "pax"),
      member("device", "3"),
    ),
  );
  const shown = Array.from(walkTree(tree), ([path, node]) => {
    return `${path} ${node.type === "regular" ? `${fromBytes(node.contents)}${node.executable ? "*" : ""}` : node.type === "symlink" ? node.target : "/"}`;
  });
  expect(shown).toEqual([
    " /",
    "/bin /",
    "/bin/sh #!\n*",
    `/${"d".repeat(60)} /`,
    `/${long} long`,
    "/hard #!\n*",
    "/link bin/sh",
    "/p /",
    "/p/q pax",
  ]);
});

test.each([
  ["a parent", tar(member("../x", "0", "x")), "leaves the archive"],
  ["an absolute name", tar(member("/x", "0", "x")), "leaves the archive"],
  ["a link in the way", tar(member("a", "2", "", "/etc"), member("a/passwd", "0", "x")), "in the way"],
  ["a hard link to nothing", tar(member("a", "1", "", "b")), "link to nothing"],
  ["a missing end", member("a", "0", "x".repeat(600)).subarray(0, 700), "ends inside"],
  ["a wrong checksum", tar(member("a", "0", "x")).fill(1, 0, 2), "checksum"],
])("tar with %s is refused", (_, bytes, message) => expect(() => readTar(bytes)).toThrow(message));
