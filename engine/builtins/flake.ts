/**
 * `parseFlakeRef` and `flakeRefToString`: flake references as text and as attribute sets.
 */
import type { EvalContext } from "#engine/eval/context.ts";
import { NixError } from "#engine/eval/error.ts";
import { printName } from "#engine/eval/print.ts";
import { namesInOrder } from "#engine/eval/symbols.ts";
import { describeType, isInt, isString, normalInt, textOf } from "#engine/eval/value.ts";
import type { Attrs, Slot } from "#engine/eval/value.ts";
import { parseFlakeRef, printFlakeRef } from "./flake-ref.ts";
import type { InputAttr, InputAttrs } from "./flake-ref.ts";
import { demand } from "./demand.ts";
import { attrsOf } from "./json-parse.ts";
import { arg, builtin } from "./record.ts";
import type { BuiltinFamily, Routine } from "./record.ts";

/** An input's attributes as a set. */
export const inputSet = (attrs: InputAttrs): Attrs =>
  attrsOf(
    new Map(
      [...attrs].map(([name, value]): [string, Slot] => [name, typeof value === "bigint" ? normalInt(value)! : value]),
    ),
  );

function* flakeRefAttrs(set: Attrs, { symbols }: EvalContext): Routine<Map<string, InputAttr>> {
  const attrs = new Map<string, InputAttr>();
  for (const name of namesInOrder(set, symbols)) {
    const value = yield set.get(name)!;
    if (typeof value === "boolean") attrs.set(name, value);
    else if (isString(value)) attrs.set(name, textOf(value));
    else if (isInt(value)) {
      if (value < 0) throw new NixError("eval", `negative value given for flake ref attr ${printName(name)}: ${value}`);
      attrs.set(name, BigInt(value));
    } else {
      throw new NixError(
        "type",
        `flake reference attribute sets may only contain integers, Booleans, and strings, but attribute '${printName(name)}' is ${describeType(value)}`,
      );
    }
  }
  return attrs;
}

const FLAKE_SCHEMES: ReadonlySet<InputAttr | undefined> = new Set([
  "github",
  "gitlab",
  "indirect",
  "path",
  "sourcehut",
]);

/** Some kinds of reference exist only with flakes. */
export function requireSchemeFeature(attrs: ReadonlyMap<string, InputAttr>, context: EvalContext): void {
  if (FLAKE_SCHEMES.has(attrs.get("type"))) context.requireFeature("flakes");
}

export const flakeBuiltins: BuiltinFamily = [
  builtin({
    name: "parseFlakeRef",
    args: [arg("flake-ref", "lazy")],
    doc: 'Takes a flake reference apart: `parseFlakeRef "github:a/b?dir=c"` is `{ type = "github"; owner = "a"; repo = "b"; dir = "c"; }`. Needs the experimental feature `flakes`.',
    *routine([slot], context) {
      const text = yield* demand(slot, "plain", "while evaluating the argument passed to builtins.parseFlakeRef");
      const attrs = parseFlakeRef(text);
      requireSchemeFeature(attrs, context);
      return inputSet(attrs);
    },
  }),
  builtin({
    name: "flakeRefToString",
    args: [arg("attrs", "lazy")],
    doc: 'The text of a flake reference given as a set: `flakeRefToString { type = "github"; owner = "a"; repo = "b"; }` is `"github:a/b"`. Needs the experimental feature `flakes`.',
    *routine([slot], context) {
      const set = yield* demand(slot, "attrs", "while evaluating the argument passed to builtins.flakeRefToString");
      const attrs = yield* flakeRefAttrs(set, context);
      requireSchemeFeature(attrs, context);
      return printFlakeRef(attrs);
    },
  }),
];
