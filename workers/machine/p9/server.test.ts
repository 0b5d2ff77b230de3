/** The server as the guest's kernel sees it: one line a behaviour, over a store, a state tree and the root above them. */
import { describe, expect, it } from "vitest";
import { toBytes } from "#engine/store/format/bytes.ts";
import { directory, type BlobReference, type FileTree } from "#engine/store/format/tree.ts";
import { RootTree } from "./root-tree.ts";
import { P9Server } from "./server.ts";
import { MemoryStateBacking } from "./state-backing.ts";
import { StateTree } from "./state-tree.ts";
import { MemoryStoreSource, StoreTree } from "./store-tree.ts";
import { TestClient } from "./test-client.ts";

const hello = "a".repeat(32) + "-hello";

function helloTree(): FileTree {
  return directory<BlobReference>([
    ["bin", directory<BlobReference>([["hello", { type: "regular", executable: true, size: 5, blob: "b1" }]])],
    ["readme", { type: "regular", executable: false, size: 6, blob: "b2" }],
    ["link", { type: "symlink", target: "bin/hello" }],
  ]);
}

async function make(capacity = 1 << 20) {
  const source = new MemoryStoreSource();
  source.add(hello, helloTree());
  source.addBlob("b1", toBytes("#!foo"));
  source.addBlob("b2", toBytes("readme"));
  const store = new StoreTree(source, 2 ** 31);
  const backing = new MemoryStateBacking();
  let time = 1_000_000;
  const state = await StateTree.open(backing, { now: () => time++, firstId: 1, capacity, delay: 5 });
  const bugs: unknown[] = [];
  const root = new RootTree(2 ** 30, { store: store.root, state: state.root }, state);
  const server = new P9Server(root.root, (error) => bugs.push(error));
  const client = await new TestClient(server).start();
  return { source, store, backing, state, server, client, bugs };
}

/** Runs one behaviour and expects its value; no tree may throw anything but P9Error. */
function check(name: string, act: (m: Awaited<ReturnType<typeof make>>) => Promise<unknown>, expected: unknown): void {
  it(name, async () => {
    const made = await make();
    expect(await act(made)).toEqual(expected);
    expect(made.bugs).toEqual([]);
  });
}

/** Runs what must be refused and expects its errno. */
function refuse(name: string, act: (m: Awaited<ReturnType<typeof make>>) => Promise<unknown>, code: string): void {
  it(name, async () => {
    const made = await make();
    await expect(act(made)).rejects.toMatchObject({ code });
    expect(made.bugs).toEqual([]);
  });
}

const text = (value: string) => toBytes(value);

async function put(client: TestClient, path: string, content: string, mode = 0o644): Promise<void> {
  const fid = await client.create(path, mode);
  await client.write(fid, 0, text(content));
  await client.clunk(fid);
}

describe("the root", () => {
  check("lists its mounts", ({ client }) => client.list("/"), ["state", "store"]);
  check("dot-dot of a mount is the root", ({ client }) => client.list("/store/.."), ["state", "store"]);
  check("dot-dot of the root is the root", ({ client }) => client.list("/.."), ["state", "store"]);
  refuse("takes no file", ({ client }) => client.create("/x"), "EROFS");
  refuse("has nothing else", ({ client }) => client.walk("/nothing"), "ENOENT");
});

