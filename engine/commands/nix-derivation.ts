/** `nix derivation …`: derivations as JSON, out of the store and into it. */
import { fromBytes } from "../store/format/bytes.ts";
import { derivationFromJson, derivationToJson } from "../store/format/derivation-json.ts";
import {
  type Derivation,
  createModuloCache,
  derivationKind,
  derivationName,
  derivationReferences,
  fillOutputPaths,
  hashDerivationModulo,
  printDerivation,
} from "../store/format/derivation.ts";
import { type Json, printJson } from "../store/format/json.ts";
import { type StorePath, baseNameOf, isDerivationPath } from "../store/format/store-path.ts";
import { closure } from "../store/graph.ts";
import { type CommandContext, CommandError } from "./command.ts";
import { INSTALLABLE_FLAGS, INSTALLABLE_SHORT, installablePaths } from "./store-installables.ts";
import { type Options, type Subcommand, jsonIndent } from "./subcommand.ts";

export const DERIVATION_VERBS: readonly Subcommand[] = [
  {
    verb: "derivation show",
    doc: "print derivations as JSON",
    flags: { "--recursive": 0, "--pretty": 0, ...INSTALLABLE_FLAGS },
    short: { "-r": "--recursive", ...INSTALLABLE_SHORT },
    args: [0, Infinity],
    run: showDerivations,
  },
  { verb: "derivation add", doc: "add a derivation from JSON", flags: {}, args: [0, 0], run: addDerivation },
];

async function showDerivations(context: CommandContext, args: readonly string[], options: Options): Promise<number> {
  const { store } = context;
  const asked = { ...options, has: (flag: string) => flag === "--derivation" || options.has(flag) };
  let paths = new Set(await installablePaths(context, args, asked));
  const unknown = [...paths].find((path) => !store.isValid(path));
  if (unknown !== undefined) throw new CommandError(`path '${unknown}' is not a valid store path`);
  if (options.has("--recursive")) paths = new Set([...closure(store.index, paths)].filter(isDerivationPath));
  const shown: Record<string, Json> = {};
  for (const path of paths)
    shown[baseNameOf(path)] = derivationToJson(await store.derivation(path), derivationName(path));
  context.print(`${printJson({ derivations: shown, version: 4 }, jsonIndent(options))}\n`);
  return 0;
}

async function addDerivation(context: CommandContext): Promise<number> {
  const { store } = context;
  const { derivation, name } = derivationFromJson(await parseInput(fromBytes(await context.input())), store.storeDir);
  await checkOutputPaths(context, derivation, name);
  const path = await store.addText(`${name}.drv`, printDerivation(derivation), derivationReferences(derivation));
  context.print(`${path.path}\n`);
  return 0;
}

/** What is no JSON is read again by the language's reader, for it names the place as Nix does. */
async function parseInput(text: string): Promise<Json> {
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    const { JsonError, parseJson } = await import("../builtins/json-parse.ts");
    try {
      parseJson(text);
    } catch (better) {
      if (better instanceof JsonError) throw new CommandError(better.message);
      throw better;
    }
    throw error;
  }
}

/** Input-addressed outputs must have the paths that the derivation gives them. */
async function checkOutputPaths(context: CommandContext, derivation: Derivation, name: string): Promise<void> {
  if (derivationKind(derivation) !== "input-addressed") return;
  const inputs = new Map<StorePath, Derivation>();
  for (const path of closure(context.store.index, derivation.inputDerivations.keys())) {
    if (isDerivationPath(path)) inputs.set(path, await context.store.derivation(path));
  }
  const resolve = createModuloCache((path) => inputs.get(path) as Derivation);
  const filled = fillOutputPaths(
    derivation,
    name,
    hashDerivationModulo(derivation, true, resolve),
    context.store.storeDir,
  );
  for (const [output, { path }] of derivation.outputs) {
    const right = filled.outputs.get(output)?.path ?? "";
    if (path !== right) {
      throw new CommandError(`derivation '${name}' has incorrect output '${path}', should be '${right}'`);
    }
  }
}
