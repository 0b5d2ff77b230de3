/** The command lines of `nix-build` and `nix build`: what is theirs, and what goes to the evaluator as it is. */
import type { ByteString } from "../store/format/bytes.ts";
import { UsageError } from "./support.ts";

export interface BuildArguments {
  /** Their own flags with their last value. */
  readonly own: ReadonlyMap<string, string>;
  /** Flags of the evaluator, each with its values. */
  readonly passed: readonly ByteString[];
  readonly args: readonly ByteString[];
}

/** Flags of the evaluator that take values; all others take none. */
const VALUES: Readonly<Record<string, number>> = {
  "--expr": 1,
  "--file": 1,
  "-f": 1,
  "-A": 1,
  "--attr": 1,
  "--arg": 2,
  "--argstr": 2,
  "-I": 1,
  "--include": 1,
  "--option": 2,
  "--override-input": 2,
  "--update-input": 1,
  "--reference-lock-file": 1,
  "--output-lock-file": 1,
  "--max-call-depth": 1,
  "--experimental-features": 1,
  "--extra-experimental-features": 1,
  "--nix-path": 1,
  "--system": 1,
  "--eval-system": 1,
  "--store": 1,
};

/** Flags about builders, which change nothing here. */
const IDLE: Readonly<Record<string, number>> = {
  "-j": 1,
  "--max-jobs": 1,
  "--builders": 1,
  "--log-format": 1,
  "--fallback": 0,
  "--keep-failed": 0,
  "-K": 0,
};

/**
 * Takes a command line apart. `own` says how many values each flag takes, `short` gives other names; a name in `valueless` is a flag of
 * the evaluator that takes nothing here (`-E` of `nix-build` says what the arguments are).
 * @throws UsageError when a value is missing
 */
export function splitBuildArguments(
  argv: readonly ByteString[],
  own: Readonly<Record<string, 0 | 1>>,
  short: Readonly<Record<string, string>>,
  valueless: readonly string[] = [],
): BuildArguments {
  const values = new Map<string, string>();
  const passed: ByteString[] = [];
  const args: ByteString[] = [];
  const rest = [...argv];
  const take = (flag: string, count: number): ByteString[] => {
    if (rest.length >= count) return rest.splice(0, count);
    throw new UsageError(`flag '${flag}' requires ${count} argument(s), but only ${rest.length} were given`);
  };
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const flag = short[word] ?? word;
    const count = Object.hasOwn(own, flag) ? own[flag] : undefined;
    if (count !== undefined) values.set(flag, take(word, count)[0] ?? "");
    else if (Object.hasOwn(IDLE, word)) take(word, IDLE[word] as number);
    else if (valueless.includes(word)) passed.push(word);
    else if (word.startsWith("-") && word !== "-") passed.push(word, ...take(word, VALUES[word] ?? 0));
    else args.push(word);
  }
  return { own: values, passed, args };
}
