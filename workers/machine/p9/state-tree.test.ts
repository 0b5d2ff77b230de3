/**
 * The promise of the persistent tree, by random operations against a simple model: what is stored is always the tree after some
 * prefix of the operations, a synced file is whole in every later prefix, and nothing is left behind in the backing.
 */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromBytes, toBytes } from "#engine/store/format/bytes.ts";
import { P9Error } from "./errno.ts";
import { P9Server } from "./server.ts";
import { MemoryStateBacking, chunkSize, type StateBatch } from "./state-backing.ts";
import { StateTree, type StateInode, type StateTreeOptions } from "./state-tree.ts";
import { TestClient } from "./test-client.ts";

const options: StateTreeOptions = { now: () => 1_000, firstId: 1, capacity: 1 << 30, delay: 1_000_000 };

type Model =
  | { kind: "file"; content: string }
  | { kind: "directory"; entries: Map<string, Model> }
  | { kind: "link"; target: string };

type Operation =
  | { op: "put"; path: string; offset: number; bytes: string }
  | { op: "truncate"; path: string; size: number }
  | { op: "mkdir" | "unlink" | "rmdir"; path: string }
  | { op: "symlink"; path: string; target: string }
  | { op: "rename" | "link"; path: string; to: string }
  | { op: "flush" }
  | { op: "evict" }
  | { op: "fsync"; path: string };

const name = fc.constantFrom("a", "b", "c");
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join("/"));
const offset = fc.oneof(fc.nat(100), fc.nat(3 * chunkSize));
const bytes = fc.oneof(
  fc.string({ maxLength: 20, unit: "binary-ascii" }),
  fc.nat(2 * chunkSize).map((n) => "z".repeat(n)),
);
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ op: fc.constant("put" as const), path, offset, bytes }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant("truncate" as const), path, size: offset }) },
  {
    weight: 4,
    arbitrary: fc.record({ op: fc.constantFrom("mkdir" as const, "unlink" as const, "rmdir" as const), path }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ op: fc.constant("symlink" as const), path, target: fc.constantFrom("a", "b/c") }),
  },
  { weight: 3, arbitrary: fc.record({ op: fc.constantFrom("rename" as const, "link" as const), path, to: path }) },
  { weight: 2, arbitrary: fc.constantFrom({ op: "flush" as const }, { op: "evict" as const }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("fsync" as const), path }) },
);

/** A backing that keeps a copy of itself after each commit, with the number of operations done when the commit was captured. */
class HistoryBacking extends MemoryStateBacking {
  readonly history: { done: number; batch: StateBatch }[] = [];
  done = 0;

  override async commit(batch: StateBatch): Promise<void> {
    this.history.push({ done: this.done, batch });
    await Promise.resolve();
    await super.commit(batch);
  }

  /** What lies on the disk when the power goes after so many commits. */
  async cut(commits: number): Promise<MemoryStateBacking> {
    const copy = new MemoryStateBacking();
    for (const { batch } of this.history.slice(0, commits)) await copy.commit(structuredClone(batch));
    return copy;
  }
}

