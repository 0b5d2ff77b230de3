// Records what C++ Nix answers to the cases of engine/testdata/lang: node scripts/record-lang.mjs [FILE…]
//
// NIX_ORACLE names the directory of the oracle's programs. A case is a line of NAME.txt: an expression, or flags and an
// expression with "::" between. Lines that start with "##" are comments; "\n" in a case is a line end. The answers go to
// NAME.json, in order, with the directory of the test files as $DIR.
import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

const root = path.resolve(import.meta.dirname, "../engine/testdata/lang");
const files = path.join(root, "files");
const oracle = process.env.NIX_ORACLE ?? path.join(os.homedir(), ".cache/nix-oracle/bin");

export const parseCases = (text) =>
  text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("##"))
    .map((line) => {
      const at = line.indexOf(" :: ");
      const flags = at < 0 ? [] : line.slice(0, at).split(" ");
      return { flags, expression: (at < 0 ? line : line.slice(at + 4)).replaceAll("\\n", "\n") };
    });

function ask({ flags, expression }) {
  return new Promise((resolve, reject) => {
    const utf8 = Buffer.from(expression, "latin1").toString("utf8");
    const args = ["--eval", "--option", "system", "i686-linux", ...flags, "-E", utf8];
    const env = {
      PATH: process.env.PATH,
      HOME: "/homeless",
      NIX_REMOTE: "dummy://",
      NIX_PATH: "",
      NIX_CONF_DIR: "/nonexistent",
    };
    const child = spawn(path.join(oracle, "nix-instantiate"), args, { cwd: files, env });
    let out = "";
    let err = "";
    child.stdout.on("data", (chunk) => (out += chunk.toString("latin1")));
    child.stderr.on("data", (chunk) => (err += chunk.toString("latin1")));
    child.on("error", reject);
    child.on("close", (status) => {
      const clean = (text) => text.replaceAll(files, "$DIR");
      resolve({ status, out: clean(out), err: clean(err) });
    });
  });
}

const wanted = process.argv.slice(2);
for (const name of fs.readdirSync(root).sort()) {
  if (!name.endsWith(".txt") || (wanted.length > 0 && !wanted.some((part) => name.includes(part)))) continue;
  const cases = parseCases(fs.readFileSync(path.join(root, name), "latin1"));
  const answers = [];
  for (const test of cases) answers.push(await ask(test));
  const json = answers.map((answer) => JSON.stringify(answer)).join(",\n");
  fs.writeFileSync(path.join(root, name.replace(/\.txt$/, ".json")), `[\n${json}\n]\n`, "latin1");
  console.log(`${name}: ${answers.length} cases`);
}
