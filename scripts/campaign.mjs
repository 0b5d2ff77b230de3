/**
 * `npm run campaign [eval|store|power|builds|hosts] [--minutes N] [--cuts N] [--seed N] [--no-build]`: the long runs behind the short samples of `npm test`.
 * Each writes its table to docs/campaigns/; all of them without a name. Ends with exit code 1 when anything was found.
 *
 *   eval    random expressions, by the engine and by C++ Nix (NIX_ORACLE=DIR/bin)
 *   store   every write of the store's operations cut in every way, and two tabs at once for some minutes
 *   builds  every derivation of the goldens and of the channel, built twice by the builder's machine and compared with C++ Nix's
 *   hosts   the plug pulled on a host that is changed in place and on one that is replaced as a whole
 *   power   the machine's plug pulled, or its tab reloaded, at named and random instants
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { ensureBrowser, ensureBuilt, ensurePackages, root } from "./ensure.mjs";

const option = (name, otherwise) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : process.argv[at + 1];
};

/** Runs a program with its output shown; its exit code. `keep` gives what it printed too, at its end. */
function runShown(program, args, { env = {}, keep = false } = {}) {
  const { status, stdout } = spawnSync(program, args, {
    cwd: root,
    stdio: ["ignore", keep ? "pipe" : "inherit", "inherit"],
    env: { ...process.env, ...env },
    encoding: "utf8",
    maxBuffer: 100_000_000,
  });
  if (keep) process.stdout.write(stdout);
  return { status, stdout };
}

/** Runs one end-to-end test as a campaign; gives its figures, also when it failed on the way. */
function runSpec(spec, env) {
  const file = path.join(root, ".cache/campaign", `${spec}.json`);
  mkdirSync(path.dirname(file), { recursive: true });
  rmSync(file, { force: true });
  const { status } = runShown(path.join(root, "node_modules/.bin/playwright"), ["test", `e2e/${spec}.spec.ts`], {
    env: { TERRARIUM_CHROMIUM: ensureBrowser(), TERRARIUM_CAMPAIGN: file, ...env },
  });
  return { status, figures: JSON.parse(readFileSync(file, "utf8")) };
}

function count(items, keyOf) {
  const counts = new Map();
  for (const item of items) counts.set(keyOf(item), (counts.get(keyOf(item)) ?? 0) + 1);
  return counts;
}

const table = (head, rows) =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");

const publish = (name, text) => {
  mkdirSync(path.join(root, "docs/campaigns"), { recursive: true });
  writeFileSync(path.join(root, "docs/campaigns", `${name}.md`), `${text.trim()}\n`);
  console.log(`\n${text.trim()}`);
};

/** A table of outcomes: one line a group, its runs and in which state they left things. */
function outcomes(rows, headings, keyOf) {
  const states = [...new Set(rows.map(({ state }) => state))].sort().reverse();
  const lines = [...new Set(rows.map(keyOf))].map((key) => {
    const group = rows.filter((row) => keyOf(row) === key);
    const byState = count(group, ({ state }) => state);
    const broken = group.filter(({ problems }) => problems.length > 0).length;
    return [...key.split("\t"), group.length, ...states.map((state) => byState.get(state) ?? 0), broken];
  });
  return table([...headings, "runs", ...states, "unsound"], lines);
}

const listed = (problems) =>
  problems.length === 0 ? "" : `\nWhat was found:\n\n${problems.map((one) => `- ${one}`).join("\n")}\n`;

