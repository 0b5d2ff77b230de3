/**
 * The language's benchmark: every program of bench/eval by C++ Nix (a process each time) and by Terrarium, in turns on one machine.
 *
 *   NIX_ORACLE=DIR/bin node scripts/bench-eval.mjs [--rounds N] [--runs N] [--cli FILE] [--write] [PROGRAM…]
 *
 * `warm` is a later run in one process (what was imported is kept), `fresh` one with every cache dropped, `cold` the whole command
 * line program. `--write` puts the table into docs/benchmarks.md. Without `--cli` the command-line program is built into a folder
 * of its own.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, loadavg, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const project = dirname(dirname(fileURLToPath(import.meta.url)));
const programs = join(project, "bench/eval");
const oracle = process.env.NIX_ORACLE ?? join(homedir(), ".cache/nix-oracle/bin");

const words = process.argv.slice(2);
function option(name, fallback) {
  const index = words.indexOf(`--${name}`);
  return index < 0 ? fallback : words.splice(index, 2)[1];
}
const rounds = Number(option("rounds", 5));
const runs = Number(option("runs", 9));
const given = option("cli", undefined);
const chosen = words.filter((word) => !word.startsWith("--"));

const scratch = mkdtempSync(join(tmpdir(), "bench-eval-"));
const cli = given ?? (await buildCli());
const packages = writePackages(join(scratch, "packages"), 400);
const workspace = writeWorkspace(join(scratch, "workspace"), 200);
const environment = { ...process.env, NIX_REMOTE: "dummy://", PACKAGES: packages, WORKSPACE: workspace };

async function buildCli() {
  await build({
    root: project,
    configFile: join(project, "vite.cli.config.ts"),
    logLevel: "error",
    build: { outDir: join(scratch, "cli") },
  });
  return join(scratch, "cli/terrarium.mjs");
}

/** A package set, one file a package, each depending on up to four before it; `everything` depends on all. */
function writePackages(folder, count) {
  for (let i = 0; i < count; i++) {
    const needs = [...new Set([i >> 1, Math.floor(i / 3), i - 1, i - 7])].filter((need) => need >= 0 && need < i);
    const names = needs.map((need) => `p${need}`);
    writePackage(
      folder,
      `p${i}`,
      names,
      `  pname = "p${i}";
  version = "1.${i}";
  buildInputs = [ ${names.join(" ")} ];
  configureFlags = [ "--with-${i}" (lib.optionalString (lib.versionAtLeast version "1.7") "--enable-new") ];
  buildPhase = ''
    echo building ${i} \${lib.concatMapStringsSep " " (p: p.name) [ ${names.join(" ")} ]}
    mkdir -p $out/bin
  '';
  meta = { description = "Package ${i}"; license = lib.licenses.mit; };`,
    );
  }
  const all = Array.from({ length: count }, (_, i) => `p${i}`);
  writePackage(
    folder,
    "everything",
    all,
    `  pname = "everything";\n  version = "1";\n  buildInputs = [ ${all.join(" ")} ];`,
  );
  return folder;
}

function writePackage(folder, name, names, body) {
  mkdirSync(join(folder, name), { recursive: true });
  const formals = ["lib", "stdenv", ...names].join(", ");
  writeFileSync(join(folder, name, "package.nix"), `{ ${formals} }:\nstdenv.mkDerivation rec {\n${body}\n}\n`);
}

/** A workspace of modules: each declares an option, and sets that of another from its own. */
function writeWorkspace(folder, count) {
  mkdirSync(folder, { recursive: true });
  for (let i = 0; i < count; i++) {
    const next = (i + 1) % count;
    const text = `{ config, lib, ... }:
{
  options.part${i} = {
    enable = lib.mkEnableOption "part ${i}";
    lines = lib.mkOption { type = lib.types.listOf lib.types.str; default = [ ]; };
    level = lib.mkOption { type = lib.types.int; default = ${i}; };
  };
  config = {
    part${next}.enable = lib.mkDefault true;
    part${next}.lines = lib.mkIf config.part${i}.enable [ "from ${i}: \${toString config.part${i}.level}" ];
  };
}
`;
    writeFileSync(join(folder, `part${i}.nix`), text);
  }
  return folder;
}

