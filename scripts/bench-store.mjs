/**
 * `npm run bench store`: what the store costs, in Node, as medians. Hashing and adding are ratios to the platform's own digest of the
 * same bytes in the same run; stores of 2,000 and 20,000 paths show how each cost grows. Values come through a structured clone, as a
 * database gives them.
 */
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { build } from "vite";
import { root } from "./ensure.mjs";

const RUNS = 7;
const SIZES = [2000, 20_000];

/** Bundles what is measured, and loads it. */
async function loadStore() {
  const folder = join(root, ".cache/bench-store");
  mkdirSync(folder, { recursive: true });
  const entry = join(folder, "entry.ts");
  writeFileSync(
    entry,
    `export { Store } from "#engine/store/store.ts";
export { MemoryBacking } from "#engine/store/memory-backing.ts";
export { closure, shortestChain } from "#engine/store/graph.ts";
export { hashNar } from "#engine/store/format/nar.ts";
export { directory, regularFile } from "#engine/store/format/tree.ts";
export { setPath } from "#engine/store/profile.ts";
export { provideHashes } from "#engine/store/format/hash.ts";\n`,
  );
  await build({
    root,
    configFile: false,
    logLevel: "error",
    build: {
      ssr: entry,
      outDir: folder,
      emptyOutDir: false,
      rollupOptions: { output: { entryFileNames: "store.mjs" } },
    },
  });
  return import(pathToFileURL(join(folder, "store.mjs")));
}

const { Store, MemoryBacking, closure, shortestChain, hashNar, directory, regularFile, setPath, provideHashes } =
  await loadStore();
setFlagsFromString("--expose-gc");
const collectHeap = runInNewContext("gc");

const now = () => 1;
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/** The median of some runs in milliseconds, after one that warms up. */
async function time(body, runs = RUNS) {
  const values = [];
  for (let run = -1; run < runs; run++) {
    const started = performance.now();
    await body(run);
    if (run >= 0) values.push(performance.now() - started);
  }
  return median(values);
}

let state = 1;
/** A number below the limit; always the same sequence. */
function random(limit) {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((state / 2 ** 32) * limit);
}

const noise = (length) => Uint8Array.from({ length }, () => random(256));

/** A package as they come: a few large files and many small ones, 24 MB together. */
const tree = directory([
  ["large", directory(Array.from({ length: 8 }, (_, index) => [`f${index}`, regularFile(noise(2_500_000))]))],
  ["small", directory(Array.from({ length: 500 }, (_, index) => [`f${index}`, regularFile(noise(8000))]))],
]);
const bytes = noise(hashNar(tree).size);

const platform = await time(() => crypto.subtle.digest("SHA-256", bytes));
const hashAndAdd = async () => ({
  hashing: await time(() => hashNar(tree)),
  adding: await time(async () => (await Store.open(new MemoryBacking(), { now })).addTree("package", tree)),
});
/** What the page does, and what the command line does with Node's own digest. */
const page = await hashAndAdd();
provideHashes((algorithm) => (algorithm === "blake3" ? undefined : createHash(algorithm)));
const commandLine = await hashAndAdd();

/** Reads come as copies, as from a database. */
class CloningBacking extends MemoryBacking {
  async get(key) {
    return structuredClone(await super.get(key));
  }
  async getMany(keys) {
    return structuredClone(await super.getMany(keys));
  }
}

const letters = "0123456789abcdfghijklmnpqrsvwxyz";
/** 32 characters, as a store path's hash part has them. */
const hashPart = (text) =>
  Array.from(createHash("sha256").update(text).digest(), (byte) => letters[byte % 32]).join("");
const pathOf = (number) => `/nix/store/${hashPart(`${number}`)}-package-${number}-1.${number % 10}`;

/** A store whose paths need some of those before them, as packages do; half of it is a system's closure, the rest garbage. */
async function synthetic(count) {
  const backing = new CloningBacking();
  const store = await Store.open(backing, { now });
  const blob = "0".repeat(64);
  const registrations = Array.from({ length: count }, (_, number) => {
    const half = number < count / 2 ? 0 : Math.ceil(count / 2);
    const wanted = new Set([number - 1, ...Array.from({ length: 5 }, () => number - 1 - random(200))]);
    const references = [...wanted].filter((other) => other >= half && other < number).map(pathOf);
    const narHash = `sha256:${hashPart(`nar ${number}`)}${hashPart(`more ${number}`).slice(0, 20)}`;
    const info = { path: pathOf(number), narHash, narSize: 120_000, references, signatures: [], ultimate: true };
    return { info, tree: directory([["file", { type: "regular", executable: false, size: 100, blob }]]) };
  });
  await store.register(registrations, () => new Uint8Array(100));
  const top = pathOf(Math.ceil(count / 2) - 1);
  await store.updateProfile("system", (profile) => setPath(profile, top, 1));
  return { backing, top };
}

async function memoryOfAPath(backing, count) {
  collectHeap();
  const before = process.memoryUsage().heapUsed;
  const store = await Store.open(backing, { now });
  collectHeap();
  const used = process.memoryUsage().heapUsed - before;
  return store.paths().length === count ? used / count : Number.NaN;
}

/** Collections that each delete half of a store; every one needs a store of its own. */
async function timeCollections(count) {
  const values = [];
  for (let run = 0; run < 3; run++) {
    const { backing } = await synthetic(count);
    const store = await Store.open(backing, { now });
    const started = performance.now();
    const { deleted } = await store.collectGarbage();
    values.push(performance.now() - started);
    if (deleted.length !== Math.floor(count / 2)) throw new Error(`collected ${deleted.length} of ${count} paths`);
  }
  return median(values);
}

/** Rows of a table: what is measured and its value in milliseconds or bytes. */
async function measure(count) {
  const { backing, top } = await synthetic(count);
  const memory = await memoryOfAPath(backing, count);
  const open = await time(() => Store.open(backing, { now }));
  const store = await Store.open(backing, { now });
  return {
    "open, ms": open,
    "closure of a system (half of the store), ms": await time(() => closure(store.index, [top])),
    "why-depends, from the system to its furthest path, ms": await time(() =>
      shortestChain(store.index, top, pathOf(0)),
    ),
    "what a collection would delete, ms": await time(() => store.planGc()),
    "collection of half of the store, ms": await timeCollections(count),
    "memory a path, bytes": memory,
  };
}

const show = (value) => (value >= 100 ? value.toFixed(0) : value.toPrecision(2));
const line = (cells) => console.log(`| ${cells.join(" | ")} |`);

console.log(`load ${loadavg()[0].toFixed(1)}\n`);
line([`a tree of ${(bytes.length / 1e6).toFixed(0)} MB, 508 files`, "ms", "speed, of the platform's digest"]);
line(["---", "---", "---"]);
line(["the platform's SHA-256 of as many bytes", show(platform), "1"]);
for (const [name, { hashing, adding }] of Object.entries({ page, "command line": commandLine })) {
  line([`${name}: NAR hash`, show(hashing), show(platform / hashing)]);
  line([`${name}: add (NAR hash, each file's hash, registration)`, show(adding), show(platform / adding)]);
}
console.log();
const figures = [];
for (const count of SIZES) figures.push(await measure(count));
line(["", ...SIZES.map((count) => `${count.toLocaleString("en")} paths`)]);
line(["---", ...SIZES.map(() => "---")]);
for (const name of Object.keys(figures[0])) line([name, ...figures.map((column) => show(column[name]))]);
