/** Subcommand: one record a verb of `nix` ("store ls"): its flags, and what it does with what is left. */
import type { ByteString } from "../store/format/bytes.ts";
import type { CommandContext } from "./command.ts";
import { UsageError } from "./support.ts";

export interface Options {
  has(flag: string): boolean;
  value(flag: string): string | undefined;
}

export interface Subcommand {
  /** The words after `nix`. */
  readonly verb: string;
  readonly doc: string;
  /** Long flags with how many values they take (the last value is kept). */
  readonly flags: Readonly<Record<string, 0 | 1>>;
  /** Short names: "-r" → "--recursive". */
  readonly short?: Readonly<Record<string, string>>;
  /** How many arguments at least and at most. */
  readonly args: readonly [least: number, most: number];
  /** Flags without which the verb does nothing. */
  readonly requires?: readonly string[];
  /** An old name: a warning says so, after "warning: ". */
  readonly deprecated?: string;
  run(context: CommandContext, args: readonly ByteString[], options: Options): Promise<number>;
}

/** The flag that turns on what Nix calls experimental; its values are kept for verbs that ask. */
export const FEATURES = "--extra-experimental-features";

/** Flags that every verb takes and that change nothing here. */
export const COMMON: Readonly<Record<string, number>> = {
  [FEATURES]: 1,
  "--experimental-features": 1,
  "--option": 2,
  "--store": 1,
  "--max-jobs": 1,
  "-j": 1,
  "--cores": 1,
  "--eval-store": 1,
  "--log-format": 1,
  "--debug": 0,
  "--no-net": 0,
  "--accept-flake-config": 0,
  "--offline": 0,
  "--quiet": 0,
  "--verbose": 0,
  "-v": 0,
  "--print-build-logs": 0,
  "-L": 0,
  "--refresh": 0,
  "--no-pretty": 0,
};

/** Runs a verb on the words after it. @throws UsageError */
export async function runSubcommand(
  command: Subcommand,
  argv: readonly ByteString[],
  context: CommandContext,
): Promise<number> {
  const values = new Map<string, string>();
  const args: ByteString[] = [];
  const words = argv.flatMap((word) => expand(command, word));
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    const flag = command.short?.[word] ?? word;
    const taken = Object.hasOwn(command.flags, flag) ? command.flags[flag] : undefined;
    if (taken === 1) values.set(flag, flagValue(words, word));
    else if (taken === 0) values.set(flag, "");
    else if (Object.hasOwn(COMMON, word)) {
      const given = takeValues(words, word, COMMON[word] as number);
      if (word === FEATURES) values.set(FEATURES, [values.get(FEATURES) ?? "", ...given].join(" "));
    } else if (word.startsWith("-")) throw new UsageError(`unrecognised flag '${word}'`);
    else args.push(word);
  }
  for (const flag of command.requires ?? []) {
    if (!values.has(flag)) throw new UsageError(`required argument '${flag}' is missing`);
  }
  if (args.length < command.args[0]) throw new UsageError("more arguments are required");
  if (args.length > command.args[1]) throw new UsageError(`unexpected argument '${args[command.args[1]] ?? ""}'`);
  if (command.deprecated !== undefined) context.error(`warning: ${command.deprecated}\n`);
  return command.run(context, args, { has: (flag) => values.has(flag), value: (flag) => values.get(flag) });
}

/** "-lR" is "-l" "-R" when both are flags here. */
function expand(command: Subcommand, word: ByteString): ByteString[] {
  if (!/^-[A-Za-z]{2,}$/.test(word)) return [word];
  const letters = Array.from(word.slice(1), (letter) => `-${letter}`);
  return letters.every((letter) => command.short?.[letter] !== undefined) ? letters : [word];
}

function flagValue(words: ByteString[], flag: string): string {
  return takeValues(words, flag, 1)[0] as string;
}

/** @throws UsageError when there are not so many words left */
export function takeValues(words: ByteString[], flag: string, count: number): ByteString[] {
  if (words.length >= count) return words.splice(0, count);
  throw new UsageError(`flag '${flag}' requires ${count} argument(s), but only ${words.length} were given`);
}

/** How far `--pretty` sets JSON in. */
export function jsonIndent(options: Options): number {
  return options.has("--pretty") ? 2 : 0;
}
