/** Zip archives as trees; the executable bit and links come from the Unix mode that zip keeps beside each file. */
import { unzipSync } from "fflate";
import { StoreError } from "#engine/store/error.ts";
import { encodeUtf8, fromBytes } from "#engine/store/format/bytes.ts";
import {
  type SourceTree,
  type TreeNode,
  directory,
  isEntryName,
  regularFile,
  symlink,
} from "#engine/store/format/tree.ts";

const CENTRAL_HEADER = 0x02014b50;
const LINK_MODE = 0o120000;

type Branch = Map<string, Branch | SourceTree>;

/** @throws StoreError "corrupt" on a damaged archive or a name that leaves it */
export function unzip(archive: Uint8Array): SourceTree {
  const root: Branch = new Map();
  const modes = unixModes(archive);
  for (const [name, contents] of Object.entries(unzipSync(archive))) place(root, name, contents, modes.get(name) ?? 0);
  return freeze(root);
}

function place(root: Branch, name: string, contents: Uint8Array, mode: number): void {
  const parts = encodeUtf8(name)
    .split("/")
    .filter((part) => part !== "" && part !== ".");
  if (name.startsWith("/") || !parts.every(isEntryName)) {
    throw new StoreError("corrupt", `a name that leaves the archive: '${name}'`);
  }
  const last = name.endsWith("/") ? undefined : parts.pop();
  const branch = parts.reduce(descend, root);
  if (last !== undefined) branch.set(last, fileNode(contents, mode));
}

function fileNode(contents: Uint8Array, mode: number): TreeNode<{ readonly contents: Uint8Array }> {
  if ((mode & 0o170000) === LINK_MODE) return symlink(fromBytes(contents));
  return regularFile(contents, (mode & 0o100) !== 0);
}

function descend(branch: Branch, name: string): Branch {
  const there = branch.get(name);
  if (there instanceof Map) return there;
  if (there !== undefined) throw new StoreError("corrupt", `a file in the way of a directory: '${name}'`);
  const made: Branch = new Map();
  branch.set(name, made);
  return made;
}

function freeze(branch: Branch): SourceTree {
  return directory(Array.from(branch, ([name, node]) => [name, node instanceof Map ? freeze(node) : node] as const));
}

/** The upper half of the external attributes in the central directory, by name. */
function unixModes(archive: Uint8Array): Map<string, number> {
  const view = new DataView(archive.buffer, archive.byteOffset, archive.byteLength);
  const modes = new Map<string, number>();
  const decoder = new TextDecoder();
  for (let at = centralDirectory(view); at + 46 <= view.byteLength && view.getUint32(at, true) === CENTRAL_HEADER;) {
    const [name, extra, comment] = [28, 30, 32].map((field) => view.getUint16(at + field, true)) as [
      number,
      number,
      number,
    ];
    modes.set(decoder.decode(archive.subarray(at + 46, at + 46 + name)), view.getUint16(at + 40, true));
    at += 46 + name + extra + comment;
  }
  return modes;
}

/** Where the central directory begins, as the record at the archive's end says. */
function centralDirectory(view: DataView): number {
  for (let at = view.byteLength - 22; at >= 0; at--) {
    if (view.getUint32(at, true) === 0x06054b50) return view.getUint32(at + 16, true);
  }
  throw new StoreError("corrupt", "the zip archive has no directory");
}
