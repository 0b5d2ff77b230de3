/** SHA-256 of text is that of the library, at every length around the ends of blocks. */
import { sha256 } from "@noble/hashes/sha2.js";
import { expect, test } from "vitest";
import { encodeBase16 } from "./base-n.ts";
import { toBytes } from "./bytes.ts";
import { sha256OfText } from "./sha256.ts";

const text = (length: number): string =>
  Array.from({ length }, (_, i) => String.fromCharCode((i * 167 + length) & 255)).join("");

const lengths = [...Array(200).keys(), 1000, 4095, 4096, 100_003];

test.each(lengths)("%i bytes", (length) => {
  const data = text(length);
  expect(encodeBase16(sha256OfText(data))).toBe(encodeBase16(sha256(toBytes(data))));
});