function campaignStore() {
  const { status, figures } = runSpec("store", { TERRARIUM_MINUTES: option("minutes", "5") });
  const { rows, tabs } = figures;
  const where = ({ operation, point, points, cut }) => `${operation}, write ${point + 1} of ${points}, ${cut}`;
  const problems = rows.flatMap((row) => row.problems.map((problem) => `${where(row)}: ${problem}`));
  publish(
    "store",
    `# The store's faults in a real browser

\`npm run campaign store\`. Each run lays a prepared store into IndexedDB on a disk, does an operation in a worker, and lets one of its
writes go wrong. Then a new worker opens what is left: \`verify\` reads every file, the profile and the other roots are the old or the new
ones and lead to valid paths, nothing that both sides have is lost; where nothing had happened the operation is done again and must come
out right; a collection leaves no spare file. "between": an operation of several commits stood after one of them.

${rows.length} runs, ${problems.length} problems.
${listed(problems)}
## By write

${outcomes(rows, ["operation", "write"], ({ operation, point, points }) => `${operation}\t${point + 1} of ${points}`)}

## By cut

${outcomes(rows, ["cut"], ({ cut }) => cut)}

## Two tabs

Random additions, switches, rollbacks, collections, deletions, roots and temporary roots in two tabs at once on one store, checked after
each round: ${tabs.rounds} rounds, ${tabs.done} actions done, ${tabs.refused} refused because of what the other tab had done,
${tabs.commits} commits, ${tabs.problems.length} problems.
${listed(tabs.problems)}`,
  );
  return status;
}

function campaignPower() {
  if (!process.argv.includes("--no-build")) ensureBuilt();
  const { status, figures } = runSpec("power-campaign", {
    TERRARIUM_CUTS: option("cuts", "200"),
    TERRARIUM_SEED: option("seed", "1"),
  });
  const { rows } = figures;
  const problems = rows.flatMap(({ cut, problems }) => problems.map((problem) => `${cut}: ${problem}`));
  publish(
    "power",
    `# Power cuts of the machine in a real browser

\`npm run campaign power\`. The machine runs in the page; a switch to another colour, a boot, a build or a process that writes is under
way when its plug is pulled or its tab reloaded. After each: the machine runs again and its web page answers, on the old or the new
generation and on exactly that generation's system; every older generation is still listed; what had been synced to the machine's disk
before is there, whole and in order; \`nix-store --verify --check-contents\` is content; a build that was cut can be done.

${rows.length} cuts, ${problems.length} problems.
${listed(problems)}
${outcomes(rows, ["cut"], ({ cut }) => cut)}`,
  );
  return status;
}

/** Runs a unit test as a campaign; gives its rows. */
function runTest(test, env = {}) {
  const file = path.join(root, ".cache/campaign", `${test}.json`);
  mkdirSync(path.dirname(file), { recursive: true });
  rmSync(file, { force: true });
  const vitest = path.join(root, "node_modules/.bin/vitest");
  const { status } = runShown(vitest, ["run", `workers/node/${test}.test.ts`, "--testTimeout", "7200000"], {
    env: { TERRARIUM_CAMPAIGN: file, ...env },
  });
  return { status, ...JSON.parse(readFileSync(file, "utf8")) };
}

function campaignHosts() {
  const { status, rows } = runTest("hosts", { TERRARIUM_CUTS: option("cuts", "40") });
  const names = { mutable: "changed in place (dpkg's order)", image: "replaced as a whole (two slots)" };
  const kinds = [...new Set(rows.map(({ kind }) => kind))];
  const tallies = kinds.map((kind) => {
    const group = rows.filter((row) => row.kind === kind);
    const broken = group.filter(({ broken }) => broken.length > 0).length;
    const took = ["configure -a", "reinstalling", "again"].map(
      (way) => group.filter(({ recovery }) => recovery === way).length,
    );
    return [names[kind], group.length, broken, ...took];
  });
  const invariants = count(
    rows.flatMap(({ kind, broken }) => broken.map((word) => `${names[kind]}\t${word}`)),
    (line) => line,
  );
  const steps = count(rows, ({ kind, at, broken }) => {
    return [names[kind], at, broken.join(", ") || "all hold"].join("\t");
  });
  const lines = (counts) => [...counts].map(([line, number]) => [...line.split("\t"), number]);
  publish(
    "hosts",
    `# The same plug, pulled on other hosts

\`npm run campaign hosts\`. On the machine's own Linux, kernel and disk: an upgrade of two packages that belong together, the plug pulled at
instants spread evenly over its time, then the next boot and a check of invariants: each package's files are of one version, its script has
run, its list is that of its version, the program has its library, nothing half-written lies about. \`workers/machine/hosts/\` says what each
host does. What the machine of this project does under the same plug is in [power.md](power.md).

${table(["host", "cuts", "an invariant broken", "mended by configure -a", "by reinstalling", "by upgrading again"], tallies)}

Fairly: the host that is changed in place always knew what was wrong and could always be mended, by hand, and it wrote the least. The one that
is replaced as a whole was never broken; it writes everything anew, needs a reboot, and has one way back.

## Which invariants broke

${table(["host", "invariant", "cuts"], lines(invariants))}

## By step

${table(["host", "what the upgrade said last", "after the boot", "cuts"], lines(steps))}`,
  );
  return status;
}

