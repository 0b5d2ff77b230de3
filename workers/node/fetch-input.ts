/** What `builtins.fetch…` and flake inputs ask for on Node: files, archives and folders, put into the store. */
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { FetchRequest, FetchResult } from "#engine/eval/io.ts";
import { StoreError } from "#engine/store/error.ts";
import { hashOf, parseHash, printHash } from "#engine/store/format/hash.ts";
import { isTar, newestTime } from "#engine/store/format/tar.ts";
import { type SourceTree, directory, regularFile, symlink } from "#engine/store/format/tree.ts";
import type { Store } from "#engine/store/store.ts";
import { decompress, unpackArchive } from "../store/decompress.ts";
import { cacheFolder } from "./cache-folder.ts";
import { downloadInput } from "./download.ts";
import { FORGES, forgeArchive } from "./forges.ts";
import { fetchGit } from "./git-input.ts";

/** Fetches into the store; `tell` is given lines for the user. @throws StoreError when that is not possible */
export async function fetchInput(
  request: FetchRequest,
  store: Store,
  tell: (line: string) => void,
): Promise<FetchResult> {
  if (request.kind === "git") return fetchGit(request, store, (message) => tell(`warning: ${message}`));
  if (request.options["type"] === "path") return fetchFolder(request, store);
  if (request.kind === "file") return fetchFile(request, store);
  if (request.kind === "tarball") return fetchArchive(request, store, tell);
  if (FORGES.includes(String(request.options["type"]))) return fetchForge(request, store, tell);
  throw new StoreError("network", `cannot fetch '${request.url}' here: only files, archives and folders can be had`, {
    url: request.url,
  });
}

/** A folder of this computer; `lastModified` is the newest time of anything in it, unless the reference gives one. */
async function fetchFolder({ name, url, options }: FetchRequest, store: Store): Promise<FetchResult> {
  const path = String(options["path"]);
  if (!path.startsWith("/")) {
    throw new StoreError("usage", `cannot fetch input '${url}' because it uses a relative path`, { path });
  }
  const place = Buffer.from(path, "latin1");
  if (!fs.existsSync(place)) {
    throw new StoreError("missing", `while fetching the input '${url}': path '${path}' does not exist`, { path });
  }
  const newest = { seconds: 0 };
  const result = await added(name, readTree(place, newest), store);
  const given = Number(options["lastModified"] ?? 0);
  return { ...result, attributes: { lastModified: given > 0 ? given : newest.seconds } };
}

/** A file as it is: `builtins.fetchurl` names it by its content, inputs by its NAR. */
async function fetchFile({ name, url, options }: FetchRequest, store: Store): Promise<FetchResult> {
  const { bytes } = await downloadInput(String(options["url"] ?? url));
  const isInput = options["type"] === "file";
  const { path, narHash } = await store.addTree(name, regularFile(bytes), isInput ? "nar" : "flat");
  const flatHash = printHash(hashOf("sha256", bytes), "sri");
  const attributes: FetchResult["attributes"] = isInput ? {} : { flatHash };
  return { storePath: path, narHash: printHash(parseHash(narHash), "sri"), attributes };
}

/** An unpacked archive, without the one folder that everything may be in; `lastModified` is the newest time in it. */
async function fetchArchive(
  { name, url, options }: FetchRequest,
  store: Store,
  tell: (line: string) => void,
): Promise<FetchResult> {
  const address = String(options["url"] ?? url);
  const missing = missingFile(address);
  if (missing !== undefined) {
    throw new StoreError("missing", `tarball ${JSON.stringify(missing)} does not exist.`);
  }
  const { bytes, immutableUrl } = await downloadInput(address).catch((error: unknown) => {
    tell(`unpacking '${address}' into the Git cache...`);
    throw whileUnpacking(error);
  });
  tellUnpacking(address, bytes, tell);
  const result = await addArchive(bytes, name, store);
  const locked = immutableUrl === undefined ? {} : lockedUrl(immutableUrl);
  return { ...result, attributes: { ...result.attributes, ...locked } };
}

/** C++ Nix unpacks while it downloads, so that a failed download is an error of the archive's. */
function whileUnpacking(error: unknown): unknown {
  if (!(error instanceof StoreError)) return error;
  const reason = error.message.replace(/\n(?=[^\n])/g, "\n       ");
  return new StoreError("network", `Failed to open archive (Source threw exception: error: ${reason})`, error.data);
}

/** Says, once for every archive, what C++ Nix says when it unpacks one for the first time. */
function tellUnpacking(address: string, bytes: Uint8Array, tell: (line: string) => void): void {
  const mark = path.join(cacheFolder(), "unpacked", createHash("sha256").update(address).update(bytes).digest("hex"));
  if (fs.existsSync(mark)) return;
  tell(`unpacking '${address}' into the Git cache...`);
  fs.mkdirSync(path.dirname(mark), { recursive: true });
  fs.writeFileSync(mark, "");
}

/** A `file:` address where nothing is. */
function missingFile(url: string): string | undefined {
  if (!url.startsWith("file://")) return undefined;
  const place = fileURLToPath(url.replace(/[?#].*$/s, ""));
  return fs.existsSync(place) ? undefined : place;
}

/** What a server's "immutable" link pins an archive to. */
function lockedUrl(link: string): Record<string, string | number> {
  const url = new URL(link);
  const attributes: Record<string, string | number> = {};
  for (const name of ["rev", "revCount", "lastModified"]) {
    const value = url.searchParams.get(name);
    if (value === null) continue;
    attributes[name] = name === "rev" ? value : Number(value);
    url.searchParams.delete(name);
  }
  url.searchParams.delete("narHash");
  return { ...attributes, url: url.href };
}

async function fetchForge(request: FetchRequest, store: Store, tell: (line: string) => void): Promise<FetchResult> {
  const { rev, url } = await forgeArchive(request.options);
  const { bytes } = await downloadInput(url);
  tellUnpacking(request.url, bytes, tell);
  const result = await addArchive(bytes, request.name, store);
  return { ...result, attributes: { ...result.attributes, rev } };
}

async function addArchive(bytes: Uint8Array, name: string, store: Store): Promise<FetchResult> {
  const isZip = bytes[0] === 0x50 && bytes[1] === 0x4b;
  const archive = isZip ? bytes : await decompress(bytes);
  const tree = await unpackArchive(archive);
  const only = tree.type === "directory" && tree.entries.size === 1 ? [...tree.entries.values()][0] : undefined;
  const result = await added(name, only?.type === "directory" ? only : tree, store);
  return isTar(archive) ? { ...result, attributes: { lastModified: newestTime(archive) } } : result;
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
