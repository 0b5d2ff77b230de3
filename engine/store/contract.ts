/**
 * The contract of a Backing and of a Store over it, as plain functions, so that memory, file system and IndexedDB (in a
 * real browser) all run the same suite. A case throws when the contract is broken.
 */
import type { Backing, Batch } from "./backing.ts";
import { toBytes } from "./format/bytes.ts";
import { directory, regularFile, symlink } from "./format/tree.ts";
import { closure } from "./graph.ts";
import { rollback, setPath } from "./profile.ts";
import { Store } from "./store.ts";

export interface ContractCase {
  readonly name: string;
  readonly run: () => Promise<void>;
}

const NOW = 1_700_000_000;
const EMPTY: Batch = { puts: [], deletes: [], expect: [], require: [] };

/** `makeBacking` gives an empty one each time; `reopen` gives the same content as another process would see it. */
export function storeContract(
  makeBacking: () => Promise<{ backing: Backing; reopen: () => Promise<Backing> }>,
): ContractCase[] {
  const withStore = (body: (store: Store, reopen: () => Promise<Store>) => Promise<void>) => async () => {
    const { backing, reopen } = await makeBacking();
    const open = (on: Backing) => Store.open(on, { now: () => NOW });
    await body(await open(backing), async () => open(await reopen()));
  };
  const withBacking = (body: (backing: Backing) => Promise<void>) => async () => body((await makeBacking()).backing);
  return [
    { name: "a batch is read back", run: withBacking(readsBack) },
    { name: "a failed expectation leaves nothing", run: withBacking(failedExpectation) },
    { name: "a missing requirement leaves nothing", run: withBacking(missingRequirement) },
    { name: "a value that cannot be stored leaves nothing", run: withBacking(unstorable) },
    { name: "keys of a family, sorted", run: withBacking(sortedKeys) },
    { name: "text is registered and survives", run: withStore(textSurvives) },
    { name: "a tree's NAR comes back", run: withStore(narRoundTrip) },
    { name: "a damaged NAR registers nothing", run: withStore(damagedNar) },
    { name: "an unknown reference is refused", run: withStore(unknownReference) },
    { name: "content is stored once", run: withStore(storedOnce) },
    { name: "a living path is not deleted", run: withStore(refusesAlive) },
    { name: "a collection keeps roots and their closures", run: withStore(collects) },
    { name: "temporary roots keep paths", run: withStore(temporaryRoots) },
    { name: "a profile changes wholly", run: withStore(profiles) },
    { name: "two stores on one backing see each other", run: withStore(twoWriters) },
    { name: "many paths in one commit", run: withStore(manyPaths) },
  ];
}

async function readsBack(backing: Backing): Promise<void> {
  const value = { map: new Map([["a", new Uint8Array([1, 2, 255])]]), text: "\xff\0", list: [undefined, 1] };
  await backing.commit({
    ...EMPTY,
    puts: [
      ["realisation/x", value],
      ["meta/seq", 7],
    ],
  });
  const read = (await backing.get("realisation/x")) as typeof value;
  same([...(read.map.get("a") as Uint8Array)].join(), "1,2,255");
  same(read.text, "\xff\0");
  same(await backing.get("meta/seq"), 7);
  same(await backing.get("realisation/y"), undefined);
  await backing.commit({ ...EMPTY, deletes: ["realisation/x"] });
  same(await backing.get("realisation/x"), undefined);
}

async function failedExpectation(backing: Backing): Promise<void> {
  await backing.commit({ ...EMPTY, puts: [["meta/seq", 1]] });
  await refused(
    "conflict",
    backing.commit({ ...EMPTY, puts: [["root/a", 1]], deletes: ["meta/seq"], expect: [["meta/seq", 2]] }),
  );
  await refused("conflict", backing.commit({ ...EMPTY, puts: [["root/a", 1]], expect: [["meta/seq", undefined]] }));
  same(await backing.get("root/a"), undefined);
  same(await backing.get("meta/seq"), 1);
  await backing.commit({
    ...EMPTY,
    puts: [["root/a", 1]],
    expect: [
      ["meta/seq", 1],
      ["meta/none", undefined],
    ],
  });
  same(await backing.get("root/a"), 1);
}

async function missingRequirement(backing: Backing): Promise<void> {
  const batch: Batch = { ...EMPTY, puts: [["root/a", 1]], require: ["blob/none"] };
  await refused("missing", backing.commit(batch));
  same(await backing.get("root/a"), undefined);
}

async function unstorable(backing: Backing): Promise<void> {
  const failed = await backing
    .commit({
      ...EMPTY,
      puts: [
        ["root/a", 1],
        ["root/b", () => 1],
      ],
    })
    .then(
      () => false,
      () => true,
    );
  // Memory stores anything: only those that refuse must leave nothing.
  if (failed) same(await backing.get("root/a"), undefined);
}

async function sortedKeys(backing: Backing): Promise<void> {
  await backing.commit({
    ...EMPTY,
    puts: [
      ["root/b", 1],
      ["root/a", 1],
      ["rooted", 1],
      ["index/1", 1],
    ],
  });
  same((await backing.keys("root/")).join(), "root/a,root/b");
  same([...(await backing.existing(["root/a", "root/c"]))].join(), "root/a");
}

async function textSurvives(store: Store, reopen: () => Promise<Store>): Promise<void> {
  const bar = await store.addText("bar", "x");
  const foo = await store.addText("foo", `text ${bar.path}`, [bar.path]);
  same(foo.path, "/nix/store/5yncxr89kvgdafgjv71vssdvy9cw3r1y-foo");
  const again = await reopen();
  same(again.requireInfo(foo.path).references.join(), bar.path);
  same(again.index.referrers(bar.path).join(), foo.path);
  same([...closure(again.index, [foo.path])].sort().join(), [foo.path, bar.path].sort().join());
  same(String.fromCharCode(...((await again.readFile(foo.path)) as Uint8Array)), `text ${bar.path}`);
}

