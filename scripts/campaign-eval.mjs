/**
 * A differential campaign: random expressions, well typed and ill typed, run by the engine's `nix-instantiate` and by C++ Nix. Standard
 * output, standard error (messages, traces, warnings) and exit code must agree to the byte. Differences are shrunk and listed.
 *
 *   NIX_ORACLE=DIR/bin node scripts/campaign-eval.mjs [--minutes N] [--seed N] [--at-once N]
 *
 * The same seed gives the same expressions. Ends with exit code 1 when there was a difference.
 */
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "vite";
import { makeGrammar, print } from "./campaign-grammar.mjs";

const option = (name, fallback) => {
  const index = process.argv.indexOf(`--${name}`);
  return index < 0 ? fallback : Number(process.argv[index + 1]);
};
const minutes = option("minutes", 1);
const seed = option("seed", 1);
const atOnce = option("at-once", 2);
const oracle = process.env.NIX_ORACLE ?? path.join(homedir(), ".cache/nix-oracle/bin");
const root = path.resolve(import.meta.dirname, "..");
const world = "/tmp/terrarium-campaign";

/** The environment of both. */
const environment = {
  HOME: world,
  NIX_REMOTE: "dummy://",
  NIX_CONFIG: "system = i686-linux\nexperimental-features =",
  NIX_CONF_DIR: "/nonexistent",
  NIX_PATH: `dir=${world}/dir`,
  TERRARIUM: "glass",
};

/** Bundles what the campaign needs of the engine, and loads it. */
async function loadEngine() {
  const folder = path.join(root, ".cache/campaign");
  mkdirSync(folder, { recursive: true });
  const entry = path.join(folder, "entry.ts");
  writeFileSync(entry, `export { runOnNode } from "#workers/node/language.ts";\n`);
  await build({
    root,
    configFile: false,
    logLevel: "error",
    publicDir: false,
    build: {
      ssr: entry,
      outDir: folder,
      emptyOutDir: false,
      rollupOptions: { output: { entryFileNames: "engine.mjs" } },
    },
  });
  return import(pathToFileURL(path.join(folder, "engine.mjs")));
}

function prepareWorld() {
  mkdirSync(path.join(world, "dir"), { recursive: true });
  writeFileSync(path.join(world, "hello.txt"), "hello\n");
  writeFileSync(path.join(world, "dir/default.nix"), "{ x = 1; }\n");
}

/** What the engine answers. A bug of it shows as an exit code that nothing has. */
async function ours(argv) {
  const answer = { status: 0, out: "", err: "" };
  try {
    answer.status = await engine.runOnNode(
      argv.map((text) => Buffer.from(text, "utf8").toString("latin1")),
      {
        storeDir: "/nix/store",
        store: undefined,
        root: undefined,
        cwd: world,
        print: (text) => (answer.out += text),
        error: (text) => (answer.err += text),
        context: () => Promise.reject(new Error("the campaign builds nothing")),
      },
    );
  } catch (thrown) {
    answer.status = "bug";
    answer.err += thrown.stack;
  }
  return answer;
}

/** What C++ Nix answers; undefined when it was killed, by its own stack or for its time. */
function theirs(argv) {
  return new Promise((resolve, reject) => {
    const child = spawn(path.join(oracle, argv[0]), argv.slice(1), {
      cwd: world,
      env: environment,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const timer = setTimeout(() => child.kill("SIGKILL"), 20_000);
    const answer = { status: 0, out: "", err: "" };
    child.stdout.on("data", (chunk) => (answer.out += chunk.toString("latin1")));
    child.stderr.on("data", (chunk) => (answer.err += chunk.toString("latin1")));
    child.on("error", reject);
    child.on("close", (status) => {
      clearTimeout(timer);
      resolve(status === null ? undefined : { ...answer, status });
    });
  });
}

/** What docs/differences.md says that differs, and so is not looked at. */
const WRITTEN_DOWN = [
  /step budget/,
  /Assertion .* failed/,
  /this evaluation needs to fetch/,
  /missing closing bracket `\]`/,
  /0x0a\(LINE FEED\)/,
];

async function differ({ tree, flags }) {
  const expr = print(tree);
  if (expr.includes("\0")) return undefined;
  const argv = ["nix-instantiate", ...flags, "-E", expr];
  const other = await theirs(argv);
  if (other === undefined) return undefined;
  const mine = await ours(argv);
  if (mine.status === other.status && mine.out === other.out && mine.err === other.err) return undefined;
  if (WRITTEN_DOWN.some((text) => text.test(mine.err) || text.test(other.err))) return undefined;
  return { expr, flags, mine, other };
}

/** Trees with one part taken away: a subtree in the whole's place, or a leaf in a subtree's place. */
function* smaller(tree) {
  if (typeof tree === "string") return;
  for (const [index, part] of tree.entries()) {
    if (typeof part === "string") continue;
    yield part;
    for (const simple of ["1", '"a"', "[ ]", "{ }", "null"]) {
      if (print(part).length > simple.length) yield tree.with(index, simple);
    }
    for (const inner of smaller(part)) yield tree.with(index, inner);
  }
}

async function shrink(tree, found) {
  let best = { tree, ...found };
  for (let tries = 0, again = true; again && tries < 300;) {
    again = false;
    for (const candidate of smaller(best.tree)) {
      if (++tries > 300) break;
      if (print(candidate).length >= best.expr.length) continue;
      const result = await differ({ tree: candidate, flags: found.flags });
      if (result === undefined) continue;
      best = { tree: candidate, ...result };
      again = true;
      break;
    }
  }
  return best;
}

function show({ expr, flags, mine, other }) {
  const lines = [`\n${flags.join(" ")} -E`, expr];
  if (mine.status !== other.status) lines.push(`exit code: engine ${mine.status}, nix ${other.status}`);
  for (const stream of ["out", "err"]) {
    if (mine[stream] !== other[stream]) lines.push(`engine: ${mine[stream]}`, `nix: ${other[stream]}`);
  }
  console.log(Buffer.from(lines.join("\n"), "latin1").toString("utf8"));
}

const engine = await loadEngine();
prepareWorld();
for (const name of Object.keys(process.env)) if (name.startsWith("NIX_")) delete process.env[name];
Object.assign(process.env, environment);
const end = Date.now() + minutes * 60_000;
const next = makeGrammar(seed);
const seen = new Set();
let count = 0;

async function work() {
  while (Date.now() < end) {
    const one = next();
    count++;
    const found = await differ(one);
    if (found === undefined) continue;
    const least = await shrink(one.tree, found);
    if (seen.has(least.expr)) continue;
    seen.add(least.expr);
    show(least);
  }
}

await Promise.all(Array.from({ length: atOnce }, work));
console.log(`\n${count} expressions, ${seen.size} differences (seed ${seed})`);
process.exitCode = seen.size === 0 ? 0 : 1;