/** Runs a program to its end: what it printed, wall milliseconds, peak memory in megabytes. */
function timed(command, argv) {
  const start = performance.now();
  const { stdout, stderr, status } = spawnSync("/usr/bin/env", ["time", "-f", "peak %M", command, ...argv], {
    env: environment,
    cwd: programs,
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  const milliseconds = performance.now() - start;
  if (status !== 0) throw new Error(`${command} ${argv.join(" ")}: ${stderr}`);
  return { stdout, milliseconds, peak: Number(/^peak (\d+)$/m.exec(stderr)[1]) / 1024 };
}

const nixFlags = ["--eval", "--strict", "--option", "system", "i686-linux"];
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

/** Medians of one program: milliseconds by C++ Nix, warm, fresh and cold, and peaks of the two cold programs. */
function measure(file) {
  const taken = { nix: [], warm: [], fresh: [], cold: [], first: [], nixPeak: [], peak: [] };
  let expected;
  for (let round = 0; round < rounds; round++) {
    const nix = timed(join(oracle, "nix-instantiate"), [...nixFlags, file]);
    const cold = timed(process.execPath, [cli, "nix-instantiate", ...nixFlags, file]);
    expected ??= nix.stdout;
    if (cold.stdout !== expected) throw new Error(`${file}: ${cold.stdout} instead of ${expected}`);
    const bench = (...flags) =>
      JSON.parse(timed(process.execPath, [cli, "bench", "--eval", "--runs", `${runs}`, ...flags, file]).stdout);
    const edits = file.endsWith("workspace.nix") ? ["--edit", join(workspace, "part100.nix")] : [];
    const warm = bench(...edits);
    const fresh = bench("--fresh");
    taken.nix.push(nix.milliseconds);
    taken.nixPeak.push(nix.peak);
    taken.cold.push(cold.milliseconds);
    taken.peak.push(cold.peak);
    taken.first.push(warm.first);
    taken.warm.push(median(warm.runs.slice(1)));
    taken.fresh.push(median(fresh.runs.slice(1)));
  }
  return Object.fromEntries(Object.entries(taken).map(([name, values]) => [name, median(values)]));
}

const files = readdirSync(programs)
  .filter((name) => name.endsWith(".nix") && (chosen.length === 0 || chosen.includes(name.slice(0, -4))))
  .sort();
const load = loadavg()[0].toFixed(1);
const lines = [
  "| program | C++ Nix, ms | first, ms | warm, ms | warm × | fresh, ms | fresh × | cold, ms | cold × | memory × |",
  "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
];
for (const name of files) {
  const { nix, first, warm, fresh, cold, nixPeak, peak } = measure(join(programs, name));
  const whole = (value) => value.toFixed(0);
  const ratio = (value, base = nix) => (value / base).toFixed(2);
  const cells = [name.slice(0, -4), whole(nix), whole(first), whole(warm), ratio(warm), whole(fresh), ratio(fresh)];
  lines.push(`| ${[...cells, whole(cold), ratio(cold), ratio(peak, nixPeak)].join(" | ")} |`);
  console.log(lines.at(-1));
}
console.log(`load at the start ${load}`);
if (words.includes("--write")) writeTable();
rmSync(scratch, { recursive: true, force: true });

function writeTable() {
  const file = join(project, "docs/benchmarks.md");
  const text = readFileSync(file, "utf8");
  const mark = /(<!-- bench-eval -->\n)[^]*?(<!-- end -->)/;
  if (!existsSync(file) || !mark.test(text)) throw new Error("docs/benchmarks.md has no place for the table");
  writeFileSync(
    file,
    text.replace(mark, (_, begin, end) => `${begin}\n${lines.join("\n")}\n\nLoad at the start ${load}.\n\n${end}`),
  );
}
