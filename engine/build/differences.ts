/** Where two builds of one output differ: which files, and in each the first bytes that are not the same. */
import { encodeBase16 } from "../store/format/base-n.ts";
import type { ByteString } from "../store/format/bytes.ts";
import type { FileTree } from "../store/format/tree.ts";

export interface BuiltTree {
  readonly tree: FileTree;
  read(sha256: string): Promise<Uint8Array>;
}

export interface Difference {
  /** Below the output; "" is the output itself. */
  readonly file: ByteString;
  /** Of the first byte that differs; undefined when it is not the content that does. */
  readonly offset?: number;
  /** How many bytes differ, those that one side has more included. */
  readonly count?: number;
  /** What stands there on each side: hexadecimal bytes from the offset, or the kind of file. */
  readonly first: string;
  readonly second: string;
}

/** Bytes of each side that are shown. */
const SHOWN = 16;

/** In order of the files' names. */
export async function differences(first: BuiltTree, second: BuiltTree): Promise<Difference[]> {
  const found: Difference[] = [];
  const compare = async (file: ByteString, left: FileTree | undefined, right: FileTree | undefined): Promise<void> => {
    if (left?.type === "directory" && right?.type === "directory") {
      const names = new Set([...left.entries.keys(), ...right.entries.keys()]);
      for (const name of [...names].sort()) {
        await compare(`${file}/${name}`, left.entries.get(name), right.entries.get(name));
      }
      return;
    }
    if (left?.type === "regular" && right?.type === "regular" && left.blob !== right.blob) {
      found.push({ file, ...contentDifference(await first.read(left.blob), await second.read(right.blob)) });
    }
    const [one, other] = [describe(left), describe(right)];
    if (one !== other) found.push({ file, first: one, second: other });
  };
  await compare("", first.tree, second.tree);
  return found;
}

function describe(node: FileTree | undefined): string {
  if (node === undefined) return "nothing";
  if (node.type === "symlink") return `a link to ${node.target}`;
  return node.type === "directory" ? "a directory" : node.executable ? "an executable file" : "a file";
}

function contentDifference(left: Uint8Array, right: Uint8Array): Omit<Difference, "file"> {
  const shorter = Math.min(left.length, right.length);
  let offset = 0;
  while (offset < shorter && left[offset] === right[offset]) offset++;
  let count = Math.abs(left.length - right.length);
  for (let at = offset; at < shorter; at++) if (left[at] !== right[at]) count++;
  const shown = (bytes: Uint8Array): string =>
    offset === bytes.length ? "its end" : encodeBase16(bytes.subarray(offset, offset + SHOWN));
  return { offset, count, first: shown(left), second: shown(right) };
}

/** One line a difference. */
export function describeDifference(output: string, { file, offset, count, first, second }: Difference): ByteString {
  const where = offset === undefined ? "" : ` at byte ${offset} (${count} bytes differ)`;
  return `${output}${file}${where}: first ${first}, then ${second}`;
}
