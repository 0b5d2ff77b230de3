/**
 * Records what C++ Nix prints for the commands of engine/testdata/commands/flakes/*.sh (see scenario.mjs), each beside its scenario. Where
 * C++ Nix is: NIX_ORACLE=DIR/bin.
 */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { ROOT, environment, playScenario } from "./scenario.mjs";

const oracle = process.env.NIX_ORACLE ?? path.join(os.homedir(), ".cache/nix-oracle/bin");
const folder = path.resolve("engine/testdata/commands/flakes");
const wanted = process.argv.slice(2);

for (const name of fs.readdirSync(folder).filter((file) => file.endsWith(".sh"))) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const golden = [];
  for await (const { cwd, argv } of playScenario(path.join(folder, name))) {
    const program = argv[0].startsWith("nix") ? path.join(oracle, argv[0]) : argv[0];
    const { status, stdout, stderr } = spawnSync(program, argv.slice(1), {
      cwd,
      env: { PATH: process.env.PATH, ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const plain = (bytes) => bytes.toString("latin1").replaceAll(ROOT, "");
    golden.push({ argv, status, stdout: plain(stdout), stderr: plain(stderr) });
  }
  fs.writeFileSync(path.join(folder, name.replace(/sh$/, "json")), `${JSON.stringify(golden, undefined, 1)}\n`);
}
