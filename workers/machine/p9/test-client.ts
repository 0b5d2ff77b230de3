/** A 9P client for tests: one method a message, names relative to a fid, errors thrown as their errno. */
import { fromBytes } from "#engine/store/format/bytes.ts";
import { P9Error, errno, type Errno } from "./errno.ts";
import type { P9Server } from "./server.ts";
import { WireReader, WireWriter } from "./wire.ts";

const nofid = 0xffffffff;

export interface Stat {
  inode: number;
  mode: number;
  uid: number;
  gid: number;
  nlink: number;
  rdev: number;
  size: number;
  mtime: bigint;
}

export class TestClient {
  readonly #server: P9Server;
  #tag = 0;
  #fid = 100;

  constructor(server: P9Server) {
    this.#server = server;
  }

  /** Negotiates and attaches fid 0. */
  async start(uid = 0): Promise<this> {
    await this.call(100, (w) => w.u32(512_000).string("9P2000.L"));
    await this.attach(0, uid);
    return this;
  }

  attach(fid: number, uid: number): Promise<WireReader> {
    return this.call(104, (w) => w.u32(fid).u32(nofid).string("").string("").u32(uid));
  }

  /** One request; its reply's fields. */
  call(type: number, fill: (w: WireWriter) => WireWriter, tag = this.#tag++ & 0xffff): Promise<WireReader> {
    const w = fill(new WireWriter().u32(0).u8(type).u16(tag));
    w.patchU32(0, w.length);
    return new Promise((resolve, reject) => {
      this.#server.handle(w.finish(), (frame) => {
        const reader = new WireReader(frame, 7);
        if (frame[4] !== 7) resolve(reader);
        else reject(new P9Error(nameOf(reader.u32())));
      });
    });
  }

  /** A new fid for a path below `from`. */
  async walk(path: string, from = 0): Promise<number> {
    const fid = this.#fid++;
    const names = path.split("/").filter((name) => name !== "");
    const reply = await this.call(110, (w) => {
      w.u32(from).u32(fid).u16(names.length);
      for (const name of names) w.string(name);
      return w;
    });
    if (reply.u16() !== names.length) throw new P9Error("ENOENT");
    return fid;
  }

  clunk(fid: number): Promise<WireReader> {
    return this.call(120, (w) => w.u32(fid));
  }

  /** Walks, does, clunks. */
  async at<T>(path: string, act: (fid: number) => Promise<T>): Promise<T> {
    const fid = await this.walk(path);
    try {
      return await act(fid);
    } finally {
      await this.clunk(fid);
    }
  }

  open(fid: number, flags = 0): Promise<WireReader> {
    return this.call(12, (w) => w.u32(fid).u32(flags));
  }

  /** Makes an empty file and gives its open fid. */
  async create(path: string, mode = 0o644): Promise<number> {
    const [directory, name] = split(path);
    const fid = await this.walk(directory);
    try {
      await this.call(14, (w) => w.u32(fid).string(name).u32(2).u32(mode).u32(0));
      return fid;
    } catch (error) {
      await this.clunk(fid);
      throw error;
    }
  }

  async write(fid: number, offset: number, bytes: Uint8Array): Promise<void> {
    await this.call(118, (w) => w.u32(fid).u64(offset).u32(bytes.length).bytes(bytes));
  }

  async read(fid: number, offset: number, count: number): Promise<Uint8Array> {
    const reply = await this.call(116, (w) => w.u32(fid).u64(offset).u32(count));
    return reply.bytes(reply.u32());
  }

  fsync(fid: number): Promise<WireReader> {
    return this.call(50, (w) => w.u32(fid).u32(0));
  }

  async mkdir(path: string, mode = 0o755): Promise<void> {
    const [directory, name] = split(path);
    await this.at(directory, (fid) => this.call(72, (w) => w.u32(fid).string(name).u32(mode).u32(0)));
  }

  async symlink(path: string, target: string): Promise<void> {
    const [directory, name] = split(path);
    await this.at(directory, (fid) => this.call(16, (w) => w.u32(fid).string(name).string(target).u32(0)));
  }

  async mknod(path: string, mode: number, major: number, minor: number): Promise<void> {
    const [directory, name] = split(path);
    const fill = (fid: number) => (w: WireWriter) => w.u32(fid).string(name).u32(mode).u32(major).u32(minor).u32(0);
    await this.at(directory, (fid) => this.call(18, fill(fid)));
  }

  async link(path: string, existing: string): Promise<void> {
    const [directory, name] = split(path);
    await this.at(existing, (fid) =>
      this.at(directory, (dir) => this.call(70, (w) => w.u32(dir).u32(fid).string(name))),
    );
  }

  async unlink(path: string, flags = 0): Promise<void> {
    const [directory, name] = split(path);
    await this.at(directory, (fid) => this.call(76, (w) => w.u32(fid).string(name).u32(flags)));
  }

  rmdir(path: string): Promise<void> {
    return this.unlink(path, 0x200);
  }

  async rename(from: string, to: string): Promise<void> {
    const [fromDirectory, name] = split(from);
    const [toDirectory, newName] = split(to);
    await this.at(fromDirectory, (a) =>
      this.at(toDirectory, (b) => this.call(74, (w) => w.u32(a).string(name).u32(b).string(newName))),
    );
  }

  readlink(path: string): Promise<string> {
    return this.at(path, async (fid) => (await this.call(22, (w) => w.u32(fid))).string());
  }

  /** `valid` and values as Tsetattr's; times in seconds. */
  async setattr(
    path: string,
    valid: number,
    {
      mode = 0,
      uid = 0,
      gid = 0,
      size = 0,
      mtime = 0,
    }: Partial<Record<"mode" | "uid" | "gid" | "size" | "mtime", number>>,
  ): Promise<void> {
    await this.at(path, (fid) =>
      this.call(26, (w) => w.u32(fid).u32(valid).u32(mode).u32(uid).u32(gid).u64(size).u64(0).u64(0).u64(mtime).u64(0)),
    );
  }

  stat(path: string): Promise<Stat> {
    return this.at(path, (fid) => this.statFid(fid));
  }

  async statFid(fid: number): Promise<Stat> {
    const r = await this.call(24, (w) => w.u32(fid).u64(0x7ff));
    r.u64();
    r.u8();
    r.u32();
    const inode = r.u64();
    const [mode, uid, gid] = [r.u32(), r.u32(), r.u32()];
    const [nlink, rdev, size] = [r.u64(), r.u64(), r.u64()];
    r.u64();
    r.u64();
    r.time();
    return { inode, mode, uid, gid, nlink, rdev, size, mtime: r.time() };
  }

  /** The names of one Rreaddir and the cookie after the last. */
  async readdir(fid: number, offset: number, count = 100_000): Promise<{ names: string[]; next: number }> {
    const reply = await this.call(40, (w) => w.u32(fid).u64(offset).u32(count));
    const names: string[] = [];
    let next = offset;
    for (let left = reply.u32(); left > 0;) {
      reply.bytes(13);
      next = reply.u64();
      reply.u8();
      names.push(reply.string());
      left -= 24 + names.at(-1)!.length;
    }
    return { names, next };
  }

  /** All names but `.` and `..`, sorted. */
  list(path: string): Promise<string[]> {
    return this.at(path, async (fid) => {
      await this.open(fid);
      const all: string[] = [];
      for (let offset = 0; ;) {
        const { names, next } = await this.readdir(fid, offset);
        if (names.length === 0) return all.filter((name) => name !== "." && name !== "..").sort();
        all.push(...names);
        offset = next;
      }
    });
  }

  /** The whole content, as a byte string. */
  readFile(path: string): Promise<string> {
    return this.at(path, async (fid) => {
      const { size } = await this.statFid(fid);
      let text = "";
      while (text.length < size) text += fromBytes(await this.read(fid, text.length, 200_000));
      return text;
    });
  }
}

/** The name of an errno number, for assertions. */
function nameOf(number: number): Errno {
  const found = Object.entries(errno).find(([, value]) => value === number);
  return (found?.[0] ?? "EIO") as Errno;
}

function split(path: string): [directory: string, name: string] {
  const at = path.lastIndexOf("/");
  return [path.slice(0, Math.max(at, 0)), path.slice(at + 1)];
}
