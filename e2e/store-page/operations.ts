/**
 * The operations whose every write is made to fail, and the store they are done on. Invariant: all of it is the same
 * each time, so that the state before and after an operation is known from a run in memory.
 */
import { toBytes } from "#engine/store/format/bytes.ts";
import { directory, regularFile } from "#engine/store/format/tree.ts";
import { MemoryBacking } from "#engine/store/memory-backing.ts";
import { deleteGenerations, rollback, setPath } from "#engine/store/profile.ts";
import { Store } from "#engine/store/store.ts";
import { exportPaths, importPaths } from "#engine/store/transfer.ts";

export const now = (): number => 1_700_000_000;

/** Files of 4 MB, each of which fills a transaction of its own. */
const large = (count: number, salt: number) =>
  directory(
    Array.from({ length: count }, (_, index) => {
      const contents = new Uint8Array(4_000_000).fill(salt + index);
      return [`f${index}`, regularFile(contents)] as const;
    }),
  );

/** Two generations, a root, and things that nobody needs. */
export async function prepared(): Promise<MemoryBacking> {
  const backing = new MemoryBacking();
  const store = await Store.open(backing, { now });
  const one = await store.addText("one", "1");
  const two = await store.addText("two", one.path, [one.path]);
  await store.addTree("dead", directory([["file", regularFile(toBytes("dead"))]]));
  await store.addText("also-dead", "nobody needs this");
  await store.updateProfile("system", (profile) => setPath(profile, one.path, now()));
  await store.updateProfile("system", (profile) => setPath(profile, two.path, now()));
  await store.addRoot("/home/a/result", one.path);
  return backing;
}

/** What `nix-store --export` wrote elsewhere. */
async function archive(): Promise<Uint8Array[]> {
  const elsewhere = await Store.open(new MemoryBacking(), { now });
  const base = await elsewhere.addText("base", "b");
  const tree = await elsewhere.addTree("tree", large(1, 7));
  const user = await elsewhere.addText("user", base.path + tree.path, [base.path, tree.path]);
  const pieces: Uint8Array[] = [];
  for await (const piece of exportPaths(elsewhere, [base.path, tree.path, user.path])) pieces.push(piece.slice());
  return pieces;
}

export const OPERATIONS: Readonly<Record<string, (store: Store) => Promise<unknown>>> = {
  "add a text": (store) => store.addText("new", "new"),
  "add a tree of 8 MB": (store) => store.addTree("large", large(2, 1)),
  "import a closure": async (store) => importPaths(store, await archive()),
  "switch to a new generation": async (store) => {
    const { path } = await store.addText("three", "3");
    await store.updateProfile("system", (profile) => setPath(profile, path, now()));
  },
  "roll back": (store) => store.updateProfile("system", rollback),
  "delete a generation and collect": async (store) => {
    await store.updateProfile("system", (profile) => deleteGenerations(profile, [1]));
    await store.collectGarbage();
  },
  "delete a path": (store) => store.delete(store.paths().filter((path) => path.endsWith("-also-dead"))),
  "move a root": async (store) =>
    store.addRoot("/home/a/result", store.profile("system").generations[1]?.path as string),
};