async function dump(tree: StateTree, inode: StateInode = tree.root): Promise<unknown> {
  if (inode.entries === undefined) return inode.target ?? fromBytes(await tree.read(inode, 0, 1 << 30));
  const entries: [string, unknown][] = [];
  for (const [entry, child] of inode.entries) entries.push([entry, await dump(tree, child)]);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function dumpModel(model: Model): unknown {
  if (model.kind !== "directory") return model.kind === "file" ? model.content : model.target;
  const entries = [...model.entries].map(([entry, child]) => [entry, dumpModel(child)] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The file or directory at a path of a dump. */
function at(dumped: unknown, path: string): unknown {
  return path.split("/").reduce((inside, entry) => (inside as Record<string, unknown>)[entry], dumped);
}

async function apply(client: TestClient, tree: StateTree, operation: Operation): Promise<void> {
  switch (operation.op) {
    case "put": {
      const fid = await client.walk(operation.path).catch(() => client.create(operation.path));
      await client.write(fid, operation.offset, toBytes(operation.bytes)).finally(() => client.clunk(fid));
      return;
    }
    case "truncate":
      return client.setattr(operation.path, 8, { size: operation.size });
    case "mkdir":
      return client.mkdir(operation.path);
    case "unlink":
      return client.unlink(operation.path);
    case "rmdir":
      return client.rmdir(operation.path);
    case "symlink":
      return client.symlink(operation.path, operation.target);
    case "rename":
      return client.rename(operation.path, operation.to);
    case "link":
      return client.link(operation.to, operation.path);
    case "flush":
      void tree.sync();
      return;
    case "evict":
      await tree.sync();
      for (const inode of inodesBelow(tree.root)) inode.content?.evict();
      return;
    case "fsync":
      await client.at(operation.path, (fid) => client.fsync(fid));
  }
}

function inodesBelow(inode: StateInode): StateInode[] {
  return [inode, ...[...(inode.entries?.values() ?? [])].flatMap(inodesBelow)];
}

/** The same on the model; only called for what the tree has accepted. */
function applyModel(root: Model, operation: Operation): void {
  const find = (at: string): [entries: Map<string, Model>, name: string] => {
    const names = at.split("/");
    let model = root;
    for (const entry of names.slice(0, -1)) model = (model as Model & { kind: "directory" }).entries.get(entry)!;
    return [(model as Model & { kind: "directory" }).entries, names.at(-1)!];
  };
  if (operation.op === "flush" || operation.op === "evict" || operation.op === "fsync") return;
  const [entries, entry] = find(operation.path);
  const file = entries.get(entry) as Model & { kind: "file" };
  switch (operation.op) {
    case "put": {
      const made: Model & { kind: "file" } = file ?? { kind: "file", content: "" };
      entries.set(entry, made);
      if (operation.bytes === "") return;
      const padded = made.content.padEnd(operation.offset, "\0");
      made.content =
        padded.slice(0, operation.offset) + operation.bytes + padded.slice(operation.offset + operation.bytes.length);
      return;
    }
    case "truncate":
      file.content = file.content.slice(0, operation.size).padEnd(operation.size, "\0");
      return;
    case "mkdir":
      entries.set(entry, { kind: "directory", entries: new Map() });
      return;
    case "unlink":
    case "rmdir":
      entries.delete(entry);
      return;
    case "symlink":
      entries.set(entry, { kind: "link", target: operation.target });
      return;
    case "link": {
      const [to, newName] = find(operation.to);
      to.set(newName, file);
      return;
    }
    case "rename": {
      const [to, newName] = find(operation.to);
      if (to.get(newName) === file) return;
      entries.delete(entry);
      to.set(newName, file);
    }
  }
}

async function run(operations: Operation[]) {
  const backing = new HistoryBacking();
  const tree = await StateTree.open(backing, options);
  const server = new P9Server(tree.root, (error) => {
    throw error;
  });
  const client = await new TestClient(server).start();
  const model: Model = { kind: "directory", entries: new Map() };
  const snapshots = [dumpModel(model)];
  const synced: { path: string; content: unknown; commits: number }[] = [];
  for (const operation of operations) {
    const accepted = await apply(client, tree, operation).then(
      () => true,
      (error: unknown) => {
        if (!(error instanceof P9Error)) throw error;
        return false;
      },
    );
    if (accepted) applyModel(model, operation);
    snapshots.push(dumpModel(model));
    backing.done++;
    if (accepted && operation.op === "fsync") {
      const content = at(snapshots.at(-1), operation.path);
      synced.push({ path: operation.path, content, commits: backing.history.length });
    }
  }
  return { backing, tree, client, model, snapshots, synced };
}

describe("a persistent tree", () => {
  it("does what the model does", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 60 }), async (operations) => {
        const { tree, model } = await run(operations);
        expect(await dump(tree)).toEqual(dumpModel(model));
      }),
      { numRuns: 150 },
    );
  });

  it("is some prefix after a cut, with everything synced in it", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { minLength: 5, maxLength: 60 }), fc.nat(), async (operations, seed) => {
        const { backing, snapshots, synced } = await run(operations);
        for (const { path, content, commits } of synced) {
          const tree = await StateTree.open(await backing.cut(commits), options);
          expect(at(await dump(tree), path)).toEqual(content);
        }
        const commits = seed % (backing.history.length + 1);
        const tree = await StateTree.open(await backing.cut(commits), options);
        const done = commits === 0 ? 0 : backing.history[commits - 1]!.done;
        // A commit captured between two operations' steps shows the first of the two, which `done` does not count yet.
        const stored = JSON.stringify(await dump(tree));
        const around = [snapshots[done], snapshots[done + 1]].map((snapshot) => JSON.stringify(snapshot));
        expect(around).toContain(stored);
      }),
      { numRuns: 150 },
    );
  });

  it("leaves nothing in the backing when everything is removed", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 40 }), async (operations) => {
        const { tree, backing } = await run(operations);
        removeAll(tree, tree.root);
        await tree.sync();
        expect(backing.chunkCount).toBe(0);
        expect(await backing.inodes()).toHaveLength(1);
      }),
      { numRuns: 60 },
    );
  });

  it("comes back as it was", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 40 }), async (operations) => {
        const { tree, backing, model } = await run(operations);
        await tree.sync();
        const again = await StateTree.open(backing, options);
        expect(await dump(again)).toEqual(dumpModel(model));
        expect(again.storage.bytes).toBe(tree.storage.bytes);
      }),
      { numRuns: 60 },
    );
  });
});

