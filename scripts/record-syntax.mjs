/**
 * Records what C++ Nix says of each text in engine/testdata/syntax/inputs.json: the tree that `nix-instantiate --parse` prints, or its
 * error with the position. Byte strings throughout: one char a byte.
 *
 *   NIX_ORACLE=DIR/bin node scripts/record-syntax.mjs
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";

const oracle = process.env.NIX_ORACLE ?? join(homedir(), ".cache/nix-oracle/bin");
const folder = new URL("../engine/testdata/syntax/", import.meta.url);
const inputs = JSON.parse(readFileSync(new URL("inputs.json", folder), "utf8"));
const base = mkdtempSync(join(tmpdir(), "syntax-"));
const directory = join(base, "dir");
mkdirSync(directory);

const cases = inputs.map((entry) => {
  const [text, flags = []] = Array.isArray(entry) ? entry : [entry];
  const { stdout, stderr } = spawnSync(join(oracle, "nix-instantiate"), ["--parse", "-", ...flags], {
    cwd: directory,
    env: { HOME: "/home/user", NIX_REMOTE: "dummy://", PATH: process.env.PATH },
    input: Buffer.from(text, "latin1"),
  });
  const output = (stdout.toString("latin1") + stderr.toString("latin1")).trimEnd().replaceAll(base, "/base");
  return { text, flags, output };
});

writeFileSync(new URL("parse.json", folder), `[\n${cases.map((one) => JSON.stringify(one)).join(",\n")}\n]\n`);
console.log(`${cases.length} cases`);
