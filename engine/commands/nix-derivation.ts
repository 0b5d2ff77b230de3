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
import type { Options, Subcommand } from "./subcommand.ts";
import { storePathOf } from "./support.ts";

export const DERIVATION_VERBS: readonly Subcommand[] = [
  {
    verb: "derivation show",
    doc: "print derivations as JSON",
    flags: { "--recursive": 0 },
    short: { "-r": "--recursive" },
    args: [1, Infinity],
    run: showDerivations,
  },
  { verb: "derivation add", doc: "add a derivation from JSON", flags: {}, args: [0, 0], run: addDerivation },
];

async function showDerivations(context: CommandContext, args: readonly string[], options: Options): Promise<number> {
  const { store } = context;
  let paths = new Set<StorePath>();
  for (const argument of args) paths.add(await derivationOf(context, argument));
  if (options.has("--recursive")) paths = new Set([...closure(store.index, paths)].filter(isDerivationPath));
  const shown: Record<string, Json> = {};
  for (const path of paths)
    shown[baseNameOf(path)] = derivationToJson(await store.derivation(path), derivationName(path));
  context.print(`${printJson({ derivations: shown, version: 4 })}\n`);
  return 0;
}

/** An output's derivation is the one that made it. */
async function derivationOf(context: CommandContext, argument: string): Promise<StorePath> {
  const path = await storePathOf(context, argument.replace(/[!^].*$/, ""));
  if (isDerivationPath(path)) return path;
  const { deriver } = context.store.requireInfo(path);
  if (deriver !== undefined && context.store.isValid(deriver)) return deriver;
  throw new CommandError(`'${path}' does not have a known deriver`);
}

async function addDerivation(context: CommandContext): Promise<number> {
  const { store } = context;
  const { derivation, name } = derivationFromJson(parseInput(fromBytes(await context.input())), store.storeDir);
  await checkOutputPaths(context, derivation, name);
  const path = await store.addText(`${name}.drv`, printDerivation(derivation), derivationReferences(derivation));
  context.print(`${path.path}\n`);
  return 0;
}

function parseInput(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    throw new CommandError(`failed to parse JSON: ${error instanceof Error ? error.message : String(error)}`);
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
