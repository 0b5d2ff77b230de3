/**
 * Values as plain trees for a page: evaluated as far as is asked for, with limits on depth and number of nodes, errors in their place.
 */
import type { Routine } from "#engine/builtins/record.ts";
import { decodeUtf8 } from "#engine/store/format/bytes.ts";
import { isDerivationForced } from "./equality.ts";
import { errorToData, type ErrorData } from "./error-data.ts";
import { NixError } from "./error.ts";
import { printFloat } from "./float-text.ts";
import { lambdaName } from "./call.ts";
import {
  Attrs,
  Lambda,
  NixFloat,
  NixPath,
  PrimOp,
  PrimOpApp,
  isInt,
  isList,
  isString,
  textOf,
  type Slot,
  type Value,
} from "./value.ts";

/** A value or the reason why there is none. Text is decoded; integers beyond 2^53 are bigints. */
export type ValueTree =
  | { readonly type: "null" }
  | { readonly type: "bool"; readonly value: boolean }
  | { readonly type: "int"; readonly value: number | bigint }
  | { readonly type: "float"; readonly value: number; readonly text: string }
  | { readonly type: "string"; readonly value: string; readonly context: readonly string[] }
  | { readonly type: "path"; readonly value: string }
  | { readonly type: "function"; readonly name: string }
  | { readonly type: "derivation"; readonly drvPath: string; readonly outPath: string; readonly name: string }
  | { readonly type: "list"; readonly items: readonly ValueTree[]; readonly omitted: number }
  | {
      readonly type: "set";
      readonly entries: readonly (readonly [name: string, value: ValueTree])[];
      readonly omitted: number;
    }
  /** Not looked at: too deep, too much, or met before on the way here. */
  | { readonly type: "more"; readonly of: "set" | "list" | "repeated" }
  | { readonly type: "error"; readonly error: ErrorData };

export interface TreeLimits {
  readonly depth: number;
  /** Nodes of the whole tree. */
  readonly nodes: number;
  /** Elements of one list or set. */
  readonly width: number;
}

export const defaultLimits: TreeLimits = { depth: 4, nodes: 2000, width: 200 };

interface TreeState {
  readonly limits: TreeLimits;
  nodes: number;
  readonly above: Set<Value>;
}

/** The tree of a slot. Errors of the program become `error` nodes; only a `NeedsIO` comes out. */
export function* valueTree(slot: Slot, limits: Partial<TreeLimits> = {}): Routine<ValueTree> {
  return yield* grow(slot, { limits: { ...defaultLimits, ...limits }, nodes: 0, above: new Set() }, 0);
}

function* grow(slot: Slot, state: TreeState, depth: number): Routine<ValueTree> {
  state.nodes++;
  try {
    const value = yield slot;
    if (value instanceof Attrs) return yield* growSet(value, state, depth);
    if (isList(value)) return yield* growList(value, state, depth);
    return leaf(value);
  } catch (thrown) {
    if (thrown instanceof NixError) return { type: "error", error: errorToData(thrown) };
    throw thrown;
  }
}

function leaf(value: Exclude<Value, Attrs>): ValueTree {
  if (value === null) return { type: "null" };
  if (typeof value === "boolean") return { type: "bool", value };
  if (isInt(value)) return { type: "int", value };
  if (isString(value)) {
    const context = typeof value === "string" ? [] : [...value.context];
    return { type: "string", value: decodeUtf8(textOf(value)), context };
  }
  if (value instanceof NixFloat) return { type: "float", value: value.value, text: printFloat(value.value) };
  if (value instanceof NixPath) return { type: "path", value: decodeUtf8(value.path) };
  if (value instanceof Lambda) return { type: "function", name: lambdaName(value.code) };
  if (value instanceof PrimOp || value instanceof PrimOpApp)
    return { type: "function", name: `builtins.${value.builtin.name}` };
  return { type: "more", of: "list" };
}

function* growSet(value: Attrs, state: TreeState, depth: number): Routine<ValueTree> {
  if (yield* isDerivationForced(value)) {
    const text = function* (name: string): Routine<string> {
      const part = value.get(name);
      const forced = part === undefined ? "" : yield part;
      return isString(forced) ? decodeUtf8(textOf(forced)) : "";
    };
    return {
      type: "derivation",
      drvPath: yield* text("drvPath"),
      outPath: yield* text("outPath"),
      name: yield* text("name"),
    };
  }
  if (state.above.has(value)) return { type: "more", of: "repeated" };
  if (value.size > 0 && depth >= state.limits.depth) return { type: "more", of: "set" };
  state.above.add(value);
  const entries: (readonly [string, ValueTree])[] = [];
  for (let i = 0; i < value.size && i < state.limits.width && state.nodes < state.limits.nodes; i++) {
    entries.push([decodeUtf8(value.keys.names[i]!), yield* grow(value.values[i]!, state, depth + 1)]);
  }
  state.above.delete(value);
  return { type: "set", entries, omitted: value.size - entries.length };
}

function* growList(value: readonly Slot[], state: TreeState, depth: number): Routine<ValueTree> {
  if (value.length > 0 && depth >= state.limits.depth) return { type: "more", of: "list" };
  const items: ValueTree[] = [];
  for (let i = 0; i < value.length && i < state.limits.width && state.nodes < state.limits.nodes; i++) {
    items.push(yield* grow(value[i]!, state, depth + 1));
  }
  return { type: "list", items, omitted: value.length - items.length };
}
