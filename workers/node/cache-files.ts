/** The files of a binary cache by URL: a directory (file://) or a web address. */
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { BinaryCacheAccess } from "#engine/commands/command.ts";
import { StoreError } from "#engine/store/error.ts";

/** Tries before a download fails for good. */
const ATTEMPTS = 5;

/** Milliseconds before the second try. */
const PAUSE = 250;

/** Undefined for a URL that is no binary cache's. */
export function openCacheFiles(url: string): BinaryCacheAccess | undefined {
  const bare = url.replace(/\?.*$/, "");
  if (bare.startsWith("file://")) return directoryCache(url, path.resolve(fileURLToPath(bare)));
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
  return { url, read: (name) => slots(() => download(`${url}/${name}`)) };
}

/** Requests at the same time. */
const CONNECTIONS = 25;

const slots = limited(CONNECTIONS);

/** Lets so many bodies run at a time; the others wait their turn. */
function limited(count: number): <Result>(body: () => Promise<Result>) => Promise<Result> {
  let free = count;
  const waiting: (() => void)[] = [];
  return async (body) => {
    if (free > 0) free--;
    else await new Promise<void>((resume) => waiting.push(resume));
    try {
      return await body();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free++;
      else next();
    }
  };
}

/**
 * The bytes at a URL, undefined when there are none (404, 410, and 403 as some hosts say). A download that is cut goes on where it
 * stopped, if the server can; one that fails is tried again after a while, longer each time.
 * @throws StoreError "network"
 */
export async function download(url: string): Promise<Uint8Array | undefined> {
  if (url.startsWith("file://")) {
    const file = fileURLToPath(url);
    return fs.statSync(file, { throwIfNoEntry: false })?.isFile() === true ? fs.readFileSync(file) : undefined;
  }
  const part: Part = { pieces: [], size: 0, tag: undefined };
  let problem = "";
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (attempt > 0) await new Promise((resolve) => setTimeout(resolve, PAUSE * 2 ** (attempt - 1)));
    try {
      const answer = await request(url, part);
      if (typeof answer !== "string") return answer.found ? Buffer.concat(part.pieces) : undefined;
      problem = answer;
    } catch (error) {
      if (error instanceof StoreError) throw error;
      problem = error instanceof Error ? error.message : String(error);
    }
  }
  throw new StoreError("network", `unable to download '${url}': ${problem}`, { url });
}

/** What has come of a file, and the version that it is of. */
interface Part {
  pieces: Uint8Array[];
  size: number;
  tag: string | undefined;
}

/** One try: whether there is such a file, or what went wrong that may go right the next time. */
async function request(url: string, part: Part): Promise<{ readonly found: boolean } | string> {
  const headers: Record<string, string> = {};
  if (part.size > 0 && part.tag !== undefined) {
    headers["Range"] = `bytes=${part.size}-`;
    headers["If-Range"] = part.tag;
  }
  const response = await fetch(url, { headers });
  const { status } = response;
  if (status === 404 || status === 410 || status === 403) return { found: false };
  if (!response.ok && status !== 408 && status !== 429 && status < 500) {
    throw new StoreError("network", `unable to download '${url}': HTTP error ${status}`, { url });
  }
  if (!response.ok) return `HTTP error ${status}`;
  const goesOn = status === 206 && response.headers.get("content-range")?.startsWith(`bytes ${part.size}-`) === true;
  if (!goesOn) Object.assign(part, { pieces: [], size: 0 });
  const tag = response.headers.get("etag") ?? response.headers.get("last-modified") ?? undefined;
  part.tag = tag?.startsWith("W/") === true ? undefined : tag;
  for await (const piece of response.body ?? []) {
    part.pieces.push(piece);
    part.size += piece.length;
  }
  return { found: true };
}
