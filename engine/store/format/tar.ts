/**
 * Tar archives: reading (ustar, GNU long names, pax paths) into trees, and writing reproducible ones. An archive is
 * hostile until read: names that leave it, absolute ones and links in the way of files are refused; devices and sockets
 * are skipped.
 */
import { type ByteString, EMPTY_BYTES, concatBytes, fromBytes, toBytes } from "./bytes.ts";
import { FormatError } from "./error.ts";
import { type SourceTree, directory, isEntryName, regularFile, symlink } from "./tree.ts";

const BLOCK = 512;

interface Header {
  readonly name: ByteString;
  readonly mode: number;
  readonly size: number;
  readonly kind: string;
  readonly link: ByteString;
}

type Branch = Map<ByteString, Branch | SourceTree>;

/** Whether some bytes begin as a tar archive does. */
export function isTar(bytes: Uint8Array): boolean {
  return bytes.length >= BLOCK && fromBytes(bytes, 257, 262) === "ustar";
}

/** The tree of an (uncompressed) archive; its top is always a directory. @throws FormatError "limit" */
export function readTar(bytes: Uint8Array): SourceTree {
  const root: Branch = new Map();
  let longName: ByteString | undefined;
  let longLink: ByteString | undefined;
  for (let offset = 0; offset + BLOCK <= bytes.length;) {
    const header = readHeader(bytes, offset);
    if (header === undefined) break;
    offset += BLOCK;
    if (offset + header.size > bytes.length) throw tarError("the archive ends inside a file");
    const contents = bytes.subarray(offset, offset + header.size);
    offset += Math.ceil(header.size / BLOCK) * BLOCK;
    if (header.kind === "L") longName = untilNul(contents);
    else if (header.kind === "K") longLink = untilNul(contents);
    else if (header.kind === "x") {
      const pax = readPax(fromBytes(contents));
      longName = pax.get("path") ?? longName;
      longLink = pax.get("linkpath") ?? longLink;
    } else if (header.kind !== "g") {
      place(root, { ...header, name: longName ?? header.name, link: longLink ?? header.link }, contents);
      [longName, longLink] = [undefined, undefined];
    }
  }
  return freeze(root);
}

/** The newest modification time in an (uncompressed) archive, in seconds since the epoch. */
export function newestTime(bytes: Uint8Array): number {
  let newest = 0;
  let exact: number | undefined;
  for (let offset = 0; offset + BLOCK <= bytes.length;) {
    const header = readHeader(bytes, offset);
    if (header === undefined) break;
    const start = offset + BLOCK;
    if (header.kind === "x") {
      const time = readPax(fromBytes(bytes, start, start + header.size)).get("mtime");
      exact = time === undefined ? undefined : Math.floor(Number(time));
    } else if (!["g", "L", "K"].includes(header.kind)) {
      newest = Math.max(newest, exact ?? octal(bytes.subarray(offset + 136, offset + 148)));
      exact = undefined;
    }
    offset = start + Math.ceil(header.size / BLOCK) * BLOCK;
  }
  return newest;
}

/** Undefined at the zero block that ends an archive. */
function readHeader(bytes: Uint8Array, offset: number): Header | undefined {
  const field = (start: number, length: number) => bytes.subarray(offset + start, offset + start + length);
  if (field(0, BLOCK).every((byte) => byte === 0)) return undefined;
  if (checksum(field(0, BLOCK)) !== octal(field(148, 8))) throw tarError("wrong checksum of a header");
  const prefix = fromBytes(field(257, 6)).startsWith("ustar\0") ? untilNul(field(345, 155)) : "";
  const name = untilNul(field(0, 100));
  return {
    name: prefix === "" ? name : `${prefix}/${name}`,
    mode: octal(field(100, 8)),
    size: octal(field(124, 12)),
    kind: String.fromCharCode(field(156, 1)[0] as number).replace("\0", "0"),
    link: untilNul(field(157, 100)),
  };
}

function checksum(block: Uint8Array): number {
  let sum = 8 * 0x20;
  block.forEach((byte, index) => {
    if (index < 148 || index >= 156) sum += byte;
  });
  return sum;
}

function octal(field: Uint8Array): number {
  if (((field[0] as number) & 0x80) !== 0) {
    let value = 0;
    for (const byte of field.subarray(1)) value = value * 256 + byte;
    return value;
  }
  const digits = fromBytes(field)
    .replace(/[\0 ].*$/s, "")
    .trim();
  const value = digits === "" ? 0 : Number.parseInt(digits, 8);
  if (!Number.isSafeInteger(value)) throw tarError("a number that is none");
  return value;
}

function untilNul(field: Uint8Array): ByteString {
  const end = field.indexOf(0);
  return fromBytes(field, 0, end < 0 ? field.length : end);
}

