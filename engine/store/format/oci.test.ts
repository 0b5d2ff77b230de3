import { expect, test } from "vitest";
import { fromBytes, toBytes } from "./bytes.ts";
import { sha256Hex } from "./hash.ts";
import { type ImagePath, imageArchive, writeImage } from "./oci.ts";
import { readTar, writeTar } from "./tar.ts";
import { directory, nodeAt, regularFile, symlink, walkTree } from "./tree.ts";

const path = (letter: string) => `/nix/store/${letter.repeat(32)}-${letter}`;
const [LIB, APP, TOP] = [path("1"), path("2"), path("3")];
const CLOSURE: ImagePath[] = [
  { path: TOP, references: [APP], tree: symlink(`${APP}/bin`) },
  { path: APP, references: [LIB], tree: directory([["bin", directory([["app", regularFile(toBytes("#!"), true)]])]]) },
  { path: LIB, references: [], tree: regularFile(toBytes("lib")) },
];

interface Manifest {
  readonly layers: readonly { readonly digest: string; readonly size: number }[];
  readonly config: { readonly digest: string };
}

function json<Value>(files: ReadonlyMap<string, Uint8Array>, name: string): Value {
  return JSON.parse(fromBytes(files.get(name.replace("sha256:", "blobs/sha256/")) as Uint8Array)) as Value;
}

test("every blob has its name, the most needed path comes first, the rest is together", () => {
  const files = writeImage(CLOSURE, {
    architecture: "386",
    maxLayers: 2,
    command: [`${APP}/bin/app`],
    reference: "demo:1",
  });
  for (const [name, bytes] of files)
    if (name.startsWith("blobs/")) expect(name).toBe(`blobs/sha256/${sha256Hex(bytes)}`);
  const index = json<{ manifests: [{ digest: string }] }>(files, "index.json");
  const manifest = json<Manifest>(files, index.manifests[0].digest);
  const layers = manifest.layers.map(({ digest, size }) => {
    const bytes = files.get(digest.replace("sha256:", "blobs/sha256/")) as Uint8Array;
    expect(bytes.length).toBe(size);
    return readTar(bytes);
  });
  expect(
    layers.map((tree) =>
      [...walkTree(tree)].map(([name]) => name).filter((name) => name.endsWith("1") || name.endsWith("app")),
    ),
  ).toEqual([[LIB], [`${APP}/bin/app`]]);
  expect(nodeAt(layers[1] as never, TOP)).toEqual(symlink(`${APP}/bin`));
  const config = json<{ rootfs: { diff_ids: string[] }; config: { Cmd: string[] } }>(files, manifest.config.digest);
  expect(config.rootfs.diff_ids).toEqual(manifest.layers.map(({ digest }) => digest));
  expect(config.config.Cmd).toEqual([`${APP}/bin/app`]);
});

test("the same closure gives the same bytes, in whatever order it comes", () => {
  const options = { architecture: "386" };
  expect(imageArchive(writeImage([...CLOSURE].reverse(), options))).toEqual(imageArchive(writeImage(CLOSURE, options)));
});

test("tar written is tar read, long names too", () => {
  const long = "n".repeat(150);
  const tree = directory([
    ["d", directory([[long, regularFile(toBytes("x".repeat(600)), true)]])],
    ["l", symlink(`/${"t".repeat(200)}`)],
  ]);
  const members = [...walkTree(tree)].slice(1).map(([name, node]) => ({ name: name.slice(1), node }));
  expect(readTar(writeTar(members))).toEqual(tree);
});
