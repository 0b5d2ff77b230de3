// `npm run bench`: what a visitor waits for, measured in a real Chromium on the production build. Medians of a few runs; the first line
// says the machine's load, because these figures mean little on a busy one.
import { chromium } from "@playwright/test";
import { loadavg } from "node:os";
import { build, ensureBrowser, ensurePackages } from "./ensure.mjs";
import { serve } from "./serve.mjs";

if (process.argv[2] === "store") {
  await import("./bench-store.mjs");
  process.exit();
}

if (process.argv[2] === "transfer") {
  await import("./bench-transfer.mjs");
  process.exit();
}

const RUNS = Number(process.argv[2] ?? 3);
const COLOURS = ["teal", "tomato", "navy", "olive", "purple", "sienna", "crimson", "indigo"];
/** Edits before the ones that count, as somebody who is typing has made: until then the browser still compiles what runs often. */
const WARM_UP = ["gold", "plum", "coral", "khaki", "orchid", "salmon", "linen", "peru"];

ensurePackages();
const folderAt = process.argv.indexOf("--folder");
const folder = folderAt < 0 ? undefined : process.argv[folderAt + 1];
if (folder === undefined && !process.argv.includes("--no-build")) build();
const server = await serve({ folder });
const address = `http://127.0.0.1:${server.address().port}/`;
const browser = await chromium.launch({
  executablePath: ensureBrowser(),
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
});
console.log(
  `load ${loadavg()
    .map((value) => value.toFixed(1))
    .join(" ")}`,
);

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const figures = new Map();
const note = (name, value) => figures.set(name, [...(figures.get(name) ?? []), value]);

const measures = (page, name) =>
  page.evaluate((which) => performance.getEntriesByName(which).map(({ duration }) => duration), `terrarium.${name}`);
const until = (page, condition) => page.waitForFunction(condition, undefined, { timeout: 180_000 });

/** Kilobytes the server sent of the files whose path passes. */
const sentKilobytes = (passes) =>
  server.sent.filter(([path]) => passes(path)).reduce((sum, [, bytes]) => sum + bytes, 0) / 1000;
const isEditor = (path) => /monaco|editor\.worker|codicon/.test(path);
const isState = (path) => path.includes("state");

/** Runs in the page: tells at once when the first result is there, and keeps the main thread's long tasks. */
function watchFirstLoad() {
  globalThis.longTasks = [];
  new PerformanceObserver((list) => {
    if (list.getEntriesByName("terrarium.evaluate").length > 0) globalThis.firstResult();
  }).observe({ type: "measure", buffered: true });
  new PerformanceObserver((list) =>
    globalThis.longTasks.push(...list.getEntries().map(({ duration }) => duration)),
  ).observe({
    type: "longtask",
    buffered: true,
  });
}

for (let run = 0; run < RUNS; run++) {
  const context = await browser.newContext();
  const page = await context.newPage();
  server.sent.length = 0;
  await page.addInitScript(watchFirstLoad);
  let beforeResult;
  await page.exposeFunction("firstResult", () => (beforeResult ??= sentKilobytes((path) => !isEditor(path))));
  await page.goto(address);
  await until(page, () => performance.getEntriesByName("terrarium.evaluate").length > 0);
  note(
    "navigation → first result, ms",
    await page.evaluate(() => {
      const [first] = performance.getEntriesByName("terrarium.evaluate");
      return first.startTime + first.duration;
    }),
  );
  await until(page, () => globalThis.terrarium.getState().preview.status === 200);
  note("navigation → the machine's page, ms", await page.evaluate(() => performance.now()));
  note("transfer before first result, without the editor, kB", beforeResult);
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  note(
    "whole first load without the state image, kB",
    sentKilobytes((path) => !isState(path)),
  );
  note("Boot from state → running, ms (first visit)", (await measures(page, "boot"))[0]);

  const edit = (colour) =>
    page.evaluate((name) => {
      const { getState, actions } = globalThis.terrarium;
      const [file] = getState().workspace.files;
      actions.editFile(file.path, file.text.replace(/colour = "[^"]*"/, `colour = "${name}"`));
    }, colour);
  await page.evaluate(() => void (globalThis.longTasks.length = 0));
  for (const colour of [...WARM_UP, ...COLOURS]) {
    const before = (await measures(page, "evaluate")).length;
    await edit(colour);
    await page.waitForFunction((count) => performance.getEntriesByName("terrarium.evaluate").length > count, before);
    if (COLOURS.includes(colour)) note("keystroke → new result, ms (warm)", (await measures(page, "evaluate")).at(-1));
    await until(page, () => ["ready", "none"].includes(globalThis.terrarium.getState().pending.status));
  }
  await page.evaluate(() => globalThis.terrarium.actions.build());
  note("Build, everything in the store, ms", (await measures(page, "build")).at(-1));
  await page.evaluate(() => globalThis.terrarium.actions.switch("switch", null));
  note("Switch of a configuration-only change, ms", (await measures(page, "switch")).at(-1));
  await page.evaluate(() => globalThis.terrarium.actions.rollback());
  note("Roll back, ms", (await measures(page, "switch")).at(-1));
  note(
    "longest main-thread task while the machine runs, ms",
    Math.max(0, ...(await page.evaluate(() => globalThis.longTasks))),
  );
  await page.evaluate(() => globalThis.terrarium.actions.powerOff());
  await page.evaluate(() => globalThis.terrarium.actions.boot(null));
  note("Boot from state → running, ms", (await measures(page, "boot")).at(-1));
  await context.close();
}

for (const [name, values] of figures) console.log(`${name.padEnd(52)} ${median(values).toFixed(0).padStart(8)}`);
await browser.close();
server.close();
