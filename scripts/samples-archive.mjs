// A Vite plugin that packs samples/ for the page: one compressed archive of all text (`virtual:samples` gives its address and the
// seeds' manifest), and each seed's binary file as an asset of its own, loaded only when a store path needs it.
import { lstatSync, readFileSync, readdirSync, readlinkSync } from "node:fs";
import path from "node:path";
import { deflateRawSync } from "node:zlib";
import { root } from "./ensure.mjs";

const id = "virtual:samples";
const samples = path.join(root, "samples");
const seeds = "channel/seeds/";

/** Every file below a folder, sorted, as paths relative to it. */
function filesBelow(folder, prefix = "") {
  return readdirSync(path.join(folder, prefix))
    .toSorted()
    .flatMap((name) => {
      const file = prefix + name;
      return lstatSync(path.join(folder, file)).isDirectory() ? filesBelow(folder, `${file}/`) : [file];
    });
}

function entry(file) {
  const absolute = path.join(samples, file);
  const stat = lstatSync(absolute);
  if (stat.isSymbolicLink()) return { type: "symlink", target: readlinkSync(absolute) };
  return { type: "regular", executable: (stat.mode & 0o100) !== 0, size: stat.size };
}

/**
 * What the page gets: `text` is [path, executable, UTF-8 content] of every ordinary file, `seeds` the manifest of binaries by path.
 * Test files and READMEs of samples/ are left out.
 */
export function collectSamples() {
  const text = [];
  const binaries = {};
  for (const file of filesBelow(samples)) {
    if (file.endsWith(".test.ts") || file === "README.md") continue;
    const found = entry(file);
    if (file.startsWith(seeds)) binaries[file.slice(seeds.length)] = found;
    else if (found.type === "regular") text.push([file, found.executable, readFileSync(path.join(samples, file), "utf8")]);
    else throw new Error(`samples/${file}: links are only allowed among the seeds`);
  }
  return { text, seeds: binaries };
}

export function samplesArchive() {
  let production = true;
  return {
    name: "samples-archive",
    configResolved(config) {
      production = config.command === "build";
    },
    resolveId: (source) => (source === id ? `\0${id}` : undefined),
    load(module) {
      if (module !== `\0${id}`) return undefined;
      const { text, seeds: manifest } = collectSamples();
      const archive = deflateRawSync(JSON.stringify(text), { level: 9 });
      const asset = (file, source) =>
        `import.meta.ROLLUP_FILE_URL_${this.emitFile({ type: "asset", name: path.basename(file), source })}`;
      const address = (file, source) =>
        production ? asset(file, source()) : JSON.stringify(`/@fs${path.join(samples, seeds, file)}`);
      const lines = Object.entries(manifest).map(([file, data]) => {
        const url = data.type === "regular" ? address(file, () => readFileSync(path.join(samples, seeds, file))) : "undefined";
        return `${JSON.stringify(file)}: { ...${JSON.stringify(data)}, url: ${url} }`;
      });
      const archiveUrl = production
        ? asset("samples.bin", archive)
        : JSON.stringify(`data:application/octet-stream;base64,${archive.toString("base64")}`);
      return `export const archiveUrl = ${archiveUrl};\nexport const seeds = {\n${lines.join(",\n")}\n};\n`;
    },
  };
}
