/**
 * Records what C++ Nix's `nix eval` and `nix flake` print for every line of engine/testdata/commands/language/cases.json, one after the
 * other on one copy of world/ in /tmp/terrarium-commands. Where it is: NIX_ORACLE=DIR/bin.
 */
import { execFileSync, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

const oracle = process.env.NIX_ORACLE ?? path.join(os.homedir(), ".cache/nix-oracle/bin");
const folder = path.resolve("engine/testdata/commands/language");
const world = "/tmp/terrarium-commands";
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "terrarium-record-"));
const cases = JSON.parse(fs.readFileSync(path.join(folder, "cases.json"), "utf8"));

/** Every file and folder of the world gets this time, before each line. */
const TIME = 1_706_933_106;

function setTimes(place) {
  if (fs.lstatSync(place).isDirectory()) for (const name of fs.readdirSync(place)) setTimes(path.join(place, name));
  fs.lutimesSync(place, TIME, TIME);
}

fs.rmSync(world, { recursive: true, force: true });
fs.cpSync(path.join(folder, "world"), world, { recursive: true });
const root = path.join(scratch, "root");
const golden = cases.map(({ in: where, argv }) => {
  setTimes(world);
  const [program, ...args] = argv;
  const { status, stdout, stderr } = spawnSync(path.join(oracle, program), args, {
    cwd: path.join(world, where),
    env: {
      PATH: process.env.PATH,
      HOME: scratch,
      NIX_REMOTE: `local?root=${root}`,
      NIX_CONFIG: "system = i686-linux",
    },
  });
  const plain = (bytes) => bytes.toString("latin1").replaceAll(root, "");
  return { in: where, argv, status, stdout: plain(stdout), stderr: plain(stderr) };
});
fs.writeFileSync(path.join(folder, "golden.json"), `${JSON.stringify(golden, undefined, 1)}\n`);
fs.rmSync(world, { recursive: true });
execFileSync("chmod", ["-R", "u+w", scratch]);
fs.rmSync(scratch, { recursive: true });
