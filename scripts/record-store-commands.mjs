/**
 * Records what C++ Nix's commands print on a small world (engine/testdata/store/world.nix): the world itself (infos and
 * NARs) and, for every line of commands.json, standard output, standard error and the exit code.
 */
import { execFileSync, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

export function recordCommands({ oracle, output }) {
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "terrarium-commands-"));
  const run = runner(oracle, scratch);
  const root = path.join(scratch, "root");
  const names = buildWorld(run, root, path.join(output, "world.nix"));
  const file = path.join(scratch, "file.txt");
  fs.writeFileSync(file, "Some text.\n");
  const variables = { ...names, file };
  const cases = JSON.parse(fs.readFileSync(path.join(output, "commands.json"), "utf8"));
  const golden = {
    world: describeWorld(run, root),
    variables: { ...names, file: "/tmp/file.txt" },
    read: [],
    sessions: [],
  };
  for (const line of cases.read) {
    // Each on its own copy: some of these add files.
    golden.read.push(record(run, copyOf(scratch, root), line, variables));
  }
  for (const session of cases.sessions) {
    const copy = copyOf(scratch, root);
    golden.sessions.push({
      name: session.name,
      commands: session.commands.map((line) => record(run, copy, line, variables)),
    });
  }
  fs.writeFileSync(path.join(output, "commands.golden.json"), `${JSON.stringify(golden, undefined, 1)}\n`);
  execFileSync("chmod", ["-R", "u+w", scratch]);
  fs.rmSync(scratch, { recursive: true });
}

function runner(oracle, scratch) {
  const busybox = execFileSync("sh", ["-c", `sed -n 's|.*/bin/sh=||p' ${path.join(oracle, "../etc/nix.conf")}`])
    .toString()
    .trim();
  const config = `sandbox-paths = /bin/sh=${busybox} /bin/busybox=${busybox}`;
  return (root, program, args, input) => {
    const env = {
      PATH: process.env.PATH,
      HOME: scratch,
      TMPDIR: scratch,
      TZ: "UTC",
      NIX_CONFIG: config,
      NIX_REMOTE: `local?root=${root}`,
    };
    return spawnSync(path.join(oracle, program), args, { env, input, cwd: scratch, maxBuffer: 1 << 30 });
  };
}

/** Builds everything and gives the names that the command lines use. */
function buildWorld(run, root, file) {
  const built = run(root, "nix-build", ["--no-out-link", file]);
  if (built.status !== 0) throw new Error(built.stderr.toString());
  for (const name of fs.readdirSync(path.join(root, "nix/store"))) {
    if (name.endsWith(".lock")) fs.rmSync(path.join(root, "nix/store", name));
  }
  fs.rmSync(path.join(root, "nix/var/nix/gcroots/auto"), { recursive: true, force: true });
  fs.mkdirSync(path.join(root, "nix/var/nix/gcroots/auto"));
  const names = {};
  for (const name of ["hello1", "hello2", "tank1", "tank2", "fixed", "alone", "system1", "system2", "readme"]) {
    const expression = `let x = (import ${file}).${name}; in if builtins.isString x then [ x "" ] else [ x.outPath x.drvPath ]`;
    const [out, drv] = JSON.parse(
      run(root, "nix-instantiate", ["--eval", "--json", "--strict", "-E", expression]).stdout,
    );
    names[name] = out;
    if (drv !== "") names[`${name}Drv`] = drv;
  }
  names.tank2Dev = run(root, "nix-store", ["-q", "--outputs", names.tank2Drv])
    .stdout.toString()
    .split("\n")
    .find((line) => line.endsWith("-dev"));
  names.hello1Hash = path.basename(names.hello1).slice(0, 32);
  return names;
}

function describeWorld(run, root) {
  const infos = JSON.parse(run(root, "nix", ["path-info", "--all", "--json", "--json-format", "1"]).stdout);
  return Object.entries(infos).map(([item, info]) => ({
    path: item,
    ...info,
    nar: run(root, "nix-store", ["--dump", path.join(root, item)]).stdout.toString("base64"),
  }));
}

let copies = 0;

function copyOf(scratch, root) {
  const copy = path.join(scratch, `copy${copies++}`);
  execFileSync("cp", ["-a", root, copy]);
  return copy;
}

function record(run, root, line, variables) {
  const profile = path.join(root, "nix/var/nix/profiles/system");
  const all = { ...variables, profile };
  const [program, ...args] = line
    .split(" ")
    .map((word) => word.replace(/\$([A-Za-z0-9]+)/g, (whole, name) => all[name] ?? whole));
  const { status, stdout, stderr } = run(root, program, args);
  const plain = (bytes) =>
    bytes.toString("latin1").replaceAll(root, "").replaceAll(path.dirname(variables.file), "/tmp");
  return { line, status, stdout: plain(stdout), stderr: plain(stderr) };
}
