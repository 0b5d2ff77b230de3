/**
 * The command line of the `nix` verbs that evaluate: their own flags, the arguments of functions, and settings, which are flags too.
 */
import { splitNixPath } from "../builtins/search-path.ts";
import { NixError } from "../eval/error.ts";
import { type InstantiateWorld, settingFlag } from "../eval/instantiate.ts";
import { applySetting, parseConfig } from "../eval/setting-text.ts";
import { type Settings, defaultSettings } from "../eval/settings.ts";

export interface LanguageFlags {
  /** Long flags with how many values they take. */
  readonly flags: Readonly<Record<string, 0 | 1 | 2>>;
  /** Short names: "-f" → "--file". */
  readonly short?: Readonly<Record<string, string>>;
  /** At most so many arguments. */
  readonly most: number;
  /** Is evaluation impure without `--impure`? A file makes it so. */
  readonly impure?: boolean;
}

export interface LanguageOptions {
  readonly args: readonly string[];
  readonly autoArgs: readonly { readonly name: string; readonly text: string; readonly isString: boolean }[];
  readonly settings: Settings;
  has(flag: string): boolean;
  /** The last value of a flag. */
  value(flag: string): string | undefined;
  /** All uses of a flag, each with its values. */
  all(flag: string): readonly (readonly string[])[];
}

/** A mistake in the arguments. */
export const usage = (message: string): NixError => new NixError("usage", message, { data: { usage: true } });

/** Flags that name what to evaluate, for every verb that takes installables. */
export const SOURCE_FLAGS = {
  "--expr": 1,
  "--file": 1,
  "--no-write-lock-file": 0,
  "--no-update-lock-file": 0,
  "--recreate-lock-file": 0,
  "--no-registries": 0,
  "--commit-lock-file": 0,
  "--accept-flake-config": 0,
  "--override-input": 2,
  "--update-input": 1,
  "--reference-lock-file": 1,
  "--output-lock-file": 1,
  "--allow-dirty-locks": 0,
} as const;

/** Flags that change nothing here, with how many values they take. */
const IDLE: Readonly<Record<string, number>> = {
  "--offline": 0,
  "--refresh": 0,
  "--quiet": 0,
  "--verbose": 0,
  "--debug": 0,
  "--print-build-logs": 0,
  "-v": 0,
  "-L": 0,
  "--max-jobs": 1,
  "-j": 1,
  "--cores": 1,
  "--log-format": 1,
  "--eval-store": 1,
  "--no-eval-cache": 0,
};

/** @throws NixError of kind usage */
export function parseLanguageOptions(
  argv: readonly string[],
  spec: LanguageFlags,
  world: InstantiateWorld,
): LanguageOptions {
  const warn = (message: string): void => world.error(`warning: ${message}\n`);
  const experimentalFeatures = new Set(["nix-command", "flakes"]);
  let settings: Settings = {
    ...defaultSettings,
    ...world.settings,
    experimentalFeatures,
    pureEval: spec.impure !== true,
  };
  for (const [name, value] of parseConfig(world.env("NIX_CONFIG") ?? "")) {
    settings = applySetting(settings, name, value, warn);
  }
  const uses = new Map<string, string[][]>();
  const args: string[] = [];
  const autoArgs: { name: string; text: string; isString: boolean }[] = [];
  const includes: string[] = [];
  const rest = [...argv];
  const take = (flag: string, count: number): string[] => {
    if (rest.length < count) {
      throw usage(`flag '${flag}' requires ${count} argument(s), but only ${rest.length} were given`);
    }
    return rest.splice(0, count);
  };
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const flag = spec.short?.[word] ?? word;
    const count = Object.hasOwn(spec.flags, flag) ? spec.flags[flag] : undefined;
    if (count !== undefined) uses.set(flag, [...(uses.get(flag) ?? []), take(word, count)]);
    else if (word === "--arg" || word === "--argstr") {
      const [name, text] = take(word, 2) as [string, string];
      autoArgs.push({ name, text, isString: word === "--argstr" });
    } else if (word === "--override-flake") {
      const [from, to] = take(word, 2) as [string, string];
      settings = { ...settings, flakeOverrides: [...settings.flakeOverrides, [from, to]] };
    } else if (word === "-I" || word === "--include") includes.push(...take(word, 1));
    else if (word === "--option") settings = applySetting(settings, ...(take(word, 2) as [string, string]), warn);
    else if (Object.hasOwn(IDLE, word)) take(word, IDLE[word]!);
    else if (!word.startsWith("-") || word === "-") args.push(word);
    else {
      const changed = settingFlag(word, settings, take, warn);
      if (changed === undefined) throw usage(`unrecognised flag '${word}'`);
      settings = changed;
    }
  }
  if (!settings.experimentalFeatures.has("nix-command")) {
    const message =
      "experimental Nix feature 'nix-command' is disabled; add '--extra-experimental-features nix-command' to enable it";
    throw new NixError("restricted", message);
  }
  if (args.length > spec.most) throw usage(`unexpected argument '${args[spec.most]!}'`);
  if (uses.has("--file")) settings = { ...settings, pureEval: false };
  const named = settings.nixPath.length > 0 ? settings.nixPath : splitNixPath(world.env("NIX_PATH") ?? "");
  const storeDir = world.env("NIX_STORE_DIR") ?? settings.storeDir;
  return {
    args,
    autoArgs,
    settings: { ...settings, nixPath: [...includes, ...named], readOnly: false, storeDir, directory: world.cwd },
    has: (flag) => uses.has(flag),
    value: (flag) => uses.get(flag)?.at(-1)?.[0],
    all: (flag) => uses.get(flag) ?? [],
  };
}
