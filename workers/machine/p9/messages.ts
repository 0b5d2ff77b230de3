/**
 * 9P2000.L messages: a frame from the guest decoded to a request, a reply encoded to a frame. A frame is its length (4 bytes), type
 * (1), tag (2) and fields; the numbers and field orders are those of Linux's fs/9p protocol description.
 */
import { P9Error } from "./errno.ts";
import type { Attributes, FileSystemStatistics } from "./tree.ts";
import { WireReader, WireWriter, type Qid } from "./wire.ts";

export type Request =
  | { type: "version"; msize: number; version: string }
  | { type: "auth" }
  | { type: "attach"; fid: number; uid: number; path: string }
  | { type: "flush"; tag: number }
  | { type: "walk"; fid: number; newFid: number; names: string[] }
  | { type: "open"; fid: number; flags: number }
  | { type: "create"; fid: number; name: string; flags: number; mode: number; gid: number }
  | { type: "symlink"; fid: number; name: string; target: string; gid: number }
  | { type: "mknod"; fid: number; name: string; mode: number; rdev: number; gid: number }
  | { type: "mkdir"; fid: number; name: string; mode: number; gid: number }
  | { type: "link"; directory: number; fid: number; name: string }
  | { type: "rename"; fid: number; directory: number; name: string }
  | { type: "renameat"; from: number; name: string; to: number; newName: string }
  | { type: "unlinkat"; directory: number; name: string; flags: number }
  | { type: "remove"; fid: number }
  | { type: "clunk"; fid: number }
  | { type: "read"; fid: number; offset: number; count: number }
  | { type: "write"; fid: number; offset: number; bytes: Uint8Array }
  | { type: "readdir"; fid: number; offset: number; count: number }
  | { type: "readlink"; fid: number }
  | { type: "getattr"; fid: number }
  | { type: "setattr"; fid: number; attributes: SetAttributes }
  | { type: "fsync"; fid: number }
  | { type: "statfs"; fid: number }
  | { type: "lock"; fid: number }
  | { type: "getlock"; fid: number; start: number; length: bigint; process: number; client: string }
  | { type: "xattrwalk" }
  | { type: "xattrcreate" };

/** Tsetattr as it comes: `valid` says which fields count. */
export interface SetAttributes {
  valid: number;
  mode: number;
  uid: number;
  gid: number;
  size: number;
  atime: bigint;
  mtime: bigint;
}

export type Reply =
  | { type: "error"; number: number }
  | { type: "version"; msize: number; version: string }
  | { type: "attach" | "symlink" | "mknod" | "mkdir"; qid: Qid }
  | { type: "walk"; qids: Qid[] }
  | { type: "open" | "create"; qid: Qid; unit: number }
  | { type: "flush" | "link" | "rename" | "renameat" | "unlinkat" | "remove" | "clunk" | "setattr" | "fsync" }
  | { type: "read"; bytes: Uint8Array }
  | { type: "write"; count: number }
  | { type: "readdir"; entries: ReaddirEntry[] }
  | { type: "readlink"; target: string }
  | { type: "getattr"; qid: Qid; attributes: Attributes }
  | { type: "statfs"; statistics: FileSystemStatistics }
  | { type: "lock" }
  | { type: "getlock"; start: number; length: bigint; process: number; client: string };

/** One name of a directory; `cookie` is the offset at which the listing goes on after it. */
export interface ReaddirEntry {
  qid: Qid;
  cookie: number;
  /** The mode's kind bits shifted right by 12, as dirent's d_type. */
  kind: number;
  name: string;
}

/** Bytes an entry takes in Rreaddir. */
export function readdirEntrySize(name: string): number {
  return 24 + name.length;
}

/** The fixed bytes of Rread and Rreaddir: header and count. */
export const readHeaderSize = 11;

