/** Bombs: what unpacks to more than the limit ends in an error before it is in memory. */
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { decompress } from "../store/decompress.ts";

const LIMIT = 1_000_000;

/** So many blocks of 128 KiB of zeros, four bytes each. */
function zstdZeros(count: number): Uint8Array {
  const block = (last: boolean) => {
    const header = ((128 * 1024) << 3) | (1 << 1) | (last ? 1 : 0);
    return [header & 255, (header >> 8) & 255, (header >> 16) & 255, 0];
  };
  const blocks = Array.from({ length: count }, (_, index) => block(index === count - 1)).flat();
  return Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0x38, ...blocks]);
}

/** `head -c 1200000 /dev/zero | bzip2 -9`. */
const BZIP2 = Buffer.from("QlpoOTFBWSZTWaidZFwACTDAAsAAAAIACCAAMMwFKaaCiNhCiPF3JFOFCQqJ1kXA", "base64");

test.each([
  ["gzip", gzipSync(Buffer.alloc(2_000_000))],
  ["zstd", zstdZeros(100_000)],
  ["bzip2", BZIP2],
])("a bomb of %s is refused", async (name, bytes) => {
  await expect(decompress(bytes, name, LIMIT)).rejects.toThrow(/more than 1000000 bytes/);
});

test("what keeps within the limit is unpacked", async () => {
  expect((await decompress(zstdZeros(3), "zstd", LIMIT)).length).toBe(3 * 128 * 1024);
  expect((await decompress(gzipSync(Buffer.alloc(1000)), "gzip", LIMIT)).length).toBe(1000);
});
