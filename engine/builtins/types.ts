/**
 * Asking values for their type, and functions for their arguments.
 */
import { NixError } from "#engine/eval/error.ts";
import { Keys, compareNames, noKeys } from "#engine/eval/keys.ts";
import {
  Attrs,
  Lambda,
  NixFloat,
  NixPath,
  PrimOp,
  PrimOpApp,
  isFunction,
  isInt,
  isList,
  isString,
  typeName,
} from "#engine/eval/value.ts";
import type { Value } from "#engine/eval/value.ts";
import { arg, builtin } from "./record.ts";
import type { Builtin, BuiltinFamily } from "./record.ts";

function predicate(name: string, what: string, test: (value: Value) => boolean, global = false): Builtin {
  return builtin({
    name,
    global,
    args: [arg("e", "any")],
    doc: `Returns \`true\` if *e* evaluates to ${what}, and \`false\` otherwise.`,
    impl: ([value]) => test(value),
  });
}

/** The named arguments of a function: name to whether it has a default. */
function functionArgs(value: Value): Attrs {
  if (value instanceof PrimOp || value instanceof PrimOpApp) return new Attrs(noKeys, []);
  if (!(value instanceof Lambda)) throw new NixError("type", "'functionArgs' requires a function");
  const formals = [...(value.code.formals ?? [])].sort((a, b) => compareNames(a.name, b.name));
  return new Attrs(
    new Keys(formals.map(({ name }) => name)),
    formals.map(({ fallback }) => fallback !== null),
    formals.map(({ pos }) => pos),
  );
}

export const typeBuiltins: BuiltinFamily = [
  predicate("isAttrs", "a set", (value) => value instanceof Attrs),
  predicate("isBool", "a Boolean", (value) => typeof value === "boolean"),
  predicate("isFloat", "a float", (value) => value instanceof NixFloat),
  predicate("isFunction", "a function (a set with `__functor` does not count)", isFunction),
  predicate("isInt", "an integer", isInt),
  predicate("isList", "a list", isList),
  predicate("isNull", "`null`", (value) => value === null, true),
  predicate("isPath", "a path", (value) => value instanceof NixPath),
  predicate("isString", "a string", isString),
  builtin({
    name: "typeOf",
    args: [arg("e", "any")],
    doc: 'The type of a value as a string: `"int"`, `"bool"`, `"string"`, `"path"`, `"null"`, `"set"`, `"list"`, `"lambda"` or `"float"`.',
    impl: ([value]) => typeName(value),
  }),
  builtin({
    name: "functionArgs",
    args: [arg("f", "any")],
    doc: "For a function that takes a set pattern (`{ x, y ? 1 }: …`): a set with each argument's name and whether it has a default. Other functions give `{ }`.",
    impl: ([value]) => functionArgs(value),
  }),
];
