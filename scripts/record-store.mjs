/**
 * Records the store's goldens with C++ Nix: `NIX_ORACLE=DIR/bin node scripts/record-store.mjs [recipes|builds|commands]…`
 * writes engine/testdata/store/*.json. Tests replay them without Nix.
 */
import { execFileSync, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { recordCommands } from "./record-store-commands.mjs";

const repository = path.resolve(import.meta.dirname, "..");
const oracle = process.env.NIX_ORACLE ?? path.join(os.homedir(), ".cache/nix-oracle/bin");
const output = path.join(repository, "engine/testdata/store");

/** Sources larger than this are not put into a golden; the test finds them in the repository. */
const largestSource = 100_000;

const sections = { recipes: recordRecipes, builds: recordBuilds, commands: () => recordCommands({ oracle, output }) };
const wanted = process.argv.slice(2);
for (const [name, record] of Object.entries(sections)) if (wanted.length === 0 || wanted.includes(name)) record();

function nix(root, program, args, options = {}) {
  const env = { PATH: process.env.PATH, HOME: os.homedir(), NIX_REMOTE: `local?root=${root}` };
  return spawnSync(path.join(oracle, program), args, { env, encoding: "buffer", maxBuffer: 1 << 30, ...options });
}

/** Every derivation of recipes.nix: its closure of .drv texts and sources, and what the native build gives. */
function recordRecipes() {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "terrarium-recipes-"));
  const file = path.join(output, "recipes.nix");
  const args = [
    "--arg",
    "scripts",
    path.join(repository, "samples/channel/recipes"),
    "--arg",
    "busyboxSeed",
    path.join(repository, "samples/channel/seeds/busybox"),
  ];
  const drv = text(nix(root, "nix-instantiate", [file, ...args]), "nix-instantiate");
  const names = text(
    nix(root, "nix-instantiate", [
      "--eval",
      "--json",
      "-E",
      `builtins.attrNames (import ${file} { scripts = ./.; busyboxSeed = ./.; })`,
    ]),
    "names",
  );
  const drvPaths = drv
    .trim()
    .split("\n")
    .map((line) => line.replace(/!.*/, ""));
  const requisites = text(nix(root, "nix-store", ["-qR", ...drvPaths]), "nix-store")
    .trim()
    .split("\n");
  const derivations = {};
  const sources = {};
  for (const item of requisites) {
    const real = path.join(root, item);
    if (item.endsWith(".drv")) derivations[item] = fs.readFileSync(real, "latin1");
    else sources[item] = source(root, item);
  }
  const cases = JSON.parse(names).map((name, index) => ({
    name,
    drvPath: drvPaths[index],
    ...build(root, drvPaths[index]),
  }));
  write("recipes.json", { cases, derivations, sources });
  execFileSync("chmod", ["-R", "u+w", root]);
  fs.rmSync(root, { recursive: true });
}

/** What builders see (their logs) and the outputs of content-addressed derivations (builds.nix). */
function recordBuilds() {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "terrarium-builds-"));
  const file = path.join(output, "builds.nix");
  const conf = fs.readFileSync(path.join(oracle, "../etc/nix.conf"), "utf8");
  const busybox = /\/bin\/sh=(\S+)/.exec(conf)[1];
  const config = `sandbox-paths = /bin/sh=${busybox} /bin/busybox=${busybox}\nextra-experimental-features = ca-derivations dynamic-derivations`;
  const env = { PATH: process.env.PATH, HOME: os.homedir(), NIX_REMOTE: `local?root=${root}`, NIX_CONFIG: config };
  const run = (program, ...args) =>
    spawnSync(path.join(oracle, program), args, { env, encoding: "buffer", maxBuffer: 1 << 30 });
  const names = JSON.parse(
    text(run("nix-instantiate", "--eval", "--json", "-E", `builtins.attrNames (import ${file})`), "names"),
  );
  const derivations = {};
  const cases = names.map((name) => {
    const drvPath = text(run("nix-instantiate", file, "-A", name), name).trim();
    for (const item of text(run("nix-store", "-qR", drvPath), name)
      .trim()
      .split("\n")) {
      if (item.endsWith(".drv")) derivations[item] = fs.readFileSync(path.join(root, item), "latin1");
    }
    const { status, stdout, stderr } = run("nix-store", "-r", drvPath);
    const lines = stderr.toString("latin1").split("\n");
    const log = lines.filter((line) => !/^(building|error|warning|these |this |  |       )/.test(line)).join("\n");
    if (status !== 0) return { name, drvPath, log };
    const outputs = stdout
      .toString()
      .trim()
      .split("\n")
      .map((outPath) => {
        const info = Object.values(JSON.parse(text(run("nix", "path-info", "--json", outPath), "path-info")))[0];
        return { path: outPath, narHash: info.narHash, references: info.references, ca: info.ca };
      });
    return { name, drvPath, outputs };
  });
  write("builds.json", { cases, derivations });
  execFileSync("chmod", ["-R", "u+w", root]);
  fs.rmSync(root, { recursive: true });
}

function source(root, item) {
  const nar = nix(root, "nix-store", ["--dump", path.join(root, item)]).stdout;
  return nar.length > largestSource ? { large: true } : { nar: nar.toString("base64") };
}

function build(root, drvPath) {
  const { status, stdout, stderr } = nix(root, "nix-store", ["-r", drvPath, "--keep-failed"]);
  if (status !== 0) {
    const line = stderr
      .toString("latin1")
      .split("\n")
      .find((candidate) => candidate.startsWith("error: ") && !candidate.startsWith("error: Cannot"));
    return { status, log: line };
  }
  const outPath = stdout.toString().trim();
  const info = JSON.parse(text(nix(root, "nix", ["path-info", "--json", outPath]), "path-info"));
  const { narHash, narSize, references } = Object.values(info)[0];
  return { status, outPath, narHash, narSize, references };
}

function text(result, what) {
  if (result.status !== 0) throw new Error(`${what}: ${result.stderr.toString()}`);
  return result.stdout.toString();
}

function write(name, data) {
  fs.writeFileSync(path.join(output, name), `${JSON.stringify(data, undefined, 1)}\n`);
}
