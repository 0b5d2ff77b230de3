/** The files of a binary cache by URL: a directory (file://) or a web address. */
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { BinaryCacheAccess } from "#engine/commands/command.ts";
import { StoreError } from "#engine/store/error.ts";

/** Tries before a download fails for good. */
const ATTEMPTS = 3;

/** Undefined for a URL that is no binary cache's. */
export function openCacheFiles(url: string): BinaryCacheAccess | undefined {
  const bare = url.replace(/\?.*$/, "");
  if (bare.startsWith("file://")) return directoryCache(url, fileURLToPath(bare));
  if (/^https?:\/\//.test(bare)) return webCache(bare.replace(/\/$/, ""));
  return undefined;
}

function directoryCache(url: string, directory: string): BinaryCacheAccess {
  const place = (name: string) => {
    const file = path.join(directory, name);
    if (!file.startsWith(directory + path.sep))
      throw new StoreError("network", `a name that leaves the cache: '${name}'`);
    return file;
  };
  return {
    url,
    read: async (name) => (fs.existsSync(place(name)) ? fs.readFileSync(place(name)) : undefined),
    write: async (name, contents) => {
      const file = place(name);
      fs.mkdirSync(path.dirname(file), { recursive: true });
      fs.writeFileSync(`${file}.tmp`, contents);
      fs.renameSync(`${file}.tmp`, file);
    },
  };
}

function webCache(url: string): BinaryCacheAccess {
  return { url, read: (name) => download(`${url}/${name}`) };
}

/** The bytes at a URL, undefined when there are none (404, 403 as some hosts say). @throws StoreError "network" */
export async function download(url: string): Promise<Uint8Array | undefined> {
  if (url.startsWith("file://"))
    return fs.existsSync(fileURLToPath(url)) ? fs.readFileSync(fileURLToPath(url)) : undefined;
  let problem = "";
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    try {
      const response = await fetch(url);
      if (response.ok) return new Uint8Array(await response.arrayBuffer());
      if (response.status === 404 || response.status === 403) return undefined;
      problem = `HTTP error ${response.status}`;
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error);
    }
  }
  throw new StoreError("network", `unable to download '${url}': ${problem}`, { url });
}
