/**
 * Installables: what the arguments of `nix eval`, `nix build` and others mean. An argument is an attribute path when `--expr` or
 * `--file` says in what, a flake reference otherwise; `^a,b` and `^*` name outputs.
 */
import type { Routine } from "../builtins/record.ts";
import { canonPath } from "../eval/canon-path.ts";
import { coerceToString } from "../eval/coerce.ts";
import { isDerivationForced } from "../eval/equality.ts";
import { NixError } from "../eval/error.ts";
import { findDerivations } from "../eval/find-derivations.ts";
import { describeValue } from "../eval/print.ts";
import type { ArgumentSlots } from "../eval/select-path.ts";
import { parseContextElement } from "../eval/string-context.ts";
import { Attrs, NixPath, contextOf, isList, isString, textOf, type Slot, type Value } from "../eval/value.ts";
import { copyToStore } from "../eval/source-tree.ts";
import { stdinSource, stringSource } from "../syntax/source.ts";
import { type Candidates, flakeAttribute, packageCandidates, parseFlakeArgument } from "./flakes.ts";
import type { LanguageProgram, LanguageRun } from "./language.ts";
import { SOURCE_FLAGS, usage } from "./language-options.ts";

/** The value of an argument, and its attribute path if it is of a flake. */
export interface InstallableValue {
  readonly slot: Slot;
  readonly flakePath: string | undefined;
}

/** Evaluates as far as the argument's attribute path leads. */
export function installableValue(run: LanguageRun, argument: string, candidates?: Candidates): InstallableValue {
  const { evaluator, flags } = run;
  if (!flags.has("--expr") && !flags.has("--file")) {
    const where = candidates ?? packageCandidates(flags.settings.system);
    const { path, slot } = flakeAttribute(run, parseFlakeArgument(run, argument), where);
    return { slot, flakePath: path };
  }
  const args = commandLineArguments(run);
  const selected = evaluator.select(sourceValue(run), argument, args);
  return { slot: selected, flakePath: undefined };
}

/** The value of `--expr` or `--file`. */
export function sourceValue({ evaluator, flags, session, world }: LanguageRun): Slot {
  const [text, file] = [flags.value("--expr"), flags.value("--file")];
  if (text !== undefined && file !== undefined) throw usage("'--file' and '--expr' are exclusive");
  if (text !== undefined) return session.remember("source", () => evaluator.expression(stringSource(text, world.cwd)));
  if (file === "-")
    return session.remember("source", () => evaluator.expression(stdinSource(world.stdin(), world.cwd)));
  return evaluator.file(filePath({ evaluator, flags, session, world }, file!));
}

/** A file argument's path; `<name>` is looked up. */
export function filePath({ evaluator, world }: LanguageRun, file: string): string {
  if (!/^<.*>$/.test(file)) return canonPath(file.startsWith("/") ? file : `${world.cwd}/${file}`);
  try {
    const found = evaluator.force(evaluator.expression("__findFile __nixPath name", { name: file.slice(1, -1) }));
    return (found as NixPath).path;
  } catch (thrown) {
    throw thrown instanceof NixError ? thrown.again(0) : thrown;
  }
}

/** `--arg` and `--argstr` as slots. */
export function commandLineArguments({ evaluator, flags, session, world }: LanguageRun): ArgumentSlots {
  const slots = new Map<string, Slot>();
  for (const { name, text, isString: given } of flags.autoArgs) {
    const make = (): Slot => (given ? text : evaluator.expression(stringSource(text, world.cwd)));
    slots.set(name, session.remember(`argument ${name}`, make));
  }
  return slots;
}

/** What is to be realised: outputs of a derivation, or a path that is there already. */
export type Buildable = { readonly drvPath: string; readonly outputs: readonly string[] } | { readonly path: string };

/** Prints one JSON list a run: what the arguments of `nix build` ask for. */
export const NIX_INSTALLABLES: LanguageProgram = {
  words: "nix build",
  flags: { flags: SOURCE_FLAGS, short: { "-f": "--file" }, most: Infinity },
  run(run) {
    const args = run.flags.args.length === 0 ? [""] : run.flags.args;
    const all = args.flatMap((argument) => buildablesOf(run, argument));
    run.world.print(`${JSON.stringify(all)}\n`);
    return 0;
  },
};

/** What one argument asks to be realised. */
export function buildablesOf(run: LanguageRun, argument: string, candidates?: Candidates): Buildable[] {
  const [name, outputs] = splitOutputs(argument);
  const { slot, flakePath } = installableValue(run, name, candidates);
  return run.evaluator.run(() => buildables(slot, flakePath, outputs, commandLineArguments(run)));
}

/** "a^dev,doc" is "a" and those outputs; "a^*" all; undefined when none are named. */
export function splitOutputs(argument: string): [name: string, outputs: readonly string[] | undefined] {
  const match = /^(.*)\^(\*|[^^]+)$/s.exec(argument);
  return match === null ? [argument, undefined] : [match[1]!, match[2]!.split(",")];
}

function* buildables(
  slot: Slot,
  flakePath: string | undefined,
  outputs: readonly string[] | undefined,
  args: ArgumentSlots,
): Routine<Buildable[]> {
  const value = yield slot;
  if (value instanceof Attrs && (yield* isDerivationForced(value))) return [yield* derivation(value, outputs)];
  const path = plainPath(value);
  if (path !== undefined) return [path];
  if (flakePath !== undefined) {
    const message = `expected flake output attribute '${flakePath}' to be a derivation or path but found ${describeValue(value)}`;
    throw new NixError("type", message);
  }
  const found: Buildable[] = [];
  for (const { set } of yield* findDerivations(value, args)) found.push(yield* derivation(set, outputs));
  return found;
}

/** A path is copied to the store; a string must refer to one thing there. */
function plainPath(value: Value): Buildable | undefined {
  if (value instanceof NixPath) return { path: copyToStore(value.path) };
  if (!isString(value) || contextOf(value).size !== 1) return undefined;
  const element = parseContextElement([...contextOf(value)][0]!);
  if (element.kind === "path") return { path: textOf(value) };
  return { drvPath: element.path, outputs: element.kind === "output" ? [element.output] : ["*"] };
}

/** The outputs that are asked for: those named, those that the package wants installed, or all. */
function* derivation(set: Attrs, outputs: readonly string[] | undefined): Routine<Buildable> {
  const context = "while evaluating the 'drvPath' attribute of a derivation";
  const drvPath = textOf(yield* coerceToString(set.get("drvPath") ?? null, { context }));
  return { drvPath, outputs: outputs ?? (yield* wantedOutputs(set)) };
}

function* wantedOutputs(set: Attrs): Routine<readonly string[]> {
  const specified = set.get("outputSpecified");
  const outputName = set.get("outputName");
  if (specified !== undefined && (yield specified) === true && outputName !== undefined) {
    return [textOf(yield* coerceToString(outputName, { context: "" }))];
  }
  const meta = set.get("meta");
  const info = meta === undefined ? undefined : yield meta;
  const toInstall = info instanceof Attrs ? info.get("outputsToInstall") : undefined;
  const names = toInstall === undefined ? ["*"] : yield* strings(toInstall);
  return names;
}

function* strings(slot: Slot): Routine<string[]> {
  const value = yield slot;
  const names: string[] = [];
  if (isList(value)) {
    for (const item of value) names.push(textOf(yield* coerceToString(item, { context: "" })));
  }
  return names;
}