/** Records "LENGTH KEY=VALUE\n". */
function readPax(text: ByteString): Map<string, ByteString> {
  const values = new Map<string, ByteString>();
  for (let at = 0; at < text.length;) {
    const space = text.indexOf(" ", at);
    const length = Number(text.slice(at, space));
    if (space < 0 || !Number.isInteger(length) || length <= 0) throw tarError("a damaged pax header");
    const record = text.slice(space + 1, at + length - 1);
    const equals = record.indexOf("=");
    values.set(record.slice(0, equals), record.slice(equals + 1));
    at += length;
  }
  return values;
}

function place(root: Branch, { name, mode, kind, link }: Header, contents: Uint8Array): void {
  const names = name.split("/").filter((part) => part !== "" && part !== ".");
  if (name.startsWith("/") || !names.every(isEntryName)) throw tarError(`a name that leaves the archive: '${name}'`);
  const last = names.pop();
  if (last === undefined) return;
  const branch = names.reduce(descend, root);
  if (kind === "5") descend(branch, last);
  else if (kind === "2") branch.set(last, symlink(link));
  else if (kind === "0" || kind === "7") branch.set(last, regularFile(contents, (mode & 0o100) !== 0));
  else if (kind === "1") branch.set(last, linked(root, link));
}

function descend(branch: Branch, name: ByteString): Branch {
  const there = branch.get(name);
  if (there instanceof Map) return there;
  if (there !== undefined) throw tarError(`a file in the way of a directory: '${name}'`);
  const made: Branch = new Map();
  branch.set(name, made);
  return made;
}

/** A hard link is one more name of a file that came before. */
function linked(root: Branch, target: ByteString): SourceTree {
  let node: Branch | SourceTree | undefined = root;
  for (const part of target.split("/")) {
    if (part !== "" && part !== ".") node = node instanceof Map ? node.get(part) : undefined;
  }
  if (node === undefined || node instanceof Map) throw tarError(`a link to nothing: '${target}'`);
  return node;
}

function freeze(branch: Branch): SourceTree {
  return directory(Array.from(branch, ([name, node]) => [name, node instanceof Map ? freeze(node) : node] as const));
}

/** What a tar member is called and holds. */
export interface TarMember {
  readonly name: ByteString;
  readonly node: SourceTree;
}

/**
 * A reproducible archive: members in the given order, directories without their contents (name these too), owner root,
 * every time 1, modes 0444 and 0555 as in a store. Long names and targets come in pax headers.
 */
export function writeTar(members: Iterable<TarMember>): Uint8Array<ArrayBuffer> {
  const blocks: Uint8Array[] = [];
  for (const { name, node } of members) writeMember(blocks, node.type === "directory" ? `${name}/` : name, node);
  blocks.push(new Uint8Array(2 * BLOCK));
  return concatBytes(blocks);
}

function writeMember(blocks: Uint8Array[], name: ByteString, node: SourceTree): void {
  const target = node.type === "symlink" ? node.target : "";
  const pax = [
    ...(name.length > 100 ? [paxRecord("path", name)] : []),
    ...(target.length > 100 ? [paxRecord("linkpath", target)] : []),
  ].join("");
  if (pax !== "") blocks.push(memberHeader("pax", "x", 0o444, pax.length, ""), padded(toBytes(pax)));
  const contents = node.type === "regular" ? node.contents : EMPTY_BYTES;
  const mode = node.type === "symlink" ? 0o777 : node.type === "regular" && !node.executable ? 0o444 : 0o555;
  const kind = node.type === "regular" ? "0" : node.type === "symlink" ? "2" : "5";
  blocks.push(memberHeader(name.slice(0, 100), kind, mode, contents.length, target.slice(0, 100)), padded(contents));
}

/** Its length counts itself. */
function paxRecord(key: string, value: ByteString): ByteString {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return `${length}${rest}`;
}

function memberHeader(name: ByteString, kind: string, mode: number, size: number, link: ByteString): Uint8Array {
  const block = new Uint8Array(BLOCK);
  const put = (text: ByteString, at: number) => block.set(toBytes(text), at);
  const number = (value: number, at: number, digits: number) => put(`${value.toString(8).padStart(digits, "0")}\0`, at);
  put(name, 0);
  number(mode, 100, 7);
  number(0, 108, 7);
  number(0, 116, 7);
  number(size, 124, 11);
  number(1, 136, 11);
  put(kind, 156);
  put(link, 157);
  put("ustar\x0000", 257);
  put("root", 265);
  put("root", 297);
  put(`${checksum(block).toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

function padded(contents: Uint8Array): Uint8Array {
  if (contents.length % BLOCK === 0) return contents;
  const block = new Uint8Array(Math.ceil(contents.length / BLOCK) * BLOCK);
  block.set(contents);
  return block;
}

function tarError(why: string): FormatError {
  return new FormatError("limit", `cannot read the tar archive: ${why}`);
}
