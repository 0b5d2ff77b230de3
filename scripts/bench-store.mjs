/**
 * `npm run bench store`: what the store costs, as medians, in Node and (hashing) in Chromium. Hashing and adding are ratios to the platform's own digest of the
 * same bytes in the same run; stores of 2,000 and 20,000 paths show how each cost grows. Values come through a structured clone, as a
 * database gives them.
 */
import { chromium } from "@playwright/test";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { loadavg } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { build } from "vite";
import { measureHashing, median, random, time } from "./bench-hashing.mjs";
import { ensureBrowser, root } from "./ensure.mjs";

const SIZES = [2000, 20_000];

const folder = join(root, ".cache/bench-store");

/** Bundles what is measured: for Node, and as a worker of a page. */
async function bundle() {
  mkdirSync(folder, { recursive: true });
  const exported = `export { Store } from "#engine/store/store.ts";
export { MemoryBacking } from "#engine/store/memory-backing.ts";
export { closure, shortestChain } from "#engine/store/graph.ts";
export { digestNar, encodeNar } from "#engine/store/format/nar.ts";
export { directory, regularFile } from "#engine/store/format/tree.ts";
export { setPath } from "#engine/store/profile.ts";
export { provideHashes, provideDigests } from "#engine/store/format/hash.ts";
export { browserDigest } from "#workers/store/hashing.ts";\n`;
  const worker = `import * as engine from "./store.ts";
import { measureHashing } from "../../scripts/bench-hashing.mjs";
engine.provideDigests(engine.browserDigest);
measureHashing(engine).then(postMessage);\n`;
  writeFileSync(join(folder, "store.ts"), exported);
  writeFileSync(join(folder, "worker.ts"), worker);
  const common = { root, configFile: false, logLevel: "error" };
  const output = { entryFileNames: "[name].mjs" };
  const options = { outDir: folder, emptyOutDir: false, rollupOptions: { output } };
  await build({ ...common, build: { ...options, ssr: join(folder, "store.ts") } });
  const input = join(folder, "worker.ts");
  await build({ ...common, build: { ...options, modulePreload: false, rollupOptions: { input, output } } });
  return import(pathToFileURL(join(folder, "store.mjs")));
}

/** The same in Chromium's worker. */
async function measureInPage() {
  const server = createServer((request, response) => {
    const isWorker = request.url === "/worker.mjs";
    response.setHeader("Content-Type", isWorker ? "text/javascript" : "text/html");
    response.end(isWorker ? readFileSync(join(folder, "worker.mjs")) : "<title>bench</title>");
  });
  await new Promise((resolve) => server.listen(0, "localhost", resolve));
  const browser = await chromium.launch({ executablePath: ensureBrowser() });
  try {
    const page = await browser.newPage();
    await page.goto(`http://localhost:${server.address().port}/`);
    return await page.evaluate(
      () =>
        new Promise((resolve, reject) => {
          const worker = new Worker("/worker.mjs", { type: "module" });
          worker.onmessage = ({ data }) => resolve(data);
          worker.onerror = ({ message }) => reject(new Error(message));
        }),
    );
  } finally {
    await browser.close();
    server.close();
  }
}

const engine = await bundle();
const { Store, MemoryBacking, closure, shortestChain, directory, setPath, provideHashes } = engine;
setFlagsFromString("--expose-gc");
const collectHeap = runInNewContext("gc");

const now = () => 1;
const page = await measureInPage();
provideHashes((algorithm) => (algorithm === "blake3" ? undefined : createHash(algorithm)));
const commandLine = await measureHashing(engine);

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

/** The second and third store of three: whatever was left over before the first does not count. */
async function memoryOfAPath(backing, count) {
  const stores = [];
  const used = [];
  for (let opened = 0; opened < 3; opened++) {
    stores.push(await Store.open(backing, { now }));
    await new Promise(setImmediate);
    collectHeap();
    used.push(process.memoryUsage().heapUsed);
  }
  const each = (used[2] - used[0]) / 2;
  return stores.every((store) => store.paths().length === count) ? each / count : Number.NaN;
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
line([`a tree of ${(page.bytes / 1e6).toFixed(0)} MB, 508 files`, "ms", "speed, of the platform's digest"]);
line(["---", "---", "---"]);
for (const [name, { platform, hashing, adding, receiving }] of Object.entries({ page, "command line": commandLine })) {
  line([`${name}: the platform's SHA-256 of as many bytes`, show(platform), "1"]);
  line([`${name}: NAR hash`, show(hashing), show(platform / hashing)]);
  line([`${name}: add (NAR hash, each file's hash, registration)`, show(adding), show(platform / adding)]);
  line([`${name}: add from a NAR (checked, unpacked, registered)`, show(receiving), show(platform / receiving)]);
}
console.log();
const figures = [];
for (const count of SIZES) figures.push(await measure(count));
line(["", ...SIZES.map((count) => `${count.toLocaleString("en")} paths`)]);
line(["---", ...SIZES.map(() => "---")]);
for (const name of Object.keys(figures[0])) line([name, ...figures.map((column) => show(column[name]))]);
