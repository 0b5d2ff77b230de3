/**
 * The verbs of `nix` that the evaluator runs by itself (language.ts): their command lines go there as they are. Names only, so that
 * the commands of the store do not bring the evaluator with them.
 */
import type { ByteString } from "../store/format/bytes.ts";
import { type CommandContext, CommandError } from "./command.ts";

export const LANGUAGE_VERBS: readonly { readonly verb: string; readonly doc: string }[] = [
  { verb: "eval", doc: "evaluate an expression" },
  { verb: "flake lock", doc: "pin the inputs of a flake" },
  { verb: "flake update", doc: "pin the inputs of a flake afresh" },
  { verb: "flake metadata", doc: "what is known of a flake" },
  { verb: "flake info", doc: "what is known of a flake" },
  { verb: "flake show", doc: "the outputs of a flake" },
  { verb: "flake archive", doc: "bring a flake and its inputs into the store" },
  { verb: "flake prefetch", doc: "bring a tree into the store" },
  { verb: "flake prefetch-inputs", doc: "bring the inputs of a flake into the store" },
  { verb: "flake clone", doc: "copy a flake into a folder" },
  { verb: "registry list", doc: "the flakes that have a name" },
  { verb: "registry add", doc: "give a flake a name" },
  { verb: "registry remove", doc: "take a flake's name away" },
  { verb: "registry pin", doc: "give a name to a flake as it is now" },
  { verb: "registry resolve", doc: "the flake that a name stands for" },
  { verb: "search", doc: "packages by their names and descriptions" },
  { verb: "flake init", doc: "start a flake in this folder from a template" },
  { verb: "flake new", doc: "start a flake in another folder from a template" },
];

/** Runs a program of the language and prints what it prints; gives its exit code. */
export async function runInEvaluator(context: CommandContext, argv: readonly ByteString[]): Promise<number> {
  const { exitCode, stdout } = await evaluated(context, argv);
  context.print(stdout);
  return exitCode;
}

/** What a program of the language ends with. @throws CommandError where nothing can be evaluated */
export async function evaluated(context: CommandContext, argv: readonly ByteString[]) {
  if (context.evaluate === undefined) throw new CommandError("there is no evaluator here");
  return context.evaluate(argv);
}
