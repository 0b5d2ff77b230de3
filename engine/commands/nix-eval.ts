/** `nix eval`: the value of an installable, as Nix prints it, as JSON or as it is. */
import { toJson } from "../builtins/json.ts";
import { type Routine, call } from "../builtins/record.ts";
import { coerceToString } from "../eval/coerce.ts";
import { canonPath } from "../eval/canon-path.ts";
import { NixError, addTrace } from "../eval/error.ts";
import { type Pos, attributePos } from "../eval/positions.ts";
import { printPos } from "../eval/print.ts";
import { evalPrintOptions, forcedText } from "../eval/print-forced.ts";
import { Attrs, type Slot, type Value, isString, textOf } from "../eval/value.ts";
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
      "--write-to": 1,
    },
    short: { "-f": "--file" },
    most: 1,
  },
  run(run) {
    const { evaluator, flags, world } = run;
    if (flags.has("--raw") && flags.has("--json")) throw usage("--raw and --json are mutually exclusive");
    const value = applied(run, installableValue(run, splitOutputs(flags.args[0] ?? "")[0]).slot);
    const folder = flags.value("--write-to");
    if (folder !== undefined) return writeTree(run, value, folder);
    const text = evaluator.run(() => printed(run, value));
    world.print(flags.has("--raw") ? text : `${text}\n`);
    return 0;
  },
};

/** Sets as folders, strings as files. */
function writeTree(run: LanguageRun, value: Slot, target: string): number {
  const { world } = run;
  const folder = canonPath(target.startsWith("/") ? target : `${world.cwd}/${target}`);
  if (world.io.lstat(folder) !== undefined) throw new NixError("io", `path "${folder}" already exists`);
  if (world.writeFile === undefined) throw new NixError("io", "files cannot be written here");
  const files = run.evaluator.run(() => filesOf(value, folder, undefined));
  for (const [path, text] of files) world.writeFile(path, text);
  return 0;
}

function* filesOf(slot: Slot, path: string, pos: Pos | undefined): Routine<[path: string, text: string][]> {
  const value = yield slot;
  if (isString(value)) return [[path, textOf(value)]];
  if (!(value instanceof Attrs)) {
    const where = pos === undefined ? "\xc2\xabnone\xc2\xbb:0" : printPos(pos);
    throw new NixError("type", `value at '${where}' is not a string or an attribute set`);
  }
  const files: [path: string, text: string][] = [];
  for (const [index, name] of value.keys.names.entries()) {
    if (name === "." || name === ".." || name.includes("/")) {
      throw new NixError("eval", `invalid file name '${name}'`);
    }
    const at = attributePos(value.positions, value.keys, name);
    try {
      files.push(...(yield* filesOf(value.values[index]!, `${path}/${name}`, at)));
    } catch (thrown) {
      throw addTrace(thrown, `while evaluating the attribute '${name}'`, at);
    }
  }
  return files;
}

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
