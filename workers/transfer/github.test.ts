/** Repositories on GitHub, asked file by file: which addresses are theirs, and what the requests and the archive are. */
import { expect, test } from "vitest";
import { encodeUtf8, toBytes } from "#engine/store/format/bytes.ts";
import { readTar } from "#engine/store/format/tar.ts";
import { directory, regularFile, symlink } from "#engine/store/format/tree.ts";
import { fetchRepository, parseRepository } from "./github.ts";

const COMMIT = "0123456789abcdef0123456789abcdef01234567";

test.each<[string, string | undefined]>([
  [`github:o/r/${COMMIT}`, `o r ${COMMIT}`],
  ["github:o/r", "o r HEAD"],
  ["github:o/r/feature/x", "o r feature/x"],
  [`https://github.com/o/r.nix/archive/${COMMIT}.tar.gz`, `o r.nix ${COMMIT}`],
  ["https://github.com/o/r/archive/refs/tags/v1.0.tar.gz", "o r v1.0"],
  ["https://github.com/o/r/archive/main.zip", "o r main"],
  ["https://github.com/o/r", undefined],
  ["https://example.org/o/r/archive/main.tar.gz", undefined],
  ["github:o", undefined],
  ["github:o/r/../../x y", undefined],
])("%s", (address, expected) => {
  const found = parseRepository(address);
  expect(found && `${found.owner} ${found.name} ${found.revision}`).toBe(expected);
});

const entry = (path: string, mode: string, type = "blob") => ({ path, mode, type });

function answers(tree: object[], truncated = false): Map<string, string> {
  return new Map([
    ["https://api.github.com/repos/o/r/commits/main", `${COMMIT}\n`],
    [`https://api.github.com/repos/o/r/git/trees/${COMMIT}?recursive=1`, JSON.stringify({ tree, truncated })],
    [`https://raw.githubusercontent.com/o/r/${COMMIT}/default.nix`, "{ }"],
    [`https://raw.githubusercontent.com/o/r/${COMMIT}/bin/run`, "#!/bin/sh"],
    [`https://raw.githubusercontent.com/o/r/${COMMIT}/bin/link`, "run"],
    [`https://raw.githubusercontent.com/o/r/${COMMIT}/a%20%23%C3%BC`, "odd"],
  ]);
}

async function fetched(tree: object[], truncated = false) {
  const known = answers(tree, truncated);
  const read = async (address: string) => {
    const text = known.get(address);
    if (text === undefined) throw new Error(`unexpected: ${address}`);
    return toBytes(encodeUtf8(text));
  };
  return fetchRepository({ owner: "o", name: "r", revision: "main" }, read, () => undefined);
}

test("one commit of a branch, with modes, links and submodules as its archive has them", async () => {
  const { archive, url } = await fetched([
    entry("default.nix", "100644"),
    entry("bin", "040000", "tree"),
    entry("bin/run", "100755"),
    entry("bin/link", "120000"),
    entry("a #ü", "100644"),
    entry("module", "160000", "commit"),
  ]);
  expect(url).toBe(`https://github.com/o/r/archive/${COMMIT}.tar.gz`);
  const file = (text: string, executable = false) => regularFile(toBytes(text), executable);
  expect(readTar(new Uint8Array(await archive.arrayBuffer()))).toEqual(
    directory([
      [
        `r-${COMMIT}`,
        directory([
          ["default.nix", file("{ }")],
          [
            "bin",
            directory([
              ["run", file("#!/bin/sh", true)],
              ["link", symlink("run")],
            ]),
          ],
          [encodeUtf8("a #ü"), file("odd")],
          ["module", directory([])],
        ]),
      ],
    ]),
  );
});

test("too many files are not asked for one by one", async () => {
  const many = Array.from({ length: 6001 }, (_, index) => entry(`f${index}`, "100644"));
  await expect(fetched(many)).rejects.toThrow("too many files");
  await expect(fetched([], true)).rejects.toThrow("too many files");
});