function campaignBuilds() {
  const { status, rows, excluded } = runTest("builds");
  if (!process.argv.includes("--no-build")) ensureBuilt();
  const page = runSpec("builds", {});
  const problems = rows.flatMap(({ name, problems }) => problems.map((problem) => `${name}: ${problem}`));
  const sorts = outcomes(
    rows.map((row) => ({ ...row, state: row.verdict })),
    ["derivations"],
    ({ made }) => made,
  );
  publish(
    "builds",
    `# Builds, bit for bit

\`npm run campaign builds\`. Each derivation is instantiated by the engine and built in the builder's machine, then built again there with
another clock and the inputs' directories in the opposite order (\`--check\`). Its path, its outputs' paths, NAR hashes, sizes and
references, the verdict of the second build, or exit code and messages of the refusal have to be those of C++ Nix, which built it natively,
sandboxed and twice (\`scripts/record-builds.mjs\`).

${rows.length} derivations, ${problems.length} problems. In the page itself (Chromium) ${page.figures.rows} of those made for a feature, ${page.status === 0 ? "all with the same hashes and messages" : "not all equal"};
there a small build takes ${page.figures.times.join(", ")} ms from press to registered, the machine being warm.
${listed(problems)}
${sorts}

Left out, because they cannot be equal: ${Object.entries(excluded)
      .map(([name, why]) => `${name} (${why})`)
      .join("; ")}.

${table(
  ["derivation", "verdict", "equal"],
  rows.map(({ name, drvPath, verdict, problems }) => [
    `${name} \`${drvPath.slice(11, 19)}\``,
    verdict,
    problems.length === 0 ? "yes" : "no",
  ]),
)}`,
  );
  return status + page.status;
}

function campaignEval() {
  const minutes = option("minutes", "5");
  const seed = option("seed", "1");
  const { status, stdout } = runShown("node", ["scripts/campaign-eval.mjs", "--minutes", minutes, "--seed", seed], {
    keep: true,
  });
  const [, expressions, differences] = /(\d+) expressions, (\d+) differences/.exec(stdout);
  const found = stdout.slice(0, stdout.lastIndexOf(`\n${expressions} expressions`)).trim();
  publish(
    "eval",
    `# Random expressions, by the engine and by C++ Nix

\`npm run campaign eval\`. Well and ill typed expressions from a seeded generator (seed ${seed}); standard output, standard error
(messages, traces, warnings) and exit codes must agree to the byte.
Differences are shrunk to their smallest form.

${expressions} expressions, ${differences} differences.
${found === "" ? "" : `\n\`\`\`\n${found}\n\`\`\`\n`}`,
  );
  return status;
}

const campaigns = {
  eval: campaignEval,
  store: campaignStore,
  power: campaignPower,
  builds: campaignBuilds,
  hosts: campaignHosts,
};
const wanted = process.argv.slice(2).filter((name) => name in campaigns);

ensurePackages();
const failed = (wanted.length > 0 ? wanted : Object.keys(campaigns)).filter((name) => campaigns[name]() !== 0);
if (failed.length > 0) console.log(`\nNot clean: ${failed.join(", ")}`);
process.exitCode = failed.length === 0 ? 0 : 1;
