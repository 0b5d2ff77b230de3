/**
 * `nix-shell`, `nix develop` and `nix print-dev-env`: the environment in which a derivation is built, entered without building it. Its
 * inputs are realised, its variables set, and its stdenv's setup, if it has one, is sourced by bash.
 */
import type { Goal } from "../build/realise.ts";
import { type ByteString, decodeUtf8, encodeUtf8 } from "../store/format/bytes.ts";
import type { StorePath } from "../store/format/store-path.ts";
import { splitBuildArguments } from "./build-arguments.ts";
import { type Command, type CommandContext, CommandError } from "./command.ts";
import { evaluated } from "./language-verbs.ts";
import type { RunVerb } from "./nix-run.ts";
import { UsageError, guard, realiseGoals } from "./support.ts";

export const nixShell: Command = {
  name: "nix-shell",
  doc: "enter the environment in which a derivation is built",
  run: (argv, context) => guard("nix-shell", context, () => runNixShell(argv, context)),
};

const FLAGS = {
  "--run": 1,
  "--command": 1,
  "--pure": 0,
  "--impure": 0,
  "--packages": 0,
  "--exclude": 1,
  "--keep": 1,
} as const;

/** How an environment is entered. */
interface Entry {
  /** What is run in it; without, a shell for the user. */
  readonly command: ByteString | undefined;
  readonly isPure: boolean;
  /** Variables that are kept in a pure environment besides the usual ones. */
  readonly keep: readonly string[];
}

async function runNixShell(argv: readonly ByteString[], context: CommandContext): Promise<number> {
  const { own, passed, args } = splitBuildArguments(argv, FLAGS, { "-p": "--packages" }, ["-E", "--expr"]);
  const isExpression = own.has("--packages") || passed.includes("-E") || passed.includes("--expr");
  const words = own.has("--packages") ? ["-E", packagesExpression(args)] : args;
  const files = words.length > 0 || isExpression ? words : [await defaultFile(context)];
  const inShell = ["--arg", "inNixShell", "true"];
  const { exitCode, stdout } = await evaluated(context, ["nix-build", ...passed, ...inShell, ...files]);
  if (exitCode !== 0) return exitCode;
  const drvs = stdout.split("\n").filter((line) => line !== "");
  if (drvs.length !== 1) throw new UsageError("nix-shell requires a single derivation");
  const [drvPath] = drvs[0]!.split("!") as [StorePath];
  const keep = own.has("--keep") ? [own.get("--keep")!] : [];
  const command = own.get("--run") ?? own.get("--command");
  await chooseShell(context);
  return enter(drvPath, { command, isPure: own.has("--pure"), keep }, context);
}

/** A derivation whose inputs are some packages of nixpkgs, in their order. */
function packagesExpression(packages: readonly ByteString[]): ByteString {
  const inputs = packages.map((name) => `(${name}) `).join("");
  const shell = `(pkgs.runCommandCC or pkgs.runCommand) "shell" { buildInputs = [ ${inputs}]; } ""`;
  return `{...}@args: with import <nixpkgs> args; ${shell}`;
}

async function defaultFile({ cwd, files }: CommandContext): Promise<ByteString> {
  const isThere = (await files.readTree(`${cwd}/shell.nix`)) !== undefined;
  return isThere ? "./shell.nix" : "./default.nix";
}

/** nixpkgs' bash would be the shell; where there is none, which is told, it is the one of the surroundings. */
async function chooseShell(context: CommandContext): Promise<void> {
  if (context.env("NIX_BUILD_SHELL") !== undefined) return;
  const { exitCode } = await evaluated(context, ["nix-build", "-E", "(import <nixpkgs> {}).bashInteractive"]);
  if (exitCode !== 0) context.error("uses bash from your environment\n");
}

/** Variables that a pure environment keeps of the one around it. */
const KEPT = [
  "HOME",
  "XDG_RUNTIME_DIR",
  "USER",
  "LOGNAME",
  "DISPLAY",
  "WAYLAND_DISPLAY",
  "TERM",
  "IN_NIX_SHELL",
  "NIX_SHELL_PRESERVE_PROMPT",
  "TZ",
  "PAGER",
  "NIX_BUILD_SHELL",
  "SHLVL",
  "http_proxy",
  "https_proxy",
  "ftp_proxy",
  "all_proxy",
  "no_proxy",
];

async function enter(drvPath: StorePath, entry: Entry, context: CommandContext): Promise<number> {
  const env = await buildEnvironment(drvPath, entry, context);
  if (context.execute === undefined) {
    throw new CommandError("an environment can be entered in the machine only: type this command in its terminal");
  }
  const script = shellScript(entry, env.has("stdenv"));
  const shell = encodeUtf8(context.env("NIX_BUILD_SHELL") ?? "bash");
  const words =
    entry.command === undefined
      ? [shell, "-c", `exec ${shell} --rcfile /dev/fd/3 3<<< "$1"`, shell, script]
      : [shell, "-c", script];
  const variables = Object.fromEntries(env);
  if (!entry.isPure) return context.execute(words[0]!, words.slice(1), variables);
  const assignments = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  return context.execute("env", ["-i", ...assignments, ...words], {});
}

