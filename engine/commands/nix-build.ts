/** `nix-build` and `nix build`: instantiate, realise, and link to what came of it. */
import type { Goal } from "../build/realise.ts";
import { type ByteString, decodeUtf8, encodeUtf8 } from "../store/format/bytes.ts";
import { type StorePath, isDerivationPath } from "../store/format/store-path.ts";
import { type BuildArguments, splitBuildArguments } from "./build-arguments.ts";
import { type Command, type CommandContext, CommandError } from "./command.ts";
import { evaluated } from "./language-verbs.ts";
import { goalOf, refuseImpossible } from "./nix-store-realise.ts";
import { type RealiseSettings, UsageError, absolutePath, guard, printLines, realiseGoals } from "./support.ts";

/** An output of a derivation, or a path. */
export interface Wanted {
  readonly goal: Goal;
  readonly outputs: readonly string[];
}

export const nixBuild: Command = {
  name: "nix-build",
  doc: "build what an expression gives",
  run: (argv, context) => guard("nix-build", context, () => runNixBuild(argv, context)),
};

const NIX_BUILD_FLAGS = {
  "--no-out-link": 0,
  "--out-link": 1,
  "--dry-run": 0,
  "--keep-going": 0,
  "--check": 0,
  "--no-build-output": 0,
  "--timeout": 1,
  "--max-silent-time": 1,
  "--cores": 1,
} as const;

const NIX_BUILD_SHORT = {
  "-o": "--out-link",
  "-k": "--keep-going",
  "-Q": "--no-build-output",
  "--no-link": "--no-out-link",
};

async function runNixBuild(argv: readonly ByteString[], context: CommandContext): Promise<number> {
  const given = splitBuildArguments(argv, NIX_BUILD_FLAGS, NIX_BUILD_SHORT, ["-E", "--expr"]);
  const drvs = given.args.filter((argument) => isDerivationPath(argument) && argument.startsWith("/"));
  const others = given.args.filter((argument) => !drvs.includes(argument));
  const lines = drvs.map((path) => path);
  if (drvs.length === 0 || others.length > 0) {
    const { exitCode, stdout } = await evaluated(context, ["nix-build", ...given.passed, ...others]);
    if (exitCode !== 0 || given.passed.includes("--version")) {
      context.print(stdout);
      return exitCode;
    }
    lines.push(...stdout.split("\n").filter((line) => line !== ""));
  }
  const goals = lines.map(derivationOutput);
  const quietLog = given.own.has("--no-build-output");
  const paths = await realiseOutputs(context, goals, given, { check: given.own.has("--check"), quietLog });
  if (paths === undefined) return 0;
  if (!given.own.has("--no-out-link")) await linkDerivations(context, goals, paths, given.own.get("--out-link"));
  printLines(context, paths.flat());
  return 0;
}

/** "DRV!dev" as `nix-instantiate` prints it; without a name it is "out". */
function derivationOutput(line: string): Wanted & { readonly goal: Exclude<Goal, string> } {
  const [drvPath, output = "out"] = line.split("!") as [StorePath, string?];
  return { goal: { drvPath, outputs: [output] }, outputs: [output] };
}

/** Realises; gives the wanted outputs' paths goal by goal, or undefined after a dry run. */
async function realiseOutputs(
  context: CommandContext,
  wanted: readonly Wanted[],
  { own }: BuildArguments,
  settings: RealiseSettings,
): Promise<StorePath[][] | undefined> {
  const result = await realiseGoals(
    context,
    wanted.map(({ goal, outputs }) => (typeof goal === "string" ? goal : { ...goal, outputs })),
    { ...settings, ...limits(own), dryRun: own.has("--dry-run"), keepGoing: own.has("--keep-going") },
  );
  return result?.outputs.map((outputs, index) =>
    (wanted[index] as Wanted).outputs.map((name) => outputs.get(name) as StorePath),
  );
}

/** @throws UsageError for what is no number */
function limits(own: ReadonlyMap<string, string>): Pick<RealiseSettings, "timeout" | "maxSilent" | "cores"> {
  const number = (flag: string, otherwise: number) => wholeNumber(own.get(flag) ?? String(otherwise));
  // The machine has one processor, which is all there are.
  return {
    timeout: number("--timeout", 0),
    maxSilent: number("--max-silent-time", 0),
    cores: number("--cores", 1) || 1,
  };
}

/** A number as settings have it: with a unit, if need be. */
function wholeNumber(text: string): number {
  const [, digits, unit = ""] = /^(.*?)([A-Za-z]?)$/s.exec(text) as unknown as [string, string, string?];
  const power = ["", "K", "M", "G", "T"].indexOf(unit.toUpperCase());
  if (power < 0) throw new UsageError(`invalid unit specifier '${unit.toUpperCase()}'`);
  if (!/^\d+$/.test(digits)) throw new UsageError(`'${text}' is not an integer`);
  return Number(digits) * 1024 ** power;
}

/** "result", "result-2", "result-2-dev": a number a derivation, a name an output. */
async function linkDerivations(
  context: CommandContext,
  wanted: readonly (Wanted & { readonly goal: Exclude<Goal, string> })[],
  paths: readonly StorePath[][],
  name = "result",
): Promise<void> {
  const numbers = new Map<StorePath, number>();
  for (const [index, { goal, outputs }] of wanted.entries()) {
    if (!numbers.has(goal.drvPath)) numbers.set(goal.drvPath, numbers.size + 1);
    const number = numbers.get(goal.drvPath) as number;
    const suffix = `${number === 1 ? "" : `-${number}`}${outputSuffix(outputs[0] as string)}`;
    await makeRoot(context, `${name}${suffix}`, paths[index]?.[0] as StorePath);
  }
}

