/**
 * Records what C++ Nix makes of the derivations that were made to try builders:
 *
 *   NIX_ORACLE=DIR/bin node scripts/record-builds.mjs [cases [NAME…]] [channel]
 *
 * writes engine/testdata/builds/cases.json and channel.json. A row of engine/testdata/builds/cases.nix is built natively, sandboxed, and then again with
 * `--check`; it holds the derivation's path, its outputs (path, NAR hash and size, references, content address) and the verdict of the
 * second build, or exit code and messages of the failure. channel.json has every derivation in the closures of the channel's packages and
 * of the examples' systems, with the same facts.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

const project = path.resolve(import.meta.dirname, "..");
const oracle = process.env.NIX_ORACLE ?? path.join(os.homedir(), ".cache/nix-oracle/bin");
const folder = path.join(project, "engine/testdata/builds");
const cases = path.join(folder, "cases.nix");
const channel = path.join(project, "samples/channel");
const root = fs.mkdtempSync(path.join(os.tmpdir(), "record-builds-"));

/** Flags of single cases. */
const flags = {
  timeout: ["--timeout", "1"],
  silence: ["--max-silent-time", "1"],
  silentFirst: ["--timeout", "20", "--max-silent-time", "1"],
  keepGoing: ["--keep-going"],
};

/** Runs one of Nix's programs on the recording's own store. */
function nix(features, program, ...argv) {
  const config = `extra-experimental-features = nix-command dynamic-derivations ${features}\nsystem = i686-linux`;
  const env = { PATH: process.env.PATH, HOME: os.homedir(), NIX_CONFIG: config, NIX_PATH: `nixpkgs=${channel}` };
  const result = spawnSync(path.join(oracle, program), argv, {
    env: { ...env, NIX_REMOTE: `local?root=${root}` },
    encoding: "latin1",
    maxBuffer: 1 << 28,
  });
  return { exit: result.status, stdout: result.stdout, stderr: result.stderr };
}

function must(features, program, ...argv) {
  const { exit, stdout, stderr } = nix(features, program, ...argv);
  if (exit !== 0) throw new Error(`${program} ${argv.join(" ")}: ${stderr}`);
  return stdout.trim();
}

/** Without where the recording's store lies, and without numbers of processes. */
const settled = (text) => text.replaceAll(root, "").replace(/tmp-\d+-\d+\/x/g, "tmp-0-0/x");

/** Facts about valid paths, by output name. */
function outputs(features, drvPath) {
  const built = JSON.parse(must(features, "nix", "build", "--no-link", "--json", `${drvPath}^*`))[0].outputs;
  const infos = JSON.parse(must(features, "nix", "path-info", "--json", ...Object.values(built)));
  return Object.fromEntries(
    Object.entries(built).map(([name, outPath]) => {
      const { narHash, narSize, references, ca } = infos[outPath];
      return [name, { path: outPath, narHash, narSize, references: references.sort(), ca: ca ?? null }];
    }),
  );
}

function recordCase(group, name) {
  const features = group === "floating" ? "ca-derivations" : "";
  const attribute = `${group}.${name}`;
  const drvPath = must(features, "nix-instantiate", cases, "-A", attribute).split("!")[0];
  const more = flags[name] ?? [];
  const build = nix(features, "nix-build", "--no-out-link", cases, "-A", attribute, ...more);
  const row = { group, name, drvPath, ...(more.length > 0 ? { flags: more } : {}) };
  if (build.exit !== 0) return { ...row, exit: build.exit, stderr: settled(build.stderr) };
  const check = nix(features, "nix-build", "--check", "--no-out-link", cases, "-A", attribute, ...more);
  return { ...row, outputs: outputs(features, drvPath), check: check.exit };
}

/** Every derivation that the channel's packages and the examples' systems need, once; what needs a download is left out. */
function recordChannel() {
  const packages = must("", "nix-instantiate", "--eval", "--json", "-E", "builtins.attrNames (import <nixpkgs> { })");
  const examples = fs.readdirSync(path.join(project, "samples/examples")).map((example) => {
    const file = path.join(project, "samples/examples", example);
    const { entry } = JSON.parse(fs.readFileSync(path.join(file, "example.json"), "utf8"));
    return ["<nixpkgs/nixos>", "--arg", "configuration", path.join(file, entry), "-A", "system"];
  });
  const attributes = JSON.parse(packages).map((name) => ["<nixpkgs>", "-A", name]);
  const wanted = new Set(
    [...examples, ...attributes].flatMap((argv) => {
      const { exit, stdout } = nix("", "nix-instantiate", ...argv);
      return exit === 0 ? stdout.split("\n").flatMap((line) => /^\S+\.drv/.exec(line) ?? []) : [];
    }),
  );
  const closures = [...wanted].map((drvPath) =>
    must("", "nix-store", "--query", "--requisites", drvPath)
      .split("\n")
      .filter((item) => item.endsWith(".drv")),
  );
  const downloads = (drvPath) => fs.readFileSync(root + drvPath, "latin1").includes('"builtin:fetchurl"');
  const rows = new Set(closures.filter((closure) => !closure.some(downloads)).flat());
  return [...rows].sort().map(recordDerivation);
}

function recordDerivation(drvPath) {
  const { exit } = nix("", "nix-store", "--realise", drvPath);
  const text = fs.readFileSync(root + drvPath);
  const sha256 = createHash("sha256").update(text).digest("hex");
  if (exit !== 0) return { drvPath, sha256, exit };
  const check = nix("", "nix-store", "--realise", "--check", drvPath);
  return { drvPath, sha256, outputs: outputs("", drvPath), check: check.exit };
}

function recordCases() {
  const list = `builtins.mapAttrs (_: builtins.attrNames) (import ${cases})`;
  const listed = must("", "nix-instantiate", "--eval", "--json", "--strict", "-E", list);
  const known = kept("cases");
  return Object.entries(JSON.parse(listed)).flatMap(([group, all]) =>
    all.map((name) => {
      const before = known.find((row) => row.group === group && row.name === name);
      return names.length > 0 && !names.includes(name) && before !== undefined ? before : recordCase(group, name);
    }),
  );
}

function kept(section) {
  const file = path.join(folder, `${section}.json`);
  return fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, "utf8")) : [];
}

const sections = { cases: recordCases, channel: recordChannel };
const wanted = process.argv.slice(2).filter((word) => Object.hasOwn(sections, word));
/** Rows to record anew, when not all. */
const names = process.argv.slice(2).filter((word) => !Object.hasOwn(sections, word));
for (const [section, record] of Object.entries(sections)) {
  if (wanted.length > 0 && !wanted.includes(section)) continue;
  const rows = record();
  fs.writeFileSync(path.join(folder, `${section}.json`), `${JSON.stringify(rows, null, 1)}\n`);
  const failing = rows.filter(({ exit }) => exit !== undefined).length;
  const differing = rows.filter(({ check }) => check !== undefined && check !== 0);
  const list = differing.map((row) => row.name ?? row.drvPath).join(" ");
  console.log(`${section}: ${rows.length} rows, ${failing} fail; not reproducible: ${list}`);
}
spawnSync("chmod", ["-R", "u+w", root]);
fs.rmSync(root, { recursive: true, force: true });