const requestTypes: Record<number, Request["type"]> = {
  8: "statfs",
  12: "open",
  14: "create",
  16: "symlink",
  18: "mknod",
  20: "rename",
  22: "readlink",
  24: "getattr",
  26: "setattr",
  30: "xattrwalk",
  32: "xattrcreate",
  40: "readdir",
  50: "fsync",
  52: "lock",
  54: "getlock",
  70: "link",
  72: "mkdir",
  74: "renameat",
  76: "unlinkat",
  100: "version",
  102: "auth",
  104: "attach",
  108: "flush",
  110: "walk",
  116: "read",
  118: "write",
  120: "clunk",
  122: "remove",
};

const replyNumbers = new Map<Reply["type"], number>([["error", 7]]);
for (const [number, type] of Object.entries(requestTypes)) {
  if (type !== "auth" && type !== "xattrwalk" && type !== "xattrcreate") replyNumbers.set(type, Number(number) + 1);
}

/** The tag of a frame; readable even when the rest is not. */
export function frameTag(frame: Uint8Array): number {
  return (frame[5] ?? 0) | ((frame[6] ?? 0) << 8);
}

/** Throws EOPNOTSUPP on a type this server does not speak, EPROTO on a short frame. */
export function decodeRequest(frame: Uint8Array): Request {
  const type = requestTypes[frame[4] ?? 0];
  if (type === undefined) throw new P9Error("EOPNOTSUPP", `message ${frame[4]}`);
  return decodeFields(type, new WireReader(frame, 7));
}

function decodeFields(type: Request["type"], r: WireReader): Request {
  switch (type) {
    case "version":
      return { type, msize: r.u32(), version: r.string() };
    case "auth":
    case "xattrwalk":
    case "xattrcreate":
      return { type };
    case "attach":
      return decodeAttach(r);
    case "flush":
      return { type, tag: r.u16() };
    case "walk":
      return { type, fid: r.u32(), newFid: r.u32(), names: Array.from({ length: r.u16() }, () => r.string()) };
    case "open":
      return { type, fid: r.u32(), flags: r.u32() };
    case "create":
      return { type, fid: r.u32(), name: r.string(), flags: r.u32(), mode: r.u32(), gid: r.u32() };
    case "symlink":
      return { type, fid: r.u32(), name: r.string(), target: r.string(), gid: r.u32() };
    case "mknod":
      return {
        type,
        fid: r.u32(),
        name: r.string(),
        mode: r.u32(),
        rdev: deviceNumber(r.u32(), r.u32()),
        gid: r.u32(),
      };
    case "mkdir":
      return { type, fid: r.u32(), name: r.string(), mode: r.u32(), gid: r.u32() };
    case "link":
      return { type, directory: r.u32(), fid: r.u32(), name: r.string() };
    case "rename":
      return { type, fid: r.u32(), directory: r.u32(), name: r.string() };
    case "renameat":
      return { type, from: r.u32(), name: r.string(), to: r.u32(), newName: r.string() };
    case "unlinkat":
      return { type, directory: r.u32(), name: r.string(), flags: r.u32() };
    case "read":
    case "readdir":
      return { type, fid: r.u32(), offset: r.u64(), count: r.u32() };
    case "write":
      return { type, fid: r.u32(), offset: r.u64(), bytes: r.bytes(r.u32()) };
    case "setattr":
      return { type, fid: r.u32(), attributes: decodeSetAttributes(r) };
    case "getlock":
      return decodeGetlock(r);
    case "remove":
    case "clunk":
    case "readlink":
    case "getattr":
    case "fsync":
    case "statfs":
    case "lock":
      return { type, fid: r.u32() };
  }
}

function decodeAttach(r: WireReader): Request {
  const fid = r.u32();
  r.u32(); // afid: there is no authentication
  r.string(); // uname: the number after the path counts
  const path = r.string();
  return { type: "attach", fid, path, uid: r.u32() };
}

/** A process' lock owner and range; `length` is kept as it comes (all ones for "to the end of the file"). */
function decodeGetlock(r: WireReader): Request {
  const fid = r.u32();
  r.u8(); // the kind asked for
  const start = r.u64();
  const length = BigInt(r.u32()) | (BigInt(r.u32()) << 32n);
  return { type: "getlock", fid, start, length, process: r.u32(), client: r.string() };
}

