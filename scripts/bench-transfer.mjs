// `npm run bench transfer`: taking in and taking home, in a real Chromium on the production build: a package set of 3,000 files from each
// kind of archive, the same set at the next visit, and a whole workspace saved and opened. `--folder DIR` measures a build that is there.
import { chromium } from "@playwright/test";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import path from "node:path";
import { build, ensureBrowser } from "./ensure.mjs";
import { serve } from "./serve.mjs";

const FILES = 3000;
const scratch = mkdtempSync(path.join(tmpdir(), "terrarium-bench-"));
const archives = makeSet();
const folderAt = process.argv.indexOf("--folder");
const folder = folderAt < 0 ? undefined : process.argv[folderAt + 1];
if (folder === undefined && !process.argv.includes("--no-build")) build();
const server = await serve({ folder });
const address = `http://127.0.0.1:${server.address().port}/`;
const browser = await chromium.launch({
  executablePath: ensureBrowser(),
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
});
console.log(`load ${loadavg()[0].toFixed(1)}`);

try {
  for (const archive of archives) await measureSet(archive);
  await measureWorkspace();
} finally {
  await browser.close();
  server.close();
  rmSync(scratch, { recursive: true });
}

/** A set whose default.nix names every package's file, in every kind of archive. */
function makeSet() {
  const set = path.join(scratch, "set-1.0");
  mkdirSync(path.join(set, "pkgs"), { recursive: true });
  const names = Array.from({ length: FILES - 1 }, (_, index) => `p${String(index).padStart(4, "0")}`);
  for (const name of names) {
    const filler = `# ${name} ${"what this package is, and who keeps it ".repeat(60)}\n`;
    writeFileSync(path.join(set, `pkgs/${name}.nix`), `${filler}{ name = "${name}"; text = "hello ${name}"; }\n`);
  }
  writeFileSync(
    path.join(set, "default.nix"),
    `{\n${names.map((name) => `  ${name} = import ./pkgs/${name}.nix;\n`).join("")}}\n`,
  );
  return [
    ["set.tar.gz", "-czf"],
    ["set.tar.xz", "-cJf"],
  ].map(([name, flag]) => {
    execFileSync("tar", ["-C", scratch, flag, path.join(scratch, name), "set-1.0"]);
    return path.join(scratch, name);
  });
}

async function open(context) {
  const page = await context.newPage();
  await page.goto(address);
  await page.waitForFunction(() => globalThis.terrarium?.getState().evaluation.result !== null, undefined, {
    timeout: 120_000,
  });
  return page;
}

/** Milliseconds that a command of the page's console takes. */
function command(page, line) {
  return page.evaluate(async (typed) => {
    const from = performance.now();
    await globalThis.terrarium.actions.runCommand(typed);
    return performance.now() - from;
  }, line);
}

/** Milliseconds until an upload on a panel reports its end. */
async function upload(page, panel, label, file) {
  await page.evaluate((id) => globalThis.terrarium.setState(({ ui }) => ({ ui: { ...ui, panel: id } })), panel);
  const field = page.getByLabel(label, { exact: true });
  await field.waitFor({ state: "attached" });
  const from = performance.now();
  await field.setInputFiles(file);
  await page.locator(".transfer-report").waitFor({ timeout: 120_000 });
  return performance.now() - from;
}

async function measureSet(archive) {
  const context = await browser.newContext();
  const page = await open(context);
  await command(page, "nix-instantiate --eval -E 1");
  const ready = await upload(page, "sources", "Choose an archive", archive);
  const first = await command(page, "nix-instantiate --eval -E '(import <set>).p2998.name'");
  const all = await command(
    page,
    "nix-instantiate --eval -E 'builtins.length (builtins.filter (p: p ? text) (builtins.attrValues (import <set>)))'",
  );
  await page.waitForFunction(() => globalThis.terrarium.getState().workspaces.length > 0);
  await page.waitForTimeout(1000);
  await page.close();
  const again = await open(context);
  await command(again, "nix-instantiate --eval -E 1");
  const next = await command(again, "nix-instantiate --eval -E '(import <set>).p2998.name'");
  const line = (what, milliseconds) =>
    console.log(`${path.basename(archive)}: ${what}: ${Math.round(milliseconds)} ms`);
  console.log(`${path.basename(archive)}: ${FILES} files, ${(statSync(archive).size / 1000).toFixed(0)} kB packed`);
  line("from the file to ready", ready);
  line("first use of one package", first);
  line("all of its files evaluated", all);
  line("first use at the next visit", next);
  await context.close();
}

async function measureWorkspace() {
  const context = await browser.newContext({ acceptDownloads: true });
  const page = await open(context);
  await page.waitForFunction(() => globalThis.terrarium.getState().machine.phase === "running", undefined, {
    timeout: 180_000,
  });
  await page.evaluate(() => globalThis.terrarium.setState(({ ui }) => ({ ui: { ...ui, panel: "take-home" } })));
  const save = page.getByRole("button", { name: /^Save “/ });
  await save.waitFor();
  const from = performance.now();
  const [download] = await Promise.all([page.waitForEvent("download"), save.click()]);
  const saved = performance.now() - from;
  const file = path.join(scratch, "workspace.terrarium.tar.gz");
  await download.saveAs(file);
  console.log(`a workspace with one generation: ${(statSync(file).size / 1e6).toFixed(1)} MB`);
  console.log(`saved: ${Math.round(saved)} ms`);
  await context.close();

  const other = await browser.newContext();
  const elsewhere = await open(other);
  console.log(`opened elsewhere: ${Math.round(await upload(elsewhere, "take-home", "Open a saved one", file))} ms`);
  await other.close();
}
