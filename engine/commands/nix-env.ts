/** `nix-env`: the verbs that work on profiles and generations, and queries. Installing by name belongs to configurations here. */
import type { ByteString } from "../store/format/bytes.ts";
import {
  type Profile,
  deleteGenerations,
  generationsToDelete,
  previousGeneration,
  profileName,
  setPath,
  switchGeneration,
} from "../store/profile.ts";
import { type Command, type CommandContext, CommandError } from "./command.ts";
import { NIX_VERSION, UsageError, absolutePath, guard, storePathOf } from "./support.ts";
import { queryPackages } from "./nix-env-query.ts";
import { expandShortFlags } from "./nix-store.ts";

type Verb = (context: CommandContext, profile: string, args: readonly ByteString[]) => Promise<number>;

const VERBS: Readonly<Record<string, Verb>> = {
  "--list-generations": listVerb,
  "--switch-generation": switchVerb,
  "-G": switchVerb,
  "--rollback": rollbackVerb,
  "--delete-generations": deleteVerb,
  "--set": setVerb,
};

/** Verbs of Nix that install packages by name from an expression. */
const REFUSED = new Set([
  "--install",
  "-i",
  "--upgrade",
  "-u",
  "--uninstall",
  "-e",
  "--set-flag",
  "--switch-profile",
  "-S",
]);

const VALUES: Readonly<Record<string, number>> = { "--option": 2, "--store": 1, "-I": 1, "--max-jobs": 1, "-j": 1 };

export const nixEnv: Command = {
  name: "nix-env",
  doc: "list, switch and delete the generations of a profile",
  run: (argv, context) => guard("nix-env", context, () => runNixEnv(argv, context)),
};

async function runNixEnv(argv: readonly ByteString[], context: CommandContext): Promise<number> {
  let profile = "default";
  let verb: Verb | undefined;
  let refused: string | undefined;
  const args: ByteString[] = [];
  const words = expandShortFlags(argv);
  const query = words.findIndex((word) => word === "--query" || word === "-q");
  if (query >= 0) return queryPackages(context, withoutProfile(words.toSpliced(query, 1)));
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === "--version") {
      context.print(`nix-env (Nix) ${NIX_VERSION}\n`);
      return 0;
    }
    const found: Verb | undefined = Object.hasOwn(VERBS, word) ? VERBS[word] : undefined;
    if (found !== undefined && verb !== undefined) throw new UsageError("only one operation may be specified");
    if (found !== undefined) verb = found;
    else if (word === "--profile" || word === "-p") profile = profileName(absolutePath(context, words.shift() ?? ""));
    else if (REFUSED.has(word)) refused = word;
    else if (Object.hasOwn(VALUES, word)) words.splice(0, VALUES[word]);
    else args.push(word);
  }
  if (verb === undefined && refused !== undefined) {
    throw new CommandError(`'nix-env ${refused}' is not offered here: declare packages in the configuration instead`);
  }
  if (verb === undefined) throw new UsageError("no operation specified");
  const unknown = args.find((word) => word.startsWith("-"));
  if (unknown !== undefined) throw new UsageError(`unknown flag '${unknown}'`);
  return verb(context, profile, args);
}

/** A query of what is offered asks no profile. */
function withoutProfile(words: readonly ByteString[]): ByteString[] {
  const at = words.findIndex((word) => word === "--profile" || word === "-p");
  return at < 0 ? [...words] : words.toSpliced(at, 2);
}

function noArguments(args: readonly ByteString[]): void {
  if (args.length > 0) throw new UsageError("no arguments expected");
}

async function listVerb(context: CommandContext, name: string, args: readonly ByteString[]): Promise<number> {
  noArguments(args);
  const { current, generations } = context.store.profile(name);
  for (const { number, created } of generations) {
    const mark = number === current ? "(current)" : "";
    context.print(`${String(number).padStart(4)}   ${context.localTime(created)}   ${mark}\n`);
  }
  return 0;
}

async function switchVerb(context: CommandContext, name: string, args: readonly ByteString[]): Promise<number> {
  const [number] = args;
  if (number === undefined || args.length !== 1) throw new UsageError("exactly one argument expected");
  if (!/^[0-9]+$/.test(number)) throw new UsageError("expected a generation number");
  return announceSwitch(context, name, (profile) => switchGeneration(profile, Number(number)));
}

async function rollbackVerb(context: CommandContext, name: string, args: readonly ByteString[]): Promise<number> {
  noArguments(args);
  return announceSwitch(context, name, (profile) => switchGeneration(profile, previousGeneration(profile).number));
}

async function announceSwitch(
  context: CommandContext,
  name: string,
  change: (profile: Profile) => Profile,
): Promise<number> {
  const before = context.store.profile(name);
  // Refused before it is announced.
  const { current } = change(before);
  context.error(`switching profile from version ${before.current ?? 0} to ${current ?? 0}\n`);
  await context.store.updateProfile(name, change);
  return 0;
}

async function setVerb(context: CommandContext, name: string, args: readonly ByteString[]): Promise<number> {
  const [argument] = args;
  if (argument === undefined || args.length !== 1) throw new UsageError("exactly one argument expected");
  const path = await storePathOf(context, argument);
  await context.store.updateProfile(name, (profile) => setPath(profile, path, context.now()));
  return 0;
}

async function deleteVerb(context: CommandContext, name: string, args: readonly ByteString[]): Promise<number> {
  await deleteProfileGenerations(context, name, args);
  return 0;
}

/** Deletes and tells each; shared with nix-collect-garbage. */
export async function deleteProfileGenerations(
  context: CommandContext,
  name: string,
  args: readonly string[],
  dryRun = false,
): Promise<void> {
  const numbers = generationsToDelete(context.store.profile(name), args, context.now());
  for (const number of numbers) {
    context.error(`${dryRun ? "would remove" : "removing"} profile version ${number}\n`);
  }
  if (!dryRun && numbers.length > 0) {
    await context.store.updateProfile(name, (profile) => deleteGenerations(profile, numbers));
  }
}