const TREE = directory([
  ["bin", directory([["sh", regularFile(toBytes("#!\n"), true)]])],
  ["empty", regularFile(new Uint8Array(0))],
  ["link", symlink("bin/sh")],
  ["\xff", regularFile(toBytes("\xfe"))],
]);

async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const kept: Uint8Array[] = [];
  for await (const piece of pieces) kept.push(piece.slice());
  return kept;
}

async function narRoundTrip(store: Store): Promise<void> {
  const info = await store.addTree("tree", TREE);
  const nar = await collect(store.nar(info.path));
  await store.delete([info.path]);
  same(store.isValid(info.path), false);
  await store.addNar(info, nar);
  same(store.requireInfo(info.path).narHash, info.narHash);
  same((await store.verify(true)).length, 0);
}

async function damagedNar(store: Store, reopen: () => Promise<Store>): Promise<void> {
  const info = await store.addTree("tree", TREE);
  const nar = await collect(store.nar(info.path));
  await store.delete([info.path]);
  await refused(undefined, store.addNar(info, nar.slice(0, -1)));
  await refused("hash-mismatch", store.addNar({ ...info, narHash: "sha256:0" }, nar));
  same(store.paths().length + (await reopen()).paths().length, 0);
}

async function unknownReference(store: Store): Promise<void> {
  await refused("missing", store.addText("foo", "x", ["/nix/store/00000000000000000000000000000000-none"]));
  same(store.paths().length, 0);
}

async function storedOnce(store: Store): Promise<void> {
  await store.addTree("a", TREE);
  await store.addTree("b", TREE);
  const report = await store.optimiseReport();
  same(
    `${report.files} files, ${report.blobs} blobs, ${report.bytesWithout} bytes, ${report.bytesStored} stored`,
    "6 files, 3 blobs, 8 bytes, 4 stored",
  );
}

async function refusesAlive(store: Store): Promise<void> {
  const bar = await store.addText("bar", "x");
  const foo = await store.addText("foo", bar.path, [bar.path]);
  await refused("alive", store.delete([bar.path]));
  await store.addRoot("/home/a/result", foo.path);
  await refused("alive", store.delete([foo.path, bar.path]));
  await store.removeRoot("/home/a/result");
  same((await store.delete([foo.path, bar.path])).deleted.length, 2);
}

async function collects(store: Store, reopen: () => Promise<Store>): Promise<void> {
  const bar = await store.addText("bar", "x");
  const foo = await store.addText("foo", bar.path, [bar.path]);
  const dead = await store.addText("dead", "much longer than the others");
  await store.updateProfile("system", (profile) => setPath(profile, foo.path, NOW));
  same((await store.planGc()).dead.join(), dead.path);
  const result = await store.collectGarbage();
  same(`${result.deleted.join()} ${result.freed}`, `${dead.path} 27`);
  same((await reopen()).paths().length, 2);
  same((await store.verify(true)).length, 0);
}

async function temporaryRoots(store: Store): Promise<void> {
  const bar = await store.addText("bar", "x");
  await store.holdTemporarily("build-1", [bar.path]);
  same((await store.collectGarbage()).deleted.length, 0);
  await store.releaseTemporary("build-1");
  same((await store.collectGarbage()).deleted.length, 1);
}

async function profiles(store: Store, reopen: () => Promise<Store>): Promise<void> {
  const one = await store.addText("one", "1");
  const two = await store.addText("two", "2");
  await store.updateProfile("system", (profile) => setPath(profile, one.path, NOW));
  await store.updateProfile("system", (profile) => setPath(profile, two.path, NOW, "second"));
  await store.updateProfile("system", rollback);
  const again = (await reopen()).profile("system");
  same(
    `${again.current} ${again.generations.map(({ number, label }) => `${number}${label ?? ""}`).join()}`,
    "1 1,2second",
  );
  await refused("missing", store.updateProfile("system", rollback));
  await refused(
    "invalid-path",
    store.updateProfile("system", (profile) =>
      setPath(profile, "/nix/store/00000000000000000000000000000000-none", NOW),
    ),
  );
  same(store.profile("system").current, 1);
}

async function twoWriters(store: Store, reopen: () => Promise<Store>): Promise<void> {
  const other = await reopen();
  const bar = await store.addText("bar", "x");
  const foo = await other.addText("foo", bar.path, [bar.path]);
  await store.refresh();
  same(store.isValid(foo.path), true);
  await Promise.all(Array.from({ length: 20 }, (_, index) => store.addText(`p${index}`, `${index}`)));
  await other.refresh();
  same(other.paths().length, 22);
}

async function manyPaths(store: Store, reopen: () => Promise<Store>): Promise<void> {
  const texts = Array.from({ length: 700 }, (_, index) => ({ name: `t${index}`, text: `${index}`, references: [] }));
  const paths = await store.addTexts(texts);
  await store.delete(paths.slice(0, 300));
  await store.addTexts(texts.slice(0, 10));
  same((await reopen()).paths().length, 410);
}

function same(actual: unknown, expected: unknown): void {
  if (actual !== expected) throw new Error(`expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}`);
}

/** The promise must fail, with this code when one is given. */
async function refused(code: string | undefined, promise: Promise<unknown>): Promise<void> {
  const error = await promise.then(
    () => undefined,
    (error: unknown) => error as { code?: string },
  );
  if (error === undefined) throw new Error(`expected a refusal${code === undefined ? "" : ` "${code}"`}`);
  if (code !== undefined && error.code !== code) throw new Error(`expected "${code}", got ${String(error)}`);
}
