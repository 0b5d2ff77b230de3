/**
 * The `nix` verbs that build what a flake offers and do something with it: `flake check` builds the checks, `run` runs a program, `shell` a
 * command with packages on its PATH, `fmt` the flake's formatter.
 */
import type { Goal } from "../build/realise.ts";
import { type ByteString, decodeUtf8, encodeUtf8 } from "../store/format/bytes.ts";
import type { StorePath } from "../store/format/store-path.ts";
import { splitBuildArguments } from "./build-arguments.ts";
import { type CommandContext, CommandError } from "./command.ts";
import type { CheckPlan } from "./flake-check.ts";
import { evaluated } from "./language-verbs.ts";
import { type Wanted, wantedOf } from "./nix-build.ts";
import type { RunPlan } from "./nix-program.ts";
import { realiseGoals } from "./support.ts";

/** A verb with its arguments after it. */
export interface RunVerb {
  readonly verb: string;
  readonly doc: string;
  run(argv: readonly ByteString[], context: CommandContext): Promise<number>;
}

export const RUN_VERBS: readonly RunVerb[] = [
  { verb: "flake check", doc: "check a flake's outputs, and build its checks", run: checkFlake },
  { verb: "run", doc: "run a program of a flake", run: runApp },
  { verb: "fmt", doc: "run a flake's formatter", run: runFormatter },
  { verb: "shell", doc: "run a command with packages on its PATH", run: runShell },
];

async function checkFlake(argv: readonly ByteString[], context: CommandContext): Promise<number> {
  const { exitCode, stdout } = await evaluated(context, ["nix", "flake", "check", ...argv]);
  if (exitCode !== 0) return exitCode;
  const { builds, omitted } = JSON.parse(decodeUtf8(stdout)) as CheckPlan;
  const goals = builds.map(({ drvPath }): Goal => ({ drvPath: encodeUtf8(drvPath), outputs: [] }));
  if (goals.length > 0) {
    context.error(`running ${await countMissing(context, goals)} flake checks...\n`);
    await realiseGoals(context, goals, { quietPlan: true, quietLog: true, keepGoing: argv.includes("--keep-going") });
  }
  context.error("all checks passed!\n");
  if (omitted.length > 0) {
    const systems = omitted.map(encodeUtf8).join(", ");
    context.error(
      `warning: The check omitted these incompatible systems: ${systems}\nUse '--all-systems' to check all.\n`,
    );
  }
  return 0;
}

/** How many of the derivations have outputs that are not there. */
async function countMissing({ store }: CommandContext, goals: readonly Goal[]): Promise<number> {
  let missing = 0;
  for (const goal of goals) {
    if (typeof goal === "string" || !store.isValid(goal.drvPath)) continue;
    const { outputs } = await store.derivation(goal.drvPath);
    if (![...outputs.values()].every(({ path }) => path !== undefined && path !== "" && store.isValid(path))) missing++;
  }
  return missing;
}

/** Everything before `--`, and what stands after it. */
function splitWords(argv: readonly ByteString[]): [before: readonly ByteString[], after: readonly ByteString[]] {
  const at = argv.indexOf("--");
  return at < 0 ? [argv, []] : [argv.slice(0, at), argv.slice(at + 1)];
}

async function runApp(argv: readonly ByteString[], context: CommandContext): Promise<number> {
  const [before, after] = splitWords(argv);
  const { passed, args } = splitBuildArguments(before, {}, {});
  return runPlanned("run", passed, args.slice(0, 1), [...args.slice(1), ...after], context);
}

async function runFormatter(argv: readonly ByteString[], context: CommandContext): Promise<number> {
  const [before, after] = splitWords(argv);
  const { passed, args } = splitBuildArguments(before, {}, {});
  return runPlanned("fmt", passed, [], [...args, ...after], context);
}

async function runPlanned(
  verb: "run" | "fmt",
  flags: readonly ByteString[],
  installable: readonly ByteString[],
  words: readonly ByteString[],
  context: CommandContext,
): Promise<number> {
  const { exitCode, stdout } = await evaluated(context, ["nix", verb, ...flags, ...installable]);
  if (exitCode !== 0) return exitCode;
  const { program, builds } = JSON.parse(decodeUtf8(stdout)) as RunPlan;
  const goals = builds.map((item): Goal =>
    "path" in item
      ? encodeUtf8(item.path)
      : { drvPath: encodeUtf8(item.drvPath), outputs: item.outputs.filter((name) => name !== "*") },
  );
  await realiseGoals(context, goals, { quietLog: true });
  return execute(context, encodeUtf8(program), words, {});
}

async function runShell(argv: readonly ByteString[], context: CommandContext): Promise<number> {
  const at = argv.findIndex((word) => word === "-c" || word === "--command");
  const command = at < 0 ? undefined : argv.slice(at + 1);
  const { passed, args } = splitBuildArguments(at < 0 ? argv : argv.slice(0, at), {}, {});
  const wanted = await wantedOf(context, { passed, args });
  if (wanted === undefined) return 1;
  const folders = await binaryFolders(context, wanted);
  const before = context.env("PATH");
  const PATH = [...folders, ...(before === undefined ? [] : [encodeUtf8(before)])].join(":");
  const [program, ...words] = command ?? [encodeUtf8(context.env("SHELL") ?? "sh")];
  if (program === undefined) throw new CommandError("flag '--command' requires at least one argument");
  return execute(context, program, words, { PATH });
}

async function binaryFolders(context: CommandContext, wanted: readonly Wanted[]): Promise<ByteString[]> {
  const result = await realiseGoals(
    context,
    wanted.map(({ goal }) => goal),
    { quietLog: true },
  );
  const paths = wanted.flatMap(({ goal, outputs }, index): StorePath[] =>
    typeof goal === "string" ? [goal] : outputs.map((name) => result!.outputs[index]!.get(name) as StorePath),
  );
  return paths.map((path) => `${path}/bin`);
}

/** Runs a program where that is possible; gives its exit code. */
async function execute(
  context: CommandContext,
  program: ByteString,
  args: readonly ByteString[],
  env: Readonly<Record<string, ByteString>>,
): Promise<number> {
  if (context.execute === undefined) {
    throw new CommandError(`'${program}' can only be run in the machine: type this command in its terminal`);
  }
  return context.execute(program, args, env);
}
