/**
 * The table of all builtins, and the outermost scope made of it. Evaluation, completion, hover, the documentation page and the coverage
 * test all read this table.
 */
import type { EvalContext } from "#engine/eval/context.ts";
import { Keys, compareNames } from "#engine/eval/keys.ts";
import type { GlobalScope } from "#engine/eval/scope.ts";
import { Attrs, PrimOp, type Slot } from "#engine/eval/value.ts";
import { arithmeticBuiltins } from "./arithmetic.ts";
import { attrsBuiltins } from "./attrs.ts";
import { contextBuiltins } from "./context.ts";
import { controlBuiltins } from "./control.ts";
import { debugBuiltins } from "./debug.ts";
import { derivationBuiltins, derivationSource } from "./derivation.ts";
import { fetchBuiltins } from "./fetch.ts";
import { flakeBuiltins } from "./flake.ts";
import { getFlakeBuiltins } from "./get-flake.ts";
import { hashBuiltins } from "./hash.ts";
import { jsonBuiltins } from "./json.ts";
import { listBuiltins } from "./lists.ts";
import { outputOfBuiltins } from "./output-of.ts";
import { pathBuiltins } from "./path.ts";
import type { Builtin, BuiltinConstant, BuiltinFamily } from "./record.ts";
import { stringBuiltins } from "./strings.ts";
import { environmentBuiltins } from "./time.ts";
import { tomlBuiltins } from "./toml.ts";
import { typeBuiltins } from "./types.ts";
import { versionBuiltins } from "./versions.ts";
import { xmlBuiltins } from "./xml.ts";

const families: readonly BuiltinFamily[] = [
  arithmeticBuiltins,
  attrsBuiltins,
  contextBuiltins,
  controlBuiltins,
  debugBuiltins,
  derivationBuiltins,
  environmentBuiltins,
  fetchBuiltins,
  flakeBuiltins,
  getFlakeBuiltins,
  hashBuiltins,
  jsonBuiltins,
  listBuiltins,
  outputOfBuiltins,
  pathBuiltins,
  stringBuiltins,
  tomlBuiltins,
  typeBuiltins,
  versionBuiltins,
  xmlBuiltins,
];

/** Every builtin, by name. */
export const builtinTable: readonly (Builtin | BuiltinConstant)[] = families
  .flat()
  .sort((a, b) => compareNames(a.name, b.name));

/** Constants of the language that are variables like any other. */
const literals: readonly (readonly [string, Slot])[] = [
  ["true", true],
  ["false", false],
  ["null", null],
];

export interface BaseScope {
  readonly scope: GlobalScope;
  readonly builtins: Attrs;
}

/** The outermost scope for an evaluation; `internal` evaluates code of the evaluator itself in it. */
export function baseScope(context: EvalContext, internal: (text: string, scope: GlobalScope) => Slot): BaseScope {
  const names = new Map<string, Slot>();
  const members = new Map<string, Slot>();
  for (const record of builtinTable) {
    if (!isAvailable(record, context)) continue;
    const slot = slotOf(record, context);
    members.set(record.name, slot);
    names.set(record.global === true ? record.name : `__${record.name}`, slot);
  }
  for (const [name, value] of literals) {
    names.set(name, value);
    members.set(name, value);
  }
  const scope: GlobalScope = { kind: "globals", names, up: null };
  const derivation = internal(derivationSource, scope);
  names.set("derivation", derivation);
  members.set("derivation", derivation);
  const sorted = [...members.keys(), "builtins"].sort(compareNames);
  const values: Slot[] = sorted.map((name) => members.get(name) ?? null);
  const builtins = new Attrs(new Keys(sorted), values);
  values[sorted.indexOf("builtins")] = builtins;
  names.set("builtins", builtins);
  return { scope, builtins };
}

function isAvailable(record: Builtin | BuiltinConstant, { settings }: EvalContext): boolean {
  const features = settings.experimentalFeatures;
  // Flakes bring `fetchTree` with them.
  const isOn = (feature: string): boolean =>
    features.has(feature) || (feature === "fetch-tree" && features.has("flakes"));
  if (record.feature !== undefined && !isOn(record.feature)) return false;
  return !("impure" in record && record.impure === true && settings.pureEval);
}

const slotOf = (record: Builtin | BuiltinConstant, context: EvalContext): Slot =>
  "constant" in record ? record.constant(context) : new PrimOp(record);
