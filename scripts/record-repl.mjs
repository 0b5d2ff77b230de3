/**
 * Records what C++ Nix's repl prints for every session of engine/testdata/commands/repl/sessions.json, in a copy of world/ beside it in
 * /tmp/terrarium-repl. Where C++ Nix is: NIX_ORACLE=DIR/bin.
 */
import { execFileSync, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

const oracle = process.env.NIX_ORACLE ?? path.join(os.homedir(), ".cache/nix-oracle/bin");
const folder = path.resolve("engine/testdata/commands/repl");
const place = "/tmp/terrarium-repl";
const sessions = JSON.parse(fs.readFileSync(path.join(folder, "sessions.json"), "utf8"));

fs.rmSync(place, { recursive: true, force: true });
fs.cpSync(path.join(folder, "world"), path.join(place, "world"), { recursive: true });
const golden = sessions.map(({ argv, lines }) => {
  const { status, stdout, stderr } = spawnSync(path.join(oracle, "nix"), ["repl", ...argv], {
    cwd: path.join(place, "world"),
    input: lines.map((line) => `${line}\n`).join(""),
    env: {
      PATH: process.env.PATH,
      HOME: place,
      NIX_REMOTE: `local?root=${place}/root`,
      NIX_CONFIG: "system = i686-linux\nflake-registry =",
    },
  });
  return { argv, lines, status, stdout: stdout.toString("latin1"), stderr: stderr.toString("latin1") };
});
fs.writeFileSync(path.join(folder, "golden.json"), `${JSON.stringify(golden, undefined, 1)}\n`);
execFileSync("chmod", ["-R", "u+w", place]);
fs.rmSync(place, { recursive: true });
