/**
 * A revision of a repository on GitHub, file by file: its archives may not be read by other sites' pages, its list of files and the
 * files themselves may. Invariant: what is asked for is one commit, whatever branch was named.
 */
import { StoreError } from "#engine/store/error.ts";
import { encodeUtf8, fromBytes } from "#engine/store/format/bytes.ts";
import { type TarMember, writeTar } from "#engine/store/format/tar.ts";
import { directory, regularFile, symlink } from "#engine/store/format/tree.ts";
import type { Download, OnProgress } from "./types.ts";

export interface Repository {
  readonly owner: string;
  readonly name: string;
  readonly revision: string;
}

/** Reads one address; rejects when the answer is no success. */
export type Read = (address: string, accept?: string) => Promise<Uint8Array>;

/** More files than this are one request too many each: the archive is to be uploaded. */
const MOST_FILES = 6000;
const AT_ONCE = 12;

const SHORT = /^github:([\w.-]+)\/([\w.-]+)(?:\/([\w./-]+))?$/;
const ARCHIVE =
  /^https:\/\/github\.com\/([\w.-]+)\/([\w.-]+)\/archive\/(?:refs\/(?:heads|tags)\/)?([\w./-]+?)\.(?:tar\.gz|zip)$/;

/** Undefined for an address that is not of a repository. */
export function parseRepository(address: string): Repository | undefined {
  const [, owner, name, revision] = SHORT.exec(address) ?? ARCHIVE.exec(address) ?? [];
  return owner === undefined || name === undefined ? undefined : { owner, name, revision: revision ?? "HEAD" };
}

interface Entry {
  readonly path: string;
  readonly mode: string;
  readonly type: "blob" | "tree" | "commit";
}

export async function fetchRepository(repository: Repository, read: Read, onProgress: OnProgress): Promise<Download> {
  const { owner, name } = repository;
  const api = `https://api.github.com/repos/${owner}/${name}`;
  onProgress("Asking GitHub", null);
  const commit = /^[0-9a-f]{40}$/.test(repository.revision)
    ? repository.revision
    : text(await read(`${api}/commits/${repository.revision}`, "application/vnd.github.sha")).trim();
  const answer = JSON.parse(text(await read(`${api}/git/trees/${commit}?recursive=1`))) as {
    tree: Entry[];
    truncated: boolean;
  };
  const files = answer.tree.filter(({ type }) => type === "blob");
  if (answer.truncated || files.length > MOST_FILES) {
    throw new StoreError(
      "network",
      `${owner}/${name} has too many files to be fetched one by one. Download its archive and drop the file here.`,
    );
  }
  const contents = new Map<string, Uint8Array>();
  const waiting = files.values();
  const fetchNext = async () => {
    for (const { path } of waiting) {
      const address = `https://raw.githubusercontent.com/${owner}/${name}/${commit}/${encodePath(path)}`;
      contents.set(path, await read(address));
      onProgress(`Fetching ${files.length} files`, contents.size / files.length);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, fetchNext));
  const archive = writeTar(answer.tree.map((entry) => member(`${name}-${commit}`, entry, contents.get(entry.path))));
  return { archive: new Blob([archive]), url: `https://github.com/${owner}/${name}/archive/${commit}.tar.gz` };
}

/** As in GitHub's own archives: below one folder, submodules as empty folders. */
function member(folder: string, { path, mode, type }: Entry, contents: Uint8Array | undefined): TarMember {
  const name = encodeUtf8(`${folder}/${path}`);
  if (type !== "blob" || contents === undefined) return { name, node: directory([]) };
  const node = mode === "120000" ? symlink(fromBytes(contents)) : regularFile(contents, mode === "100755");
  return { name, node };
}

const encodePath = (path: string): string => path.split("/").map(encodeURIComponent).join("/");
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