describe("the store", () => {
  check("lists its paths", ({ client }) => client.list("/store"), [hello]);
  check("lists a path", ({ client }) => client.list(`/store/${hello}`), ["bin", "link", "readme"]);
  check("reads a file", ({ client }) => client.readFile(`/store/${hello}/readme`), "readme");
  check("reads a link", ({ client }) => client.readlink(`/store/${hello}/link`), "bin/hello");
  check("executables are 0555", async ({ client }) => (await client.stat(`/store/${hello}/bin/hello`)).mode, 0o100555);
  check("files are 0444", async ({ client }) => (await client.stat(`/store/${hello}/readme`)).mode, 0o100444);
  check("time is 1", async ({ client }) => (await client.stat(`/store/${hello}`)).mtime, 1_000_000_000n);
  check("the store directory is nixbld's", async ({ client }) => (await client.stat("/store")).gid, 30_000);
  check(
    "a read past the end is empty",
    ({ client }) => client.at(`/store/${hello}/readme`, async (fid) => (await client.read(fid, 6, 10)).length),
    0,
  );
  refuse("is read-only", ({ client }) => client.create("/store/x"), "EROFS");
  refuse(
    "takes no write",
    ({ client }) => client.at(`/store/${hello}/readme`, (fid) => client.write(fid, 0, text("x"))),
    "EROFS",
  );
  refuse(
    "takes no truncating open",
    ({ client }) => client.at(`/store/${hello}/readme`, (fid) => client.open(fid, 0o1000)),
    "EROFS",
  );
  refuse("gives nothing away", ({ client }) => client.unlink(`/store/${hello}/readme`), "EROFS");
  refuse("keeps its names", ({ client }) => client.rename(`/store/${hello}`, "/store/y"), "EROFS");
  refuse("does not link into the state", ({ client }) => client.link("/state/x", `/store/${hello}/readme`), "EXDEV");
  refuse("has no unknown path", ({ client }) => client.walk("/store/none"), "ENOENT");
  refuse("walks through directories only", ({ client }) => client.walk(`/store/${hello}/readme/x`), "ENOENT");
  refuse(
    "refuses a listing of a file",
    ({ client }) => client.at(`/store/${hello}/readme`, (fid) => client.readdir(fid, 0)),
    "ENOTDIR",
  );
  refuse(
    "refuses a read of a directory",
    ({ client }) => client.at("/store", (fid) => client.read(fid, 0, 1)),
    "EISDIR",
  );

  check(
    "fetches nothing before it is read",
    async ({ client, store }) => {
      await client.list("/store");
      const before = { ...store.counters };
      await client.readFile(`/store/${hello}/readme`);
      await client.readFile(`/store/${hello}/readme`);
      return [before, store.counters];
    },
    [
      { trees: 0, blobs: 0, bytes: 0 },
      { trees: 1, blobs: 1, bytes: 6 },
    ],
  );

  check(
    "shows a path registered after its name was missing",
    async ({ client, source }) => {
      const missing = await client.walk("/store/late").catch(() => "missing");
      source.add("late", { type: "symlink", target: "x" });
      return [missing, await client.readlink("/store/late"), await client.list("/store")];
    },
    ["missing", "x", [hello, "late"].sort()],
  );

  check(
    "loses a collected path",
    async ({ client, source }) => {
      await client.list(`/store/${hello}`);
      source.remove(hello);
      return [await client.walk(`/store/${hello}`).catch(() => "missing"), await client.list("/store")];
    },
    ["missing", []],
  );

  check(
    "keeps a path's inode number",
    async ({ client }) => {
      await client.list("/store");
      const first = await client.stat(`/store/${hello}`);
      return first.inode === (await client.stat(`/store/${hello}`)).inode;
    },
    true,
  );

  check(
    "shows a restricted view",
    async ({ client, store, source }) => {
      source.add("other", { type: "symlink", target: "x" });
      store.restrict(new Set(["other"]));
      return [await client.list("/store"), await client.walk(`/store/${hello}`).catch(() => "missing")];
    },
    [["other"], "missing"],
  );

  it("asks once for a blob that many read at a time", async () => {
    const { client, store } = await make();
    await Promise.all([1, 2, 3].map(() => client.readFile(`/store/${hello}/readme`)));
    expect(store.counters).toEqual({ trees: 1, blobs: 1, bytes: 6 });
  });

  it("gives EIO for a blob that is lost, and says so", async () => {
    const { client, source, bugs } = await make();
    source.add("broken", { type: "regular", executable: false, size: 3, blob: "lost" });
    await expect(client.readFile("/store/broken")).rejects.toMatchObject({ code: "EIO" });
    expect(bugs).toEqual([]);
  });
});

