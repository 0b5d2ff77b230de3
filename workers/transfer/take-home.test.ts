/** Folders to take home: what is in them, the zip around them, and (where it is present) that C++ Nix gives the page's own derivations. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { encodeUtf8, fromBytes, toBytes } from "#engine/store/format/bytes.ts";
import { type SourceTree, directory, nodeAt, regularFile, symlink } from "#engine/store/format/tree.ts";
import { unzip } from "../store/unzip.ts";
import { type Home, channelTree, homeTree, zipTree } from "./take-home.ts";

const root = path.join(import.meta.dirname, "../..");
const examples = path.join(root, "samples/examples");
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "terrarium-home-"));
afterAll(() => fs.rmSync(scratch, { recursive: true }));

function readTree(place: string): SourceTree {
  const stat = fs.lstatSync(place);
  if (stat.isSymbolicLink()) return symlink(encodeUtf8(fs.readlinkSync(place)));
  if (stat.isFile()) return regularFile(fs.readFileSync(place), (stat.mode & 0o100) !== 0);
  return directory(fs.readdirSync(place).map((name) => [encodeUtf8(name), readTree(path.join(place, name))] as const));
}

const channel = readTree(path.join(root, "samples/channel"));
const file = (text: string, executable = false) => regularFile(toBytes(encodeUtf8(text)), executable);

function example(name: string): Home {
  const { title, files, entry } = JSON.parse(fs.readFileSync(path.join(examples, name, "example.json"), "utf8")) as {
    title: string;
    files: string[];
    entry: string;
  };
  const texts = files.map((one) => ({ path: one, text: fs.readFileSync(path.join(examples, name, one), "utf8") }));
  return { title, entry, files: texts, channel, sets: [], expected: null };
}

const textAt = (tree: SourceTree, at: string): string => {
  const node = nodeAt(tree, at);
  return node?.type === "regular" ? fromBytes(node.contents) : "";
};

test("a set that is nixpkgs, and words with quotes in them", () => {
  const sets = [{ name: "mine", nixpkgs: true, tree: directory([["default.nix", file("{ }")]]) }];
  const tree = homeTree({ ...example("first"), title: 'a "quoted" ${title}', sets });
  expect(textAt(tree, "README.md")).toContain("nix-build -I nixpkgs=channels/mine -I channels");
  expect(textAt(tree, "default.nix")).toContain("import ./channels/nixos/nixos");
  expect(textAt(tree, "flake.nix")).toContain('description = "a \\"quoted\\" \\${title}"');
  expect(textAt(tree, "channels/mine/default.nix")).toBe("{ }");
});

test("the channel from its parts", () => {
  const texts = [
    ["channel/default.nix", false, "{ }"],
    ["channel/seeds/note", true, "ü"],
    ["examples/x/y.nix", false, ""],
  ] as const;
  const seed = directory([["bin", directory([["sh", file("#!", true)]])]]);
  expect(channelTree(texts, [["box", seed]])).toEqual(
    directory([
      ["default.nix", file("{ }")],
      [
        "seeds",
        directory([
          ["box", seed],
          ["note", file("ü", true)],
        ]),
      ],
    ]),
  );
});

test("the zip comes back as it was", () => {
  const tree = directory([
    ["a", file("1", true)],
    [
      "d",
      directory([
        ["b", file("2")],
        ["l", symlink("../a")],
      ]),
    ],
    ["empty", directory([])],
    [encodeUtf8("ü"), file("3")],
  ]);
  expect(unzip(zipTree(tree, "home"))).toEqual(directory([["home", tree]]));
  expect(zipTree(tree, "home")).toEqual(zipTree(tree, "home"));
});

const oracle = process.env["NIX_ORACLE"] ?? path.join(os.homedir(), ".cache/nix-oracle/bin");
const present = fs.existsSync(path.join(oracle, "nix-instantiate"));

function nix(folder: string, program: string, ...args: string[]): string {
  const env = { PATH: process.env["PATH"], HOME: scratch, NIX_REMOTE: `local?root=${scratch}/root` };
  const stdio = ["ignore", "pipe", "pipe"] as ["ignore", "pipe", "pipe"];
  return execFileSync(path.join(oracle, program), args, { cwd: folder, env, stdio }).toString().trim();
}

function unpackHome(home: Home, name: string): string {
  const zip = path.join(scratch, `${name}.zip`);
  fs.writeFileSync(zip, zipTree(homeTree(home), name));
  writeTree(unzip(fs.readFileSync(zip)), scratch);
  return path.join(scratch, name);
}

function writeTree(tree: SourceTree, place: string): void {
  if (tree.type === "symlink") return fs.symlinkSync(tree.target, place);
  if (tree.type === "regular") return fs.writeFileSync(place, tree.contents, { mode: tree.executable ? 0o755 : 0o644 });
  fs.mkdirSync(place, { recursive: true });
  for (const [name, node] of tree.entries) writeTree(node, path.join(place, name));
}

test.runIf(present).each(["first", "package", "two-files"])(
  "C++ Nix gives the page's derivation: %s",
  (name) => {
    const golden = JSON.parse(fs.readFileSync(path.join(root, `engine/testdata/samples/${name}.json`), "utf8")) as {
      drvPath: string;
      outPath: string;
    };
    const folder = unpackHome(example(name), name);
    expect(nix(folder, "nix-instantiate", "-I", "nixpkgs=channels/nixos", "-I", "channels")).toContain(golden.drvPath);
    const features = ["--extra-experimental-features", "nix-command flakes"];
    const flake = nix(
      folder,
      "nix",
      ...features,
      "eval",
      "--raw",
      `path:${folder}#packages.i686-linux.default.outPath`,
    );
    expect(flake).toBe(golden.outPath);
  },
  60_000,
);

test.runIf(present)(
  "C++ Nix finds the package sets by their names",
  () => {
    const sets = [{ name: "mine", nixpkgs: false, tree: directory([["default.nix", file('{ word = "hi"; }')]]) }];
    const home = example("first");
    const files = home.files.map(({ path: at, text }) => ({
      path: at,
      text: text.replace("Hello", "${(import <mine>).word}"),
    }));
    const folder = unpackHome({ ...home, files, sets }, "sets");
    expect(textAt(readTree(folder), "README.md")).not.toContain("nix build .");
    expect(nix(folder, "nix-instantiate", "-I", "nixpkgs=channels/nixos", "-I", "channels")).toMatch(/\.drv$/);
  },
  60_000,
);
