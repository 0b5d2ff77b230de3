/**
 * The second driver. A stand-in answers for WebContainer's own page: its protocol is the library's (Comlink over a port), its files are in
 * the frame's memory until a process needs them, and its processes are Node's.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Page } from "@playwright/test";
import { expect, test } from "./support.ts";

const sample = "Hello from my own machine";
/** The library speaks through an older Comlink of its own. */
const comlink = readFileSync("node_modules/@webcontainer/api/dist/vendor/index.js", "utf8");

/** The library's own form of a tree: `d` folders, `f` files with content (`b`: a byte a character) or a link. */
interface Tree {
  d?: Record<string, Tree>;
  f?: { c?: string; b?: boolean; l?: string };
}

const page = `<!doctype html><script type="module">
${comlink}
{
const encoder = new TextEncoder();
const decoder = new TextDecoder();
let count = 0;
const instance = {
  fs: () => proxy({
    readFile: () => Promise.reject(new Error("ENOENT")),
    writeFile: () => undefined,
    mkdir: () => undefined,
  }),
  previewScript: () => "",
  runtimeInfo: () => ({ path: "/bin", cwd: "/home/terrarium" }),
  loadFiles: (payload) => containerMount(decoder.decode(payload)),
  async run({ command, args }, stdout, stderr, output) {
    const id = ++count;
    await containerSpawn(id, command, args);
    const onExit = (async () => {
      for (;;) {
        const { text, code } = await containerRead(id);
        if (text !== null) output(encoder.encode(text));
        else return output(null), code;
      }
    })();
    return proxy({ onExit, kill: () => containerKill(id), write: () => undefined, resize: () => undefined });
  },
  on: () => proxy(() => undefined),
  teardown: () => containerEnd(),
};
const { port1, port2 } = new MessageChannel();
expose({ build: () => proxy(instance) }, port1);
parent.postMessage({ type: "init" }, "*", [port2]);
}
</script>`;

const headers = {
  "Content-Type": "text/html",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Cross-Origin-Resource-Policy": "cross-origin",
};

/** Answers for WebContainer's page, and for the processes behind it. */
async function standIn(target: Page): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), "terrarium-container-"));
  const processes = new Map<
    number,
    { child: ChildProcess; next: () => Promise<{ text: string | null; code: number }> }
  >();
  await target.exposeFunction("containerMount", (json: string) => lay(JSON.parse(json) as Tree, folder));
  await target.exposeFunction("containerSpawn", (id: number, command: string, args: string[]) => {
    const child = spawn(command, args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
    processes.set(id, { child, next: reading(child) });
  });
  await target.exposeFunction("containerRead", (id: number) => processes.get(id)?.next());
  await target.exposeFunction("containerKill", (id: number) => processes.get(id)?.child.kill("SIGKILL"));
  const end = () => {
    for (const { child } of processes.values()) child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
  };
  await target.exposeFunction("containerEnd", end);
  target.on("close", end);
  await target.route("**/headless?*", (route) => route.fulfill({ headers, body: page }));
}

/** What a process prints, piece by piece; no text is its end. */
function reading(child: ChildProcess): () => Promise<{ text: string | null; code: number }> {
  const printed = new ReadableStream<string>({
    start(controller) {
      for (const stream of [child.stdout, child.stderr]) {
        stream?.on("data", (bytes: Buffer) => controller.enqueue(bytes.toString()));
      }
      child.once("close", () => controller.close());
    },
  }).getReader();
  return async () => ({ text: (await printed.read()).value ?? null, code: child.exitCode ?? 137 });
}

function lay({ d: entries = {} }: Tree, folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, tree] of Object.entries(entries)) {
    const place = path.join(folder, name);
    if (tree.f === undefined) lay(tree, place);
    else if (tree.f.l === undefined) writeFileSync(place, tree.f.c ?? "", tree.f.b === true ? "latin1" : "utf8");
    else symlinkSync(tree.f.l, place);
  }
}

/** The visitor chose the simulation earlier. */
const chosen = (target: Page) =>
  target.addInitScript(() => {
    localStorage.setItem("terrarium-settings", JSON.stringify({ driver: "webcontainer" }));
    Object.assign(globalThis, { WEBCONTAINER_API_IFRAME_URL: location.origin });
  });

test("a generation is simulated and switched", async ({ terrarium }) => {
  test.setTimeout(180_000);
  await standIn(terrarium.page);
  await chosen(terrarium.page);
  await terrarium.open();
  await terrarium.serves(sample);
  const card = terrarium.page.getByRole("region", { name: "The machine" });
  await expect(card.getByText("simulated", { exact: true })).toBeVisible();
  await test.step("a switch restarts the web server", async () => {
    await terrarium.edit(sample, "Hello from the simulation");
    await terrarium.button("Switch").click();
    await terrarium.running(2);
    await terrarium.serves("Hello from the simulation");
  });
});

test("without WebContainer's page, Linux runs and says so", async ({ terrarium }) => {
  test.setTimeout(180_000);
  await terrarium.page.route("**/headless?*", (route) => route.fulfill({ headers, body: "" }));
  await chosen(terrarium.page);
  await terrarium.open();
  await terrarium.serves(sample);
  await expect(terrarium.page.getByText("The simulation could not start: Linux runs instead.").first()).toBeVisible();
});