/** Realises what the derivation needs; gives the variables of its build. */
async function buildEnvironment(
  drvPath: StorePath,
  { isPure, keep }: Entry,
  context: CommandContext,
): Promise<Map<ByteString, ByteString>> {
  const { store } = context;
  const derivation = await store.derivation(drvPath);
  const goals: Goal[] = [...derivation.inputDerivations].map(([input, { outputs }]) => ({ drvPath: input, outputs }));
  if (goals.length + derivation.inputSources.length > 0) {
    await realiseGoals(context, [...goals, ...derivation.inputSources], { quietLog: true });
  }
  const env = new Map<ByteString, ByteString>();
  for (const name of isPure ? [...KEPT, ...keep] : []) {
    const value = context.env(name);
    if (value !== undefined) env.set(name, encodeUtf8(value));
  }
  const scratch = encodeUtf8(context.env("TMPDIR") ?? "/tmp");
  for (const name of ["NIX_BUILD_TOP", "TMPDIR", "TEMPDIR", "TMP", "TEMP"]) env.set(name, scratch);
  env.set("NIX_STORE", store.storeDir).set("NIX_BUILD_CORES", "1");
  for (const [name, value] of derivation.env) env.set(name, value);
  return env.set("IN_NIX_SHELL", isPure ? "pure" : "impure");
}

/** What bash does first: the stdenv's setup and the derivation's hook; then the command, whose exit code is the end's. */
function shellScript({ command, isPure }: Entry, hasStdenv: boolean): ByteString {
  const lines = [
    ...(isPure || command !== undefined ? [] : ["[ -e ~/.bashrc ] && source ~/.bashrc"]),
    ...(hasStdenv ? ['[ -e "$stdenv/setup" ] && source "$stdenv/setup"'] : []),
    "set +e",
    '[ "$(type -t runHook)" = function ] && runHook shellHook',
    ...(command === undefined ? ["PS1='\\n\\[\\033[1;32m\\][nix-shell:\\w]\\$\\[\\033[0m\\] '"] : [command]),
  ];
  return lines.join("\n");
}

export const DEVELOP_VERBS: readonly RunVerb[] = [
  { verb: "develop", doc: "enter the environment in which a flake's package is built", run: develop },
  { verb: "print-dev-env", doc: "print the environment in which a flake's package is built", run: printEnvironment },
];

/** The derivation that is developed. @throws CommandError when no bash would be its builder */
async function developed(
  passed: readonly ByteString[],
  args: readonly ByteString[],
  context: CommandContext,
): Promise<StorePath | number> {
  const { exitCode, stdout } = await evaluated(context, ["nix", "develop", ...passed, ...args.slice(0, 1)]);
  if (exitCode !== 0) return exitCode;
  const drvPath = encodeUtf8(JSON.parse(decodeUtf8(stdout)) as string);
  const { builder } = await context.store.derivation(drvPath);
  if (/(^|\/)bash$/.test(builder)) return drvPath;
  throw new CommandError("'nix develop' only works on derivations that use 'bash' as their builder");
}

async function develop(argv: readonly ByteString[], context: CommandContext): Promise<number> {
  const at = argv.findIndex((word) => word === "-c" || word === "--command");
  const command =
    at < 0
      ? undefined
      : argv
          .slice(at + 1)
          .map(quote)
          .join(" ");
  const flags = { "--ignore-environment": 0, "--keep": 1 } as const;
  const { own, passed, args } = splitBuildArguments(at < 0 ? argv : argv.slice(0, at), flags, {
    "-i": "--ignore-environment",
    "-k": "--keep",
  });
  const drvPath = await developed(passed, args, context);
  if (typeof drvPath === "number") return drvPath;
  const keep = own.has("--keep") ? [own.get("--keep")!] : [];
  return enter(drvPath, { command, isPure: own.has("--ignore-environment"), keep }, context);
}

const quote = (word: ByteString): ByteString => `'${word.replaceAll("'", String.raw`'\''`)}'`;

async function printEnvironment(argv: readonly ByteString[], context: CommandContext): Promise<number> {
  const { own, passed, args } = splitBuildArguments(argv, { "--json": 0 }, {});
  const drvPath = await developed(passed, args, context);
  if (typeof drvPath === "number") return drvPath;
  const env = await buildEnvironment(drvPath, { command: undefined, isPure: false, keep: [] }, context);
  const sorted = [...env].sort(([left], [right]) => (left < right ? -1 : 1));
  if (own.has("--json")) {
    const variables = Object.fromEntries(
      sorted.map(([name, value]) => [decodeUtf8(name), { type: "exported", value: decodeUtf8(value) }]),
    );
    context.print(`${encodeUtf8(JSON.stringify({ bashFunctions: {}, variables }))}\n`);
  } else {
    for (const [name, value] of sorted) context.print(`${name}=${quote(value)}\nexport ${name}\n`);
    context.print(env.has("stdenv") ? '[ -e "$stdenv/setup" ] && source "$stdenv/setup"\n' : "");
    context.print('eval "${shellHook:-}"\n');
  }
  return 0;
}