describe("the state tree", () => {
  check(
    "keeps a file",
    async ({ client }) => (await put(client, "/state/a", "abc"), client.readFile("/state/a")),
    "abc",
  );
  check(
    "gives the file its mode",
    async ({ client }) => (await put(client, "/state/a", "", 0o4751), (await client.stat("/state/a")).mode),
    0o104751,
  );
  check(
    "appends where it is told",
    async ({ client }) => {
      await put(client, "/state/a", "abc");
      await client.at("/state/a", (fid) => client.write(fid, 5, text("z")));
      return client.readFile("/state/a");
    },
    "abc\0\0z",
  );
  check(
    "truncates by open",
    async ({ client }) => {
      await put(client, "/state/a", "abc");
      await client.at("/state/a", (fid) => client.open(fid, 0o1001));
      return client.readFile("/state/a");
    },
    "",
  );
  check(
    "truncates by setattr",
    async ({ client }) => {
      await put(client, "/state/a", "abcdef");
      await client.setattr("/state/a", 8, { size: 2 });
      await client.setattr("/state/a", 8, { size: 4 });
      return client.readFile("/state/a");
    },
    "ab\0\0",
  );
  check(
    "sets owner and mode",
    async ({ client }) => {
      await put(client, "/state/a", "");
      await client.setattr("/state/a", 7, { mode: 0o600, uid: 1000, gid: 100 });
      const { mode, uid, gid } = await client.stat("/state/a");
      return { mode, uid, gid };
    },
    { mode: 0o100600, uid: 1000, gid: 100 },
  );
  check(
    "sets a time",
    async ({ client }) => {
      await put(client, "/state/a", "");
      await client.setattr("/state/a", 0x120, { mtime: 7 });
      return (await client.stat("/state/a")).mtime;
    },
    7_000_000_000n,
  );
  check(
    "gives a new file to the user who attached",
    async ({ client }) => {
      await client.attach(1, 1000);
      const fid = await client.walk("/state", 1);
      await client.call(14, (w) => w.u32(fid).string("mine").u32(2).u32(0o644).u32(100));
      return [(await client.stat("/state/mine")).uid, (await client.stat("/state/mine")).gid];
    },
    [1000, 100],
  );
  check(
    "makes directories",
    async ({ client }) => {
      await client.mkdir("/state/d");
      await client.mkdir("/state/d/e");
      return [
        (await client.stat("/state")).nlink,
        (await client.stat("/state/d")).nlink,
        await client.list("/state/d"),
      ];
    },
    [3, 3, ["e"]],
  );
  check(
    "removes directories",
    async ({ client }) => {
      await client.mkdir("/state/d");
      await client.rmdir("/state/d");
      return [(await client.stat("/state")).nlink, await client.list("/state")];
    },
    [2, []],
  );
  check(
    "makes links",
    async ({ client }) => (await client.symlink("/state/l", "/x/y"), client.readlink("/state/l")),
    "/x/y",
  );
  check(
    "makes devices",
    async ({ client }) => {
      await client.mknod("/state/null", 0o020666, 1, 3);
      const { mode, rdev } = await client.stat("/state/null");
      return [mode, rdev];
    },
    [0o020666, 0x103],
  );
  check(
    "makes fifos and sockets",
    async ({ client }) => {
      await client.mknod("/state/p", 0o010644, 0, 0);
      await client.mknod("/state/s", 0o140755, 0, 0);
      return [(await client.stat("/state/p")).mode, (await client.stat("/state/s")).mode];
    },
    [0o010644, 0o140755],
  );
  check(
    "hard links share content",
    async ({ client }) => {
      await put(client, "/state/a", "one");
      await client.link("/state/b", "/state/a");
      await client.at("/state/b", (fid) => client.write(fid, 0, text("two")));
      await client.unlink("/state/b");
      return [await client.readFile("/state/a"), (await client.stat("/state/a")).nlink];
    },
    ["two", 1],
  );
  check(
    "renames over a file",
    async ({ client }) => {
      await put(client, "/state/a", "new");
      await put(client, "/state/b", "old");
      await client.rename("/state/a", "/state/b");
      return [await client.readFile("/state/b"), await client.list("/state")];
    },
    ["new", ["b"]],
  );
  check(
    "renames a file onto its own link: nothing",
    async ({ client }) => {
      await put(client, "/state/a", "x");
      await client.link("/state/b", "/state/a");
      await client.rename("/state/a", "/state/b");
      return client.list("/state");
    },
    ["a", "b"],
  );
  check(
    "moves a directory and its link counts",
    async ({ client }) => {
      for (const name of ["d", "e", "d/f"]) await client.mkdir(`/state/${name}`);
      await client.rename("/state/d/f", "/state/e/f");
      return [
        (await client.stat("/state/d")).nlink,
        (await client.stat("/state/e")).nlink,
        (await client.stat("/state/e/f/..")).nlink,
      ];
    },
    [2, 3, 3],
  );
  check(
    "renames a directory over an empty one",
    async ({ client }) => {
      for (const name of ["d", "e", "d/f"]) await client.mkdir(`/state/${name}`);
      await client.rename("/state/d", "/state/e");
      return [await client.list("/state/e"), (await client.stat("/state")).nlink];
    },
    [["f"], 3],
  );
  check(
    "an unlinked file stays while it is open",
    async ({ client, backing, state }) => {
      await put(client, "/state/a", "still");
      const fid = await client.walk("/state/a");
      await client.unlink("/state/a");
      await client.fsync(fid);
      const content = String.fromCharCode(...(await client.read(fid, 0, 99)));
      const nlink = (await client.statFid(fid)).nlink;
      await client.clunk(fid);
      await state.sync();
      return [content, nlink, backing.chunkCount];
    },
    ["still", 0, 0],
  );
  check(
    "an open directory lists each name once, whatever happens meanwhile",
    async ({ client }) => {
      for (let i = 0; i < 50; i++) await put(client, `/state/file${i}`, "");
      const fid = await client.walk("/state");
      const seen: string[] = [];
      for (let offset = 0, round = 0; ; round++) {
        const { names, next } = await client.readdir(fid, offset, 300);
        if (names.length === 0) break;
        seen.push(...names);
        offset = next;
        await client.unlink(`/state/file${round}`);
        await put(client, `/state/new${round}`, "");
      }
      const stable = seen.filter((name) => /^file[2-4]\d$/.test(name));
      return [stable.length, new Set(seen).size === seen.length];
    },
    [30, true],
  );
  check(
    "locks are granted",
    async ({ client }) => {
      await put(client, "/state/a", "");
      const fill = (fid: number) => client.call(52, (w) => w.u32(fid).u8(1).u32(0).u64(0).u64(0).u32(7).string("c"));
      return client.at("/state/a", async (fid) => (await fill(fid)).u8());
    },
    0,
  );
  check(
    "getlock finds nobody",
    async ({ client }) => {
      await put(client, "/state/a", "");
      return client.at("/state/a", async (fid) => {
        const r = await client.call(54, (w) =>
          w.u32(fid).u8(1).u64(5).u32(0xffffffff).u32(0xffffffff).u32(7).string("c"),
        );
        return [r.u8(), r.u64(), r.u32(), r.u32(), r.u32(), r.string()];
      });
    },
    [2, 5, 0xffffffff, 0xffffffff, 7, "c"],
  );
  check(
    "statfs counts blocks",
    async ({ client }) => {
      await put(client, "/state/a", "x".repeat(8192));
      return client.at("/state", async (fid) => {
        const r = await client.call(8, (w) => w.u32(fid));
        return [r.u32(), r.u32(), r.u64(), r.u64()];
      });
    },
    [0x01021997, 4096, 256, 254],
  );
  check(
    "names need not be UTF-8",
    async ({ client }) => (await put(client, "/state/\xff\xfe", "x"), client.list("/state")),
    ["\xff\xfe"],
  );
  check(
    "flush answers after the request it names",
    async ({ client }) => (await client.call(108, (w) => w.u16(77)), true),
    true,
  );

  refuse(
    "no second file of a name",
    async ({ client }) => (await put(client, "/state/a", ""), put(client, "/state/a", "")),
    "EEXIST",
  );
  refuse(
    "no second directory of a name",
    async ({ client }) => (await client.mkdir("/state/a"), client.mkdir("/state/a")),
    "EEXIST",
  );
  refuse(
    "no unlink of a directory",
    async ({ client }) => (await client.mkdir("/state/d"), client.unlink("/state/d")),
    "EISDIR",
  );
  refuse(
    "no rmdir of a file",
    async ({ client }) => (await put(client, "/state/a", ""), client.rmdir("/state/a")),
    "ENOTDIR",
  );
  refuse(
    "no rmdir of a full directory",
    async ({ client }) => (
      await client.mkdir("/state/d"),
      await put(client, "/state/d/a", ""),
      client.rmdir("/state/d")
    ),
    "ENOTEMPTY",
  );
  refuse("no unlink of nothing", ({ client }) => client.unlink("/state/none"), "ENOENT");
  refuse(
    "no directory into itself",
    async ({ client }) => (await client.mkdir("/state/d"), client.rename("/state/d", "/state/d/e")),
    "EINVAL",
  );
  refuse(
    "no directory over a file",
    async ({ client }) => (
      await client.mkdir("/state/d"),
      await put(client, "/state/a", ""),
      client.rename("/state/d", "/state/a")
    ),
    "ENOTDIR",
  );
  refuse(
    "no file over a directory",
    async ({ client }) => (
      await client.mkdir("/state/d"),
      await put(client, "/state/a", ""),
      client.rename("/state/a", "/state/d")
    ),
    "EISDIR",
  );
  refuse(
    "no directory over a full one",
    async ({ client }) => (
      await client.mkdir("/state/d"),
      await client.mkdir("/state/e"),
      await put(client, "/state/e/a", ""),
      client.rename("/state/d", "/state/e")
    ),
    "ENOTEMPTY",
  );
  refuse(
    "no hard link to a directory",
    async ({ client }) => (await client.mkdir("/state/d"), client.link("/state/e", "/state/d")),
    "EPERM",
  );
  refuse(
    "no file in a removed directory",
    async ({ client }) => {
      await client.mkdir("/state/d");
      const fid = await client.walk("/state/d");
      await client.rmdir("/state/d");
      return client.call(14, (w) => w.u32(fid).string("x").u32(2).u32(0o644).u32(0));
    },
    "ENOENT",
  );
  refuse(
    "no name with a slash",
    ({ client }) => client.at("/state", (fid) => client.call(72, (w) => w.u32(fid).string("a/b").u32(0).u32(0))),
    "EINVAL",
  );
  refuse("no name of dots", ({ client }) => client.mkdir("/state/.."), "EINVAL");
  refuse("no name over 255 bytes", ({ client }) => client.mkdir(`/state/${"n".repeat(256)}`), "ENAMETOOLONG");
  refuse(
    "no readlink of a file",
    async ({ client }) => (await put(client, "/state/a", ""), client.readlink("/state/a")),
    "EINVAL",
  );
  refuse(
    "no move to another tree",
    async ({ client }) => (await put(client, "/state/a", ""), client.rename("/state/a", "/store/a")),
    "EXDEV",
  );
  refuse(
    "no file beyond 4 GiB",
    async ({ client }) => (await put(client, "/state/a", ""), client.setattr("/state/a", 8, { size: 2 ** 33 })),
    "EFBIG",
  );
});