function removeAll(tree: StateTree, directory: StateInode): void {
  for (const [entry, child] of directory.entries!) {
    if (child.entries !== undefined) removeAll(tree, child);
    tree.unlink(directory, entry, child.entries !== undefined);
  }
}

describe("a commit", () => {
  it("waits at most the delay", async () => {
    const backing = new MemoryStateBacking();
    const tree = await StateTree.open(backing, { ...options, delay: 5 });
    tree.create(tree.root, "a", { mode: 0o100644, uid: 0, gid: 0 });
    await new Promise((resolve) => setTimeout(resolve, 40));
    expect((await backing.inodes()).map(({ id }) => id)).toEqual([1, 2]);
  });

  it("stores one chunk for a small write to a large file", async () => {
    const backing = new HistoryBacking();
    const tree = await StateTree.open(backing, options);
    const file = tree.create(tree.root, "a", { mode: 0o100644, uid: 0, gid: 0 });
    await tree.write(file, 0, new Uint8Array(10 * chunkSize).fill(1));
    await tree.sync();
    file.content!.evict();
    await tree.write(file, 3 * chunkSize + 5, Uint8Array.of(9));
    await tree.sync();
    expect(backing.history.at(-1)!.batch.chunks.map(([, index]) => index)).toEqual([3]);
    expect(await tree.read(file, 3 * chunkSize + 4, 3)).toEqual(Uint8Array.of(1, 9, 1));
  });

  it("loses nothing that was open and unlinked but frees it after the cut", async () => {
    const backing = new MemoryStateBacking();
    const tree = await StateTree.open(backing, options);
    const file = tree.create(tree.root, "a", { mode: 0o100644, uid: 0, gid: 0 });
    tree.retain(file);
    await tree.write(file, 0, toBytes("x"));
    tree.unlink(tree.root, "a", false);
    await tree.sync();
    expect(backing.chunkCount).toBe(1);
    const again = await StateTree.open(backing, options);
    await again.sync();
    expect(backing.chunkCount).toBe(0);
  });

  it("that finds no room is ENOSPC for the sync, and is made up for later", async () => {
    const backing = new MemoryStateBacking();
    let room = false;
    const commit = backing.commit.bind(backing);
    backing.commit = async (batch) => {
      if (!room) throw new P9Error("ENOSPC");
      await commit(batch);
    };
    const told: boolean[] = [];
    const tree = await StateTree.open(backing, { ...options, onStorage: ({ full }) => told.push(full) });
    const file = tree.create(tree.root, "a", { mode: 0o100644, uid: 0, gid: 0 });
    await tree.write(file, 0, toBytes("kept"));
    await expect(tree.sync()).rejects.toMatchObject({ code: "ENOSPC" });
    expect(() => tree.write(file, 4, toBytes("!"))).toThrow("ENOSPC");
    room = true;
    await tree.sync();
    await tree.write(file, 4, toBytes("!"));
    await tree.sync();
    expect(told).toEqual([true, false, false]);
    expect(await dump(await StateTree.open(backing, options))).toEqual({ a: "kept!" });
  });

  it("is not begun any more after a cut", async () => {
    const backing = new MemoryStateBacking();
    const tree = await StateTree.open(backing, options);
    tree.create(tree.root, "a", { mode: 0o100644, uid: 0, gid: 0 });
    tree.kill();
    await expect(tree.sync()).rejects.toThrow("closed");
    expect(backing.commits).toBe(0);
  });
});
