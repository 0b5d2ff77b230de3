/** `nix profile …` as far as it concerns generations. */
import { profileName, profilePath, rollback, switchGeneration } from "../store/profile.ts";
import { type CommandContext, CommandError } from "./command.ts";
import { deleteProfileGenerations } from "./nix-env.ts";
import { printClosureDifference } from "./nix-store-verbs.ts";
import type { Options, Subcommand } from "./subcommand.ts";
import { absolutePath } from "./support.ts";

const PROFILE_FLAG = { "--profile": 1 } as const;

export const PROFILE_VERBS: readonly Subcommand[] = [
  {
    verb: "profile history",
    doc: "show the generations of a profile",
    flags: PROFILE_FLAG,
    args: [0, 0],
    run: showHistory,
  },
  {
    verb: "profile rollback",
    doc: "go back to an older generation",
    flags: { ...PROFILE_FLAG, "--to": 1, "--dry-run": 0 },
    args: [0, 0],
    run: goBack,
  },
  {
    verb: "profile diff-closures",
    doc: "compare each generation with the one before",
    flags: PROFILE_FLAG,
    args: [0, 0],
    run: compareGenerations,
  },
  {
    verb: "profile wipe-history",
    doc: "delete generations that are not current",
    flags: { ...PROFILE_FLAG, "--older-than": 1, "--dry-run": 0 },
    args: [0, 0],
    run: wipeHistory,
  },
];

function chosenProfile(context: CommandContext, options: Options): string {
  const path = options.value("--profile");
  return path === undefined ? "default" : profileName(absolutePath(context, path));
}

async function showHistory(context: CommandContext, _: readonly string[], options: Options): Promise<number> {
  const { current, generations } = context.store.profile(chosenProfile(context, options));
  let before: number | undefined;
  for (const { number, created } of generations) {
    const [date] = context.localTime(created).split(" ");
    const colour = number === current ? "\x1b[32;1m" : "\x1b[1m";
    const change = before === undefined ? "" : ` <- ${before}`;
    const margin = before === undefined ? "" : "\n";
    // What Nix lists below are the packages of its own manifest, which a profile of whole systems has not.
    context.print(`${margin}Version ${colour}${number}\x1b[0m (${date ?? ""})${change}:\n  No changes.\n`);
    before = number;
  }
  return 0;
}

async function goBack(context: CommandContext, _: readonly string[], options: Options): Promise<number> {
  const name = chosenProfile(context, options);
  const to = options.value("--to");
  if (to !== undefined && !/^[0-9]+$/.test(to)) throw new CommandError(`'${to}' is not a generation number`);
  const change = (profile: Parameters<typeof rollback>[0]) =>
    to === undefined ? rollback(profile) : switchGeneration(profile, Number(to));
  const before = context.store.profile(name);
  const after = change(before);
  context.error(`switching profile from version ${before.current ?? 0} to ${after.current ?? 0}\n`);
  if (!options.has("--dry-run")) await context.store.updateProfile(name, change);
  return 0;
}

async function compareGenerations(context: CommandContext, _: readonly string[], options: Options): Promise<number> {
  const { generations } = context.store.profile(chosenProfile(context, options));
  for (const [index, { number, path }] of generations.entries()) {
    const before = generations[index - 1];
    if (before === undefined) continue;
    context.print(`${index > 1 ? "\n" : ""}Version ${before.number} -> ${number}:\n`);
    printClosureDifference(context, before.path, path, "  ");
  }
  return 0;
}

async function wipeHistory(context: CommandContext, _: readonly string[], options: Options): Promise<number> {
  const name = chosenProfile(context, options);
  if (context.store.profile(name).current === undefined)
    throw new CommandError(`profile '${profilePath(name)}' has no generations`);
  await deleteProfileGenerations(context, name, [options.value("--older-than") ?? "old"], options.has("--dry-run"));
  return 0;
}