describe("damaged frames", () => {
  refuse("an unknown message", ({ client }) => client.call(99, (w) => w), "EOPNOTSUPP");
  refuse("a short message", ({ client }) => client.call(110, (w) => w.u32(0)), "EPROTO");
  refuse(
    "a string longer than its frame",
    ({ client }) => client.call(110, (w) => w.u32(0).u32(9).u16(1).u16(60_000)),
    "EPROTO",
  );
  refuse("an unknown fid", ({ client }) => client.clunk(4711), "EBADF");
  refuse("extended attributes", ({ client }) => client.call(30, (w) => w.u32(0).u32(9).string("user.x")), "EOPNOTSUPP");
  it("answers nothing once it is dead", async () => {
    const { server } = await make();
    let answers = 0;
    server.kill();
    server.handle(Uint8Array.of(7, 0, 0, 0, 120, 0, 0), () => answers++);
    expect(answers).toBe(0);
  });
});

describe("a full tree", () => {
  it("refuses what adds and lets go what removes", async () => {
    const { client } = await make(100_000);
    await put(client, "/state/a", "x".repeat(90_000));
    await expect(put(client, "/state/b", "x".repeat(20_000))).rejects.toMatchObject({ code: "ENOSPC" });
    await client.unlink("/state/a");
    await put(client, "/state/c", "x".repeat(20_000));
    expect((await client.readFile("/state/c")).length).toBe(20_000);
  });
});
