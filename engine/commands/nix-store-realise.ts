/** Arguments of `nix-store --realise`: store paths, derivations and "DRV!output", made valid and given back as paths. */
import { type Goal } from "../build/realise.ts";
import type { ByteString } from "../store/format/bytes.ts";
import { type StorePath, isDerivationPath } from "../store/format/store-path.ts";
import { sortPaths } from "../store/graph.ts";
import { type CommandContext, CommandError } from "./command.ts";
import { type RealiseSettings, realiseGoals, storePathOf } from "./support.ts";

export interface Realised {
  readonly paths: StorePath[];
}

/**
 * The goal that an argument means; outputs are named after "!" by `nix-store`, after "^" (where "*" is all) by `nix`.
 * @throws CommandError when the derivation lacks the output
 */
export async function goalOf(context: CommandContext, argument: ByteString, separator: "!" | "^"): Promise<Goal> {
  const mark = argument.lastIndexOf(separator);
  const path = await storePathOf(context, mark < 0 ? argument : argument.slice(0, mark));
  if (!isDerivationPath(path)) return path;
  const outputs =
    mark < 0
      ? []
      : argument
          .slice(mark + 1)
          .split(",")
          .filter((name) => separator === "!" || name !== "*");
  if (!context.store.isValid(path)) return { drvPath: path, outputs };
  const derivation = await context.store.derivation(path);
  for (const output of outputs) {
    if (derivation.outputs.has(output)) continue;
    throw new CommandError(`derivation '${path}' does not have output '${output}'`);
  }
  return { drvPath: path, outputs };
}

/** Makes goals valid; their paths one goal after the other, each goal's in byte order. */
export async function realiseAll(
  context: CommandContext,
  goals: readonly Goal[],
  settings: RealiseSettings,
): Promise<StorePath[] | undefined> {
  const missing = goals.find((goal) => !isPossible(context, goal));
  const result = await realiseGoals(context, goals, {
    ...settings,
    dryRun: settings.dryRun === true || missing !== undefined,
  });
  if (missing !== undefined && settings.dryRun !== true) throw impossible(missing);
  return result?.outputs.flatMap((outputs) => sortPaths(outputs.values()));
}

/** Makes one derivation's outputs valid, without a word on standard error about roots. */
export async function realiseDerivation(context: CommandContext, goal: Goal): Promise<Realised> {
  return { paths: (await realiseAll(context, [goal], {})) ?? [] };
}

/** What is neither valid nor offered by anybody is told before anything starts. */
export function isPossible({ store, substituters }: CommandContext, goal: Goal): boolean {
  return store.isValid(typeof goal === "string" ? goal : goal.drvPath) || substituters.length > 0;
}

function impossible(goal: Goal): CommandError {
  if (typeof goal !== "string") return new CommandError(`failed to obtain derivation of '${goal.drvPath}'`);
  return new CommandError(`path '${goal}' is required, but there is no substituter that can build it`);
}

/** @throws CommandError when one of the goals is neither there nor to be had */
export function refuseImpossible(context: CommandContext, goals: readonly Goal[]): void {
  const missing = goals.find((goal) => !isPossible(context, goal));
  if (missing !== undefined) throw impossible(missing);
}

/** Makes every output of a derivation valid; their paths by name, in order. */
export async function realiseDerivationOutputs(
  context: CommandContext,
  drvPath: StorePath,
): Promise<[name: string, path: StorePath][]> {
  const result = await realiseGoals(context, [{ drvPath, outputs: [] }], { quietLog: true, quietPlan: true });
  return [...(result?.outputs[0] ?? [])].sort(([left], [right]) => (left < right ? -1 : 1));
}
