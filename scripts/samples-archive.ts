// A Vite plugin that packs samples/ for the page: archives of the channel's text, which a first result needs, and of the
// examples and lessons, which it does not; and every seed's binary files as assets of their own, loaded only when a store path needs them. `virtual:samples` gives the addresses (types: workers/samples.ts).
import { lstatSync, readFileSync, readdirSync, readlinkSync } from "node:fs";
import path from "node:path";
import type { Plugin } from "vite";
// Relative, not by alias: Vite reads its configuration before any alias exists.
import { encodeUtf8 } from "../engine/store/format/bytes.ts";
import { printHash, sha256Hex } from "../engine/store/format/hash.ts";
import { hashNar } from "../engine/store/format/nar.ts";
import { directory, regularFile, symlink, type SourceTree } from "../engine/store/format/tree.ts";
import type { SampleFile, Seed, SeedTree } from "../workers/samples.ts";

const id = "virtual:samples";
const root = path.dirname(import.meta.dirname);
const samples = path.join(root, "samples");
const seeds = path.join(samples, "channel/seeds");

/** Every text file in byte order. Test files, READMEs and the seeds' binaries are left out. */
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

/** A seed's tree as data; `url` of each file is made by `address`. */
function seedTree(tree: SourceTree, address: (contents: Uint8Array, file: string) => string, file: string): SeedTree {
  switch (tree.type) {
    case "symlink":
      return tree;
    case "regular": {
      const { contents, executable } = tree;
      const url = address(contents, file);
      return { type: "regular", executable, size: contents.length, blob: sha256Hex(contents), url };
    }
    case "directory": {
      const entries = [...tree.entries].map(([name, node]): [string, SeedTree] => [
        name,
        seedTree(node, address, `${file}/${name}`),
      ]);
      return { type: "directory", entries };
    }
  }
}

interface SeedName {
  name: string;
  version: string;
}

/** Every seed that the channel names, with addresses as given; without one, the file's own path. */
export function collectSeeds(address: (contents: Uint8Array, file: string) => string = (_, file) => file): Seed[] {
  const names = JSON.parse(readFileSync(path.join(samples, "channel/seeds.json"), "utf8")) as Record<string, SeedName>;
  return Object.keys(names)
    .toSorted()
    .map((name) => {
      const tree = readTree(path.join(seeds, name));
      const { hash, size } = hashNar(tree);
      const narHash = printHash(hash, "base16");
      const storeName = `${names[name].name}-${names[name].version}`;
      return { name, storeName, narHash, narSize: size, tree: seedTree(tree, address, path.join(seeds, name)) };
    });
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
      const expressions: string[] = [];
      const emit = (name: string, source: Uint8Array) =>
        `import.meta.ROLLUP_FILE_URL_${this.emitFile({ type: "asset", name, source })}`;
      const list = collectSeeds((contents, file) => {
        const expression = production ? emit(`${path.basename(file)}.bin`, contents) : JSON.stringify(`/@fs${file}`);
        return `@url${expressions.push(expression) - 1}@`;
      });
      const source = JSON.stringify(list).replaceAll(/"@url(\d+)@"/g, (_, index: string) => expressions[Number(index)]);
      const texts = collectText();
      const archive = (name: string, belongs: (file: SampleFile) => boolean) => {
        const bytes = Buffer.from(JSON.stringify(texts.filter(belongs)));
        return production
          ? emit(name, bytes)
          : JSON.stringify(`data:application/json;base64,${bytes.toString("base64")}`);
      };
      const ofChannel = ([name]: SampleFile) => name.startsWith("channel/");
      return [
        `export const channelUrl = ${archive("channel.json", ofChannel)};`,
        `export const teachingUrl = ${archive("teaching.json", (file) => !ofChannel(file))};`,
        `export const seeds = ${source};\n`,
      ].join("\n");
    },
  };
}
