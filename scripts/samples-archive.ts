// A Vite plugin that packs samples/ for the page: one compressed archive of all text, and every seed's binary files as assets of their
// own, loaded only when a store path needs them. `virtual:samples` gives the addresses (types: workers/samples.ts).
import { lstatSync, readFileSync, readdirSync, readlinkSync } from "node:fs";
import path from "node:path";
import { deflateRawSync } from "node:zlib";
import type { Plugin } from "vite";
// Relative, not by alias: Vite reads its configuration before any alias exists.
import { encodeUtf8 } from "../engine/store/format/bytes.ts";
import { printHash, sha256Hex } from "../engine/store/format/hash.ts";
import { hashNar } from "../engine/store/format/nar.ts";
import { directory, regularFile, symlink, type SourceTree } from "../engine/store/format/tree.ts";

const id = "virtual:samples";
const root = path.dirname(import.meta.dirname);
const samples = path.join(root, "samples");
const seeds = path.join(samples, "channel/seeds");

/** [path below samples/, executable, UTF-8 content] of every text file, in byte order. */
export type SampleFile = [path: string, executable: boolean, content: string];

/** Test files, READMEs and the seeds' binaries are left out. */
export function collectText(folder = samples, prefix = ""): SampleFile[] {
  return readdirSync(folder)
    .toSorted()
    .flatMap((name): SampleFile[] => {
      const file = path.join(folder, name);
      const stat = lstatSync(file);
      if (file === seeds || name.endsWith(".test.ts") || name === "README.md") return [];
      if (stat.isDirectory()) return collectText(file, `${prefix}${name}/`);
      if (!stat.isFile()) throw new Error(`${file}: links are only allowed among the seeds`);
      return [[prefix + name, (stat.mode & 0o100) !== 0, readFileSync(file, "utf8")]];
    });
}

function readTree(file: string): SourceTree {
  const stat = lstatSync(file);
  if (stat.isSymbolicLink()) return symlink(encodeUtf8(readlinkSync(file)));
  if (stat.isFile()) return regularFile(readFileSync(file), (stat.mode & 0o100) !== 0);
  return directory(readdirSync(file).map((name) => [encodeUtf8(name), readTree(path.join(file, name))] as const));
}

/** JavaScript source of a seed's tree; `address` gives the expression for a file's URL. */
function treeSource(tree: SourceTree, address: (contents: Uint8Array, at: string) => string, at: string): string {
  switch (tree.type) {
    case "symlink":
      return JSON.stringify(tree);
    case "regular": {
      const { contents, executable } = tree;
      const data = JSON.stringify({ type: "regular", executable, size: contents.length, blob: sha256Hex(contents) });
      return `{ ...${data}, url: ${address(contents, at)} }`;
    }
    case "directory": {
      const entries = [...tree.entries].map(
        ([name, node]) => `[${JSON.stringify(name)}, ${treeSource(node, address, `${at}/${name}`)}]`,
      );
      return `{ type: "directory", entries: [${entries.join(", ")}] }`;
    }
  }
}

export function samplesArchive(): Plugin {
  let production = true;
  return {
    name: "samples-archive",
    configResolved(config) {
      production = config.command === "build";
    },
    resolveId: (source) => (source === id ? `\0${id}` : undefined),
    load(module) {
      if (module !== `\0${id}`) return undefined;
      const emit = (name: string, source: Uint8Array) =>
        `import.meta.ROLLUP_FILE_URL_${this.emitFile({ type: "asset", name, source })}`;
      const address = (contents: Uint8Array, at: string) =>
        production ? emit(`${path.basename(at)}.bin`, contents) : JSON.stringify(`/@fs${at}`);
      const seed = (name: string) => {
        const tree = readTree(path.join(seeds, name));
        const { hash, size } = hashNar(tree);
        const source = treeSource(tree, address, path.join(seeds, name));
        return `{ name: ${JSON.stringify(name)}, narHash: "${printHash(hash, "base16")}", narSize: ${size}, tree: ${source} }`;
      };
      const archive = deflateRawSync(JSON.stringify(collectText()), { level: 9 });
      const archiveUrl = production
        ? emit("samples.bin", archive)
        : JSON.stringify(`data:application/octet-stream;base64,${archive.toString("base64")}`);
      const list = readdirSync(seeds).toSorted().map(seed);
      return `export const archiveUrl = ${archiveUrl};\nexport const seeds = [\n${list.join(",\n")}\n];\n`;
    },
  };
}
