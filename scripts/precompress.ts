// A Vite plugin that writes a `.br` beside each file that a first result needs, compressed as well as brotli can: too slow to be done when
// a visitor asks. `npm start` serves them, and so does any host that looks for files compressed beforehand.
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants } from "node:zlib";
import type { Plugin } from "vite";

const firstLoad = /^assets\/(index|react|evaluator-worker|store-worker|channel)-.*\.(js|css|json)$/;

async function compress(file: string): Promise<void> {
  const bytes = await readFile(file);
  const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
  await writeFile(`${file}.br`, await promisify(brotliCompress)(bytes, { params }));
}

export function precompress(): Plugin {
  return {
    name: "precompress",
    apply: "build",
    async writeBundle({ dir = "dist" }, bundle) {
      const names = Object.keys(bundle).filter((name) => firstLoad.test(name));
      await Promise.all(names.map((name) => compress(path.join(dir, name))));
    },
  };
}