function decodeSetAttributes(r: WireReader): SetAttributes {
  return {
    valid: r.u32(),
    mode: r.u32(),
    uid: r.u32(),
    gid: r.u32(),
    size: r.u64(),
    atime: r.time(),
    mtime: r.time(),
  };
}

/** Linux's 32-bit encoding of a device number, as st_rdev has it. */
function deviceNumber(major: number, minor: number): number {
  return (minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12);
}

export function encodeReply(tag: number, reply: Reply): Uint8Array {
  const w = new WireWriter(capacity(reply));
  w.u32(0).u8(replyNumbers.get(reply.type)!).u16(tag);
  encodeFields(w, reply);
  w.patchU32(0, w.length);
  return w.finish();
}

function capacity(reply: Reply): number {
  if (reply.type === "read") return readHeaderSize + reply.bytes.length;
  if (reply.type !== "readdir") return 160;
  return reply.entries.reduce((sum, entry) => sum + readdirEntrySize(entry.name), readHeaderSize);
}

function encodeFields(w: WireWriter, reply: Reply): void {
  switch (reply.type) {
    case "error":
      w.u32(reply.number);
      return;
    case "version":
      w.u32(reply.msize).string(reply.version);
      return;
    case "attach":
    case "symlink":
    case "mknod":
    case "mkdir":
      w.qid(reply.qid);
      return;
    case "walk":
      w.u16(reply.qids.length);
      for (const qid of reply.qids) w.qid(qid);
      return;
    case "open":
    case "create":
      w.qid(reply.qid).u32(reply.unit);
      return;
    case "read":
      w.u32(reply.bytes.length).bytes(reply.bytes);
      return;
    case "write":
      w.u32(reply.count);
      return;
    case "readdir":
      encodeReaddir(w, reply.entries);
      return;
    case "readlink":
      w.string(reply.target);
      return;
    case "getattr":
      encodeAttributes(w, reply.qid, reply.attributes);
      return;
    case "statfs":
      encodeStatistics(w, reply.statistics);
      return;
    case "lock":
      w.u8(0);
      return;
    case "getlock":
      encodeGetlock(w, reply);
      return;
    case "flush":
    case "link":
    case "rename":
    case "renameat":
    case "unlinkat":
    case "remove":
    case "clunk":
    case "setattr":
    case "fsync":
  }
}

function encodeReaddir(w: WireWriter, entries: ReaddirEntry[]): void {
  const start = w.length;
  w.u32(0);
  for (const { qid, cookie, kind, name } of entries) w.qid(qid).u64(cookie).u8(kind).string(name);
  w.patchU32(start, w.length - start - 4);
}

/** All of P9_GETATTR_BASIC; birth time, generation and data version are not kept and are 0. */
function encodeAttributes(w: WireWriter, qid: Qid, a: Attributes): void {
  w.u64(0x7ff).qid(qid).u32(a.mode).u32(a.uid).u32(a.gid).u64(a.nlink).u64(a.rdev).u64(a.size);
  w.u64(65536).u64(Math.ceil(a.size / 512));
  w.time(a.atime).time(a.mtime).time(a.ctime).time(0n).u64(0).u64(0);
}

function encodeStatistics(w: WireWriter, s: FileSystemStatistics): void {
  const v9fsMagic = 0x01021997;
  w.u32(v9fsMagic).u32(4096).u64(s.blocks).u64(s.free).u64(s.free).u64(s.files).u64(s.freeFiles).u64(0).u32(255);
}

function encodeGetlock(w: WireWriter, reply: Reply & { type: "getlock" }): void {
  const unlocked = 2;
  w.u8(unlocked).u64(reply.start);
  w.u32(Number(reply.length & 0xffffffffn)).u32(Number(reply.length >> 32n));
  w.u32(reply.process).string(reply.client);
}
