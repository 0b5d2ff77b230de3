/**
 * Arguments of the `nix` verbs that work on store paths: paths in the store, links to them, outputs of derivations ("DRV^out,dev", "DRV^*"),
 * and whatever the language gives them (attributes of `--expr` and `--file`, flakes). `--derivation` asks for the derivations instead.
 */
import { type ByteString, fromBytes } from "../store/format/bytes.ts";
import { FormatError } from "../store/format/error.ts";
import { type StorePath, isDerivationPath } from "../store/format/store-path.ts";
import { type CommandContext, CommandError } from "./command.ts";
import { type Wanted, wantedOf } from "./nix-build.ts";
import type { Options } from "./subcommand.ts";
import { ToldError, UsageError, printLines, storePathOf } from "./support.ts";

/** Flags of every verb that takes installables, with how many values each has. */
export const INSTALLABLE_FLAGS = {
  "--derivation": 0,
  "--stdin": 0,
  "--expr": 1,
  "--file": 1,
  "--impure": 0,
} as const;

export const INSTALLABLE_SHORT = { "-f": "--file" } as const;

/** What stands for "--all": every valid path, and no argument beside it. */
export async function chosenPaths(
  context: CommandContext,
  args: readonly ByteString[],
  options: Options,
): Promise<StorePath[]> {
  if (!options.has("--all")) return installablePaths(context, args, options);
  if (args.length > 0) throw new UsageError("'--all' does not expect arguments");
  return context.store.paths();
}

/** The store paths that the arguments mean, valid or not. What is not is told, as it cannot be built. */
export async function installablePaths(
  context: CommandContext,
  args: readonly ByteString[],
  options: Options,
): Promise<StorePath[]> {
  const words = [...args];
  if (options.has("--stdin"))
    words.push(
      ...fromBytes(await context.input())
        .split(/\s+/)
        .filter(Boolean),
    );
  const paths: StorePath[] = [];
  if (words.length > 0 || !options.has("--stdin")) {
    for (const word of words.length === 0 ? [undefined] : words) paths.push(...(await pathsOf(context, word, options)));
  }
  if (!options.has("--derivation")) tellMissing(context, paths);
  return paths;
}

/** As `installablePaths`; what is not valid ends the command. */
export async function validInstallables(
  context: CommandContext,
  args: readonly ByteString[],
  options: Options,
): Promise<StorePath[]> {
  const paths = await installablePaths(context, args, options);
  const missing = paths.find((path) => !context.store.isValid(path));
  if (missing === undefined) return paths;
  throw new CommandError(`path '${missing}' is required, but there is no substituter that can build it`);
}

function tellMissing({ store, error }: CommandContext, paths: readonly StorePath[]): void {
  const missing = paths.filter((path) => !store.isValid(path));
  if (missing.length === 0) return;
  error("don't know how to build these paths:\n");
  printLines(
    { print: error },
    missing.map((path) => `  ${path}`),
  );
}

async function pathsOf(
  context: CommandContext,
  word: ByteString | undefined,
  options: Options,
): Promise<readonly StorePath[]> {
  const source = (["--expr", "--file"] as const).filter((flag) => options.has(flag));
  const stored = word === undefined || source.length > 0 ? undefined : await storedPath(context, word);
  if (stored !== undefined) {
    const [path, outputs] = stored;
    if (options.has("--derivation")) return [await derivationOf(context, path)];
    return outputs === undefined ? [path] : outputPaths(context, path, outputs);
  }
  const passed = source.flatMap((flag) => [flag, options.value(flag) as string]);
  if (options.has("--impure")) passed.push("--impure");
  const wanted = await wantedOf(context, { passed, args: word === undefined ? [] : [word] });
  if (wanted === undefined) throw new ToldError(1);
  const found: StorePath[] = [];
  for (const item of wanted) found.push(...(await wantedPaths(context, item, options)));
  return found;
}

async function wantedPaths(context: CommandContext, { goal, outputs }: Wanted, options: Options): Promise<StorePath[]> {
  if (typeof goal === "string") return options.has("--derivation") ? [await derivationOf(context, goal)] : [goal];
  return options.has("--derivation") ? [goal.drvPath] : outputPaths(context, goal.drvPath, outputs);
}

/** A path in the store, with the outputs that "^" names; undefined when the argument is nothing of the store's. */
async function storedPath(
  context: CommandContext,
  word: ByteString,
): Promise<readonly [path: StorePath, outputs: readonly string[] | undefined] | undefined> {
  const mark = word.lastIndexOf("^");
  const name = mark < 0 ? word : word.slice(0, mark);
  if (!name.includes("/")) return undefined;
  try {
    return [await storePathOf(context, name), mark < 0 ? undefined : word.slice(mark + 1).split(",")];
  } catch (error) {
    if (error instanceof CommandError && error.message.endsWith("is not in the Nix store")) return undefined;
    if (error instanceof FormatError && error.code === "store-path" && context.evaluate !== undefined) return undefined;
    throw error;
  }
}

async function outputPaths(
  { store }: CommandContext,
  drvPath: StorePath,
  names: readonly string[],
): Promise<StorePath[]> {
  const { outputs } = await store.derivation(drvPath);
  const wanted = names.includes("*") ? [...outputs.keys()].sort() : names;
  return wanted.map((name) => {
    const path = outputs.get(name)?.path;
    if (path === undefined) throw new CommandError(`derivation '${drvPath}' does not have wanted outputs '${name}'`);
    return path;
  });
}

/** The derivation that made a path; a derivation is its own. */
export async function derivationOf({ store }: CommandContext, path: StorePath): Promise<StorePath> {
  if (isDerivationPath(path)) return path;
  const deriver = store.info(path)?.deriver;
  if (deriver !== undefined && store.isValid(deriver)) return deriver;
  throw new CommandError(`'${path}' does not have a known deriver`);
}
