/** What `builtins.fetch…` and flake inputs ask for on Node: files, archives and folders, put into the store. */
import fs from "node:fs";
import type { FetchRequest, FetchResult } from "#engine/eval/io.ts";
import { StoreError } from "#engine/store/error.ts";
import { hashOf, parseHash, printHash } from "#engine/store/format/hash.ts";
import { type SourceTree, directory, regularFile, symlink } from "#engine/store/format/tree.ts";
import type { Store } from "#engine/store/store.ts";
import { unpackArchive } from "../store/decompress.ts";
import { download } from "./cache-files.ts";

/** Fetches into the store. @throws StoreError when that is not possible */
export async function fetchInput(request: FetchRequest, store: Store): Promise<FetchResult> {
  if (request.options["type"] === "path") return fetchFolder(request, store);
  if (request.kind === "file") return fetchFile(request, store);
  if (request.kind === "tarball") return fetchArchive(request, store);
  throw new StoreError("network", `cannot fetch '${request.url}' here: only files, archives and folders can be had`, {
    url: request.url,
  });
}

/** A folder of this computer; `lastModified` is the newest time of anything in it, unless the reference gives one. */
async function fetchFolder({ name, url, options }: FetchRequest, store: Store): Promise<FetchResult> {
  const path = String(options["path"]);
  const place = Buffer.from(path, "latin1");
  if (!fs.existsSync(place)) {
    throw new StoreError("missing", `while fetching the input '${url}': path '${path}' does not exist`, { path });
  }
  const newest = { seconds: 0 };
  const result = await added(name, readTree(place, newest), store);
  const given = Number(options["lastModified"] ?? 0);
  return { ...result, attributes: { lastModified: given > 0 ? given : newest.seconds } };
}

async function fetchFile({ name, url }: FetchRequest, store: Store): Promise<FetchResult> {
  const bytes = await bytesOf(url);
  const { path, narHash } = await store.addTree(name, regularFile(bytes), "flat");
  const flatHash = printHash(hashOf("sha256", bytes), "sri");
  return { storePath: path, narHash: printHash(parseHash(narHash), "sri"), attributes: { flatHash } };
}

async function fetchArchive({ name, url }: FetchRequest, store: Store): Promise<FetchResult> {
  const tree = await unpackArchive(await bytesOf(url));
  const only = tree.type === "directory" && tree.entries.size === 1 ? [...tree.entries.values()][0] : undefined;
  return added(name, only?.type === "directory" ? only : tree, store);
}

async function bytesOf(url: string): Promise<Uint8Array> {
  const bytes = await download(url);
  if (bytes === undefined) throw new StoreError("network", `unable to download '${url}': HTTP error 404`, { url });
  return bytes;
}

async function added(name: string, tree: SourceTree, store: Store): Promise<FetchResult> {
  const { path, narHash } = await store.addTree(name, tree);
  return { storePath: path, narHash: printHash(parseHash(narHash), "sri"), attributes: {} };
}

function readTree(place: Buffer, newest: { seconds: number }): SourceTree {
  const status = fs.lstatSync(place);
  newest.seconds = Math.max(newest.seconds, Math.floor(status.mtimeMs / 1000));
  if (status.isSymbolicLink()) return symlink(fs.readlinkSync(place, "latin1"));
  if (!status.isDirectory()) return regularFile(fs.readFileSync(place), (status.mode & 0o100) !== 0);
  const names = fs.readdirSync(place, "latin1");
  return directory(
    names.map((name) => [name, readTree(Buffer.concat([place, Buffer.from(`/${name}`, "latin1")]), newest)] as const),
  );
}
