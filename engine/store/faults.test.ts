/**
 * A process may die before or after any write. For every commit of every operation, both ways: what is registered
 * afterwards is sound, the profile is the old or the new one, roots are intact, and a collection leaves no spare content.
 */
import { expect, test } from "vitest";
import { BLOB, type Backing, type Batch, type StoredValue } from "./backing.ts";
import { toBytes } from "./format/bytes.ts";
import { directory, regularFile } from "./format/tree.ts";
import { MemoryBacking } from "./memory-backing.ts";
import { deleteGenerations, rollback, setPath } from "./profile.ts";
import { Store } from "./store.ts";
import { exportPaths, importPaths } from "./transfer.ts";

class Killed extends Error {}

/** Lets some commits through, then dies: before the next one, or just after it. */
class MortalBacking implements Backing {
  commits = 0;
  readonly #inner: Backing;
  readonly #life: number;
  readonly #afterwards: boolean;

  constructor(inner: Backing, life: number, afterwards: boolean) {
    this.#inner = inner;
    this.#life = life;
    this.#afterwards = afterwards;
  }

  get(key: string): Promise<StoredValue> {
    return this.#inner.get(key);
  }

  getMany(keys: readonly string[]): Promise<StoredValue[]> {
    return this.#inner.getMany(keys);
  }

  existing(keys: readonly string[]): Promise<Set<string>> {
    return this.#inner.existing(keys);
  }

  keys(prefix: string): Promise<string[]> {
    return this.#inner.keys(prefix);
  }

  async commit(batch: Batch): Promise<void> {
    const dies = this.commits++ >= this.#life;
    if (dies && !this.#afterwards) throw new Killed();
    await this.#inner.commit(batch);
    if (dies) throw new Killed();
  }
}

/** More files than one transaction takes. */
const LARGE = directory(
  Array.from({ length: 2100 }, (_, index) => [`f${index}`, regularFile(toBytes(`${index}`))] as const),
);

/** Two generations, a root, an archive to import; all made before the faults begin. */
async function prepare(): Promise<{ backing: MemoryBacking; archive: Uint8Array[] }> {
  const backing = new MemoryBacking();
  const store = await Store.open(backing, { now: () => 1 });
  const one = await store.addText("one", "1");
  const two = await store.addText("two", one.path, [one.path]);
  await store.addText("dead", "nobody needs this");
  await store.updateProfile("system", (profile) => setPath(profile, one.path, 1));
  await store.updateProfile("system", (profile) => setPath(profile, two.path, 2));
  await store.addRoot("/home/a/result", one.path);
  const elsewhere = await Store.open(new MemoryBacking(), { now: () => 1 });
  const base = await elsewhere.addText("base", "b");
  const user = await elsewhere.addText("user", base.path, [base.path]);
  const archive: Uint8Array[] = [];
  for await (const piece of exportPaths(elsewhere, [base.path, user.path])) archive.push(piece);
  return { backing, archive };
}

type Operation = (store: Store, archive: Uint8Array[]) => Promise<unknown>;

const OPERATIONS: Readonly<Record<string, Operation>> = {
  "adding a text": (store) => store.addText("new", "new"),
  "adding a large tree": (store) => store.addTree("large", LARGE),
  "importing a closure": (store, archive) => importPaths(store, archive),
  "a new generation": async (store) => {
    const { path } = await store.addText("three", "3");
    return store.updateProfile("system", (profile) => setPath(profile, path, 3));
  },
  "a rollback": (store) => store.updateProfile("system", rollback),
  "deleting a generation and collecting": async (store) => {
    await store.updateProfile("system", (profile) => deleteGenerations(profile, [1]));
    return store.collectGarbage();
  },
  "deleting a path": async (store) => store.delete(store.paths().filter((path) => path.endsWith("-dead"))),
  "a root moved": (store) => store.addRoot("/home/a/result", store.profile("system").generations[1]?.path as string),
};

async function runUntilDeath(
  operation: Operation,
  life: number,
  afterwards: boolean,
): Promise<{ backing: MemoryBacking; died: boolean }> {
  const { backing, archive } = await prepare();
  const store = await Store.open(new MortalBacking(backing, life, afterwards), { now: () => 1 });
  const died = await operation(store, archive).then(
    () => false,
    (error: unknown) => {
      if (error instanceof Killed) return true;
      throw error;
    },
  );
  return { backing, died };
}

async function expectSound(backing: MemoryBacking): Promise<void> {
  const store = await Store.open(backing, { now: () => 1 });
  expect(await store.verify(true)).toEqual([]);
  const { current, generations } = store.profile("system");
  expect(generations.some(({ number }) => number === current)).toBe(true);
  for (const { path } of store.roots()) expect(store.isValid(path)).toBe(true);
  await store.collectGarbage();
  expect(await store.verify(true)).toEqual([]);
  const { blobs } = await store.optimiseReport();
  expect((await backing.keys(BLOB)).length).toBe(blobs);
}

test.each(Object.entries(OPERATIONS))("killed at every write: %s", async (_, operation) => {
  for (const afterwards of [false, true]) {
    for (let life = 0, died = true; died; life++) {
      const end = await runUntilDeath(operation, life, afterwards);
      died = end.died;
      await expectSound(end.backing);
    }
  }
});

test("content that changed behind the store's back is found and repaired", async () => {
  const backing = new MemoryBacking();
  const store = await Store.open(backing, { now: () => 1 });
  const { path } = await store.addText("text", "right");
  const nar: Uint8Array[] = [];
  for await (const piece of store.nar(path)) nar.push(piece.slice());
  const [key] = (await backing.keys(BLOB)) as [string];
  await backing.commit({ puts: [[key, toBytes("wrong")]], deletes: [], expect: [], require: [] });
  expect((await store.verify(true)).map(({ kind }) => kind)).toEqual(["modified"]);
  await expect(store.repairFromNar(path, nar.slice(0, -1))).rejects.toThrow();
  await store.repairFromNar(path, nar);
  expect(await store.verify(true)).toEqual([]);
  await backing.commit({ puts: [], deletes: [key], expect: [], require: [] });
  expect((await store.verify(false)).map(({ kind }) => kind)).toEqual(["missing-blob"]);
});
