/** `nix eval`: the value of an installable, as Nix prints it, as JSON or as it is. */
import { toJson } from "../builtins/json.ts";
import { type Routine, call } from "../builtins/record.ts";
import { coerceToString } from "../eval/coerce.ts";
import { evalPrintOptions, forcedText } from "../eval/print-forced.ts";
import { type Slot, type Value, textOf } from "../eval/value.ts";
import { stringSource } from "../syntax/source.ts";
import { installableValue, splitOutputs } from "./installables.ts";
import type { LanguageProgram, LanguageRun } from "./language.ts";
import { SOURCE_FLAGS, usage } from "./language-options.ts";

export const NIX_EVAL: LanguageProgram = {
  words: "nix eval",
  flags: {
    flags: {
      ...SOURCE_FLAGS,
      "--json": 0,
      "--raw": 0,
      "--apply": 1,
      "--read-only": 0,
      "--pretty": 0,
      "--no-pretty": 0,
    },
    short: { "-f": "--file" },
    most: 1,
  },
  run(run) {
    const { evaluator, flags, world } = run;
    if (flags.has("--raw") && flags.has("--json")) throw usage("--raw and --json are mutually exclusive");
    const value = applied(run, installableValue(run, splitOutputs(flags.args[0] ?? "")[0]).slot);
    const text = evaluator.run(() => printed(run, value));
    world.print(flags.has("--raw") ? text : `${text}\n`);
    return 0;
  },
};

function applied({ evaluator, flags, session, world }: LanguageRun, slot: Slot): Slot {
  const text = flags.value("--apply");
  if (text === undefined) return slot;
  const fn = session.remember("apply", () => evaluator.expression(stringSource(text, world.cwd)));
  return evaluator.run(() => callRoutine(fn, slot));
}

function* callRoutine(fn: Slot, argument: Slot): Routine<Value> {
  return yield call(fn, [argument]);
}

function* printed({ flags }: LanguageRun, value: Slot): Routine<string> {
  if (flags.has("--raw")) {
    return textOf(yield* coerceToString(value, { copy: true, context: "while generating the eval command output" }));
  }
  if (!flags.has("--json")) return yield* forcedText(value, evalPrintOptions);
  const json = textOf(yield* toJson(value, false));
  return flags.has("--pretty") ? JSON.stringify(JSON.parse(json), undefined, 2) : json;
}