const outputSuffix = (output: string): string => (output === "out" ? "" : `-${output}`);

/** A link that keeps its target from the garbage collector. */
export async function makeRoot(context: CommandContext, name: ByteString, target: StorePath): Promise<void> {
  const link = absolutePath(context, name);
  await context.files.makeLink(link, target);
  await context.store.addRoot(link, target);
}

const BUILD_FLAGS = {
  "--no-link": 0,
  "--out-link": 1,
  "--print-out-paths": 0,
  "--print-build-logs": 0,
  "--dry-run": 0,
  "--keep-going": 0,
  "--rebuild": 0,
  "--timeout": 1,
  "--max-silent-time": 1,
  "--cores": 1,
  "--json": 0,
  "--profile": 1,
} as const;

/** `nix build`: flake outputs, attributes of `--file` and `--expr`, and store paths. */
export async function runBuild(argv: readonly ByteString[], context: CommandContext): Promise<number> {
  const given = splitBuildArguments(argv, BUILD_FLAGS, { "-o": "--out-link", "-L": "--print-build-logs" });
  const wanted = await wantedOf(context, given);
  if (wanted === undefined) return 1;
  refuseImpossible(
    context,
    wanted.map(({ goal }) => goal),
  );
  const namedLog = given.own.has("--print-build-logs");
  const settings = { check: given.own.has("--rebuild"), quietLog: !namedLog, namedLog, oneByOne: true };
  const paths = await realiseOutputs(context, wanted, given, settings);
  if (paths === undefined && given.own.has("--json")) {
    const known = await Promise.all(wanted.map((item) => knownPaths(context, item)));
    context.print(`${JSON.stringify(wanted.map((item, index) => itemJson(item, known[index])))}\n`);
  }
  if (paths === undefined) return 0;
  if (given.own.has("--json"))
    context.print(`${JSON.stringify(wanted.map((item, index) => itemJson(item, paths[index])))}\n`);
  if (!given.own.has("--no-link") && !given.own.has("--profile")) {
    await linkOutputs(context, wanted, paths, given.own.get("--out-link") ?? "result");
  }
  if (given.own.has("--print-out-paths")) printLines(context, paths.flat());
  return 0;
}

/** What the arguments mean, in their order; undefined when evaluating them failed (which is told). */
export async function wantedOf(
  context: CommandContext,
  { passed, args }: Pick<BuildArguments, "passed" | "args">,
): Promise<Wanted[] | undefined> {
  const fromSource = passed.some((flag) => ["--expr", "--file", "-f"].includes(flag));
  const all: Wanted[] = [];
  for (const argument of args.length === 0 ? [""] : args) {
    const stored = fromSource || !argument.includes("/") ? undefined : await storedGoal(context, argument);
    if (stored !== undefined) {
      all.push(await named(context, stored));
      continue;
    }
    const words = args.length === 0 ? [] : [argument];
    const { exitCode, stdout } = await evaluated(context, ["nix", "build", ...passed, ...words]);
    if (exitCode !== 0) return undefined;
    const found = JSON.parse(decodeUtf8(stdout)) as (
      { readonly drvPath: string; readonly outputs: readonly string[] } | { readonly path: string }
    )[];
    for (const item of found) {
      if ("path" in item) all.push({ goal: encodeUtf8(item.path), outputs: ["out"] });
      else
        all.push(await named(context, { drvPath: item.drvPath, outputs: item.outputs.filter((name) => name !== "*") }));
    }
  }
  return all;
}

/** The goal of a path that lies in the store or leads there. */
async function storedGoal(context: CommandContext, argument: ByteString): Promise<Goal | undefined> {
  try {
    return await goalOf(context, argument, "^");
  } catch (error) {
    if (error instanceof CommandError && error.message.endsWith("is not in the Nix store")) return undefined;
    throw error;
  }
}

/** A goal with its outputs' names written out, in order. */
async function named({ store }: CommandContext, goal: Goal): Promise<Wanted> {
  if (typeof goal === "string") return { goal, outputs: ["out"] };
  if (goal.outputs.length > 0) return { goal, outputs: [...goal.outputs].sort() };
  if (!store.isValid(goal.drvPath)) return { goal, outputs: [] };
  const { outputs } = await store.derivation(goal.drvPath);
  return { goal, outputs: [...outputs.keys()].sort() };
}

/** Where outputs will be, as far as that is known before they are built. */
async function knownPaths({ store }: CommandContext, { goal, outputs }: Wanted): Promise<StorePath[]> {
  if (typeof goal === "string" || !store.isValid(goal.drvPath)) return [];
  const derivation = await store.derivation(goal.drvPath);
  return outputs.map((name) => derivation.outputs.get(name)?.path ?? "");
}

function itemJson({ goal, outputs }: Wanted, paths: readonly StorePath[] = []): unknown {
  if (typeof goal === "string") return goal;
  return { drvPath: goal.drvPath, outputs: Object.fromEntries(outputs.map((name, index) => [name, paths[index]])) };
}

/** "result", "result-1", "result-1-dev". */
async function linkOutputs(
  context: CommandContext,
  wanted: readonly Wanted[],
  paths: readonly StorePath[][],
  name: string,
): Promise<void> {
  for (const [index, { outputs }] of wanted.entries()) {
    const number = index === 0 ? "" : `-${index}`;
    for (const [place, output] of outputs.entries()) {
      await makeRoot(context, `${name}${number}${outputSuffix(output)}`, paths[index]?.[place] as StorePath);
    }
  }
}
