/**
 * Scenarios of commands: a file of bash in which `T PROGRAM ARGUMENTS…` names a command whose output matters; everything else prepares
 * the world. Recording and testing play the same file: the lines go to one bash, and whoever plays runs the commands.
 */
import { spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";

/** Where scenarios are played; every file's time (folders of Git's are left alone). */
const WORLD = "/tmp/terrarium-flakes/world";
export const ROOT = "/tmp/terrarium-flakes/root";
const HOME = "/tmp/terrarium-flakes/home";
const CALL = "/tmp/terrarium-flakes/call";
const TIME = 1_700_000_000;

/** Variables of every command: Git's dates are fixed, so that commits are. */
export const environment = {
  HOME,
  NIX_REMOTE: `local?root=${ROOT}`,
  NIX_CONFIG: "extra-experimental-features = nix-command flakes fetch-tree\nsystem = i686-linux\nflake-registry =\n",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_AUTHOR_NAME: "a",
  GIT_AUTHOR_EMAIL: "a@b",
  GIT_AUTHOR_DATE: `${TIME} +0000`,
  GIT_COMMITTER_NAME: "a",
  GIT_COMMITTER_EMAIL: "a@b",
  GIT_COMMITTER_DATE: `${TIME} +0000`,
};

const PRELUDE = `
W=${WORLD}
cd $W
T() { printf '%s\\0' "$PWD" "$@" > ${CALL}; }
commit() { git add -A; git commit -qm "\${1:-c}"; }
git config --global init.defaultBranch master
`;

function setTimes(place) {
  const status = fs.lstatSync(place);
  if (status.isDirectory()) {
    for (const name of fs.readdirSync(place)) if (name !== ".git") setTimes(path.join(place, name));
  }
  fs.lutimesSync(place, TIME, TIME);
}

/** The pieces of a scenario that bash can run one after the other: lines, and lines with what they read up to a mark. */
function piecesOf(text) {
  const pieces = [];
  const lines = text.split("\n");
  for (let at = 0; at < lines.length; at++) {
    let piece = lines[at];
    const mark = /<<'?([A-Z]+)'?/.exec(piece)?.[1];
    if (mark !== undefined) {
      const end = lines.indexOf(mark, at);
      piece = lines.slice(at, end + 1).join("\n");
      at = end;
    }
    if (piece.trim() !== "" && !piece.startsWith("#")) pieces.push(piece);
  }
  return pieces;
}

const LOCK = "/tmp/terrarium-flakes.lock";

/** The world's place is part of what is printed, so two players take turns: waits until no other living process plays. */
async function takeTurn() {
  for (;;) {
    try {
      fs.writeFileSync(LOCK, String(process.pid), { flag: "wx" });
      return;
    } catch {
      const owner = fs.existsSync(LOCK) ? fs.readFileSync(LOCK, "utf8") : "";
      if (owner === String(process.pid)) return;
      if (owner !== "" && !fs.existsSync(`/proc/${owner}`)) fs.rmSync(LOCK, { force: true });
      else await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** Removes what was played; a store's folders are read-only. */
function clearWorld() {
  const place = path.dirname(WORLD);
  if (fs.existsSync(place)) spawnSync("chmod", ["-R", "u+w", place]);
  fs.rmSync(place, { recursive: true, force: true });
}

/** Plays a scenario in an empty world: gives its commands one by one, each to be run before the next is asked for. */
export async function* playScenario(file) {
  await takeTurn();
  clearWorld();
  for (const folder of [WORLD, ROOT, HOME]) fs.mkdirSync(folder, { recursive: true });
  const bash = spawn("bash", [], {
    env: { PATH: process.env.PATH, ...environment },
    stdio: ["pipe", "pipe", "inherit"],
  });
  let waiting = () => undefined;
  bash.stdout.on("data", (bytes) => bytes.toString().includes("DONE\n") && waiting());
  const run = (text) =>
    new Promise((resolve) => {
      waiting = resolve;
      bash.stdin.write(`${text}\necho DONE\n`);
    });
  try {
    await run(PRELUDE);
    for (const piece of piecesOf(fs.readFileSync(file, "utf8"))) {
      await run(piece);
      if (!fs.existsSync(CALL)) continue;
      const [cwd, ...argv] = fs.readFileSync(CALL, "utf8").split("\0").slice(0, -1);
      fs.rmSync(CALL);
      setTimes(WORLD);
      yield { cwd, argv };
    }
  } finally {
    bash.stdin.end();
    clearWorld();
    fs.rmSync(LOCK, { force: true });
  }
}
