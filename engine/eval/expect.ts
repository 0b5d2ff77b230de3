/**
 * Type checks of forced values, with Nix's message.
 */
import type { ArgType } from "#engine/builtins/record.ts";
import { NixError } from "./error.ts";
import type { Pos } from "./positions.ts";
import { describeValue } from "./print.ts";
import { printContextElement } from "./string-context.ts";
import { Attrs, ContextString, NixFloat, isFunction, isInt, isList, isString, type Slot, type Value } from "./value.ts";

/** "expected a set but found an integer: 1" */
export const expectedError = (wanted: string, value: Value, pos?: Pos): NixError =>
  new NixError("type", `expected ${wanted} but found ${describeValue(value)}`, { pos });

export function expectBool(value: Value, pos: Pos | undefined, context: string): boolean {
  if (typeof value === "boolean") return value;
  throw expectedError("a Boolean", value, pos).within(context, pos);
}

/** The text of a string that must not have context. */
export function plainText(value: Value, pos?: Pos): string {
  if (typeof value === "string") return value;
  if (value instanceof ContextString) {
    const path = printContextElement([...value.context].sort()[0]!);
    const message = `the string '${value.text}' is not allowed to refer to a store path (such as '${path}')`;
    throw new NixError("eval", message);
  }
  throw expectedError("a string", value, pos);
}

export const isCallable = (value: Value): boolean =>
  isFunction(value) || (value instanceof Attrs && value.has("__functor"));

/** A forced argument of a builtin, checked against its declared type; `plain` comes back as its bytes. */
export function checkArg(value: Value, type: ArgType): Slot {
  switch (type) {
    case "lazy":
    case "any":
      return value;
    case "int":
      if (isInt(value)) return value;
      throw expectedError("an integer", value);
    case "number":
      if (isInt(value) || value instanceof NixFloat) return value;
      throw expectedError("an integer", value);
    case "bool":
      if (typeof value === "boolean") return value;
      throw expectedError("a Boolean", value);
    case "string":
      if (isString(value)) return value;
      throw expectedError("a string", value);
    case "plain":
      return plainText(value);
    case "list":
      if (isList(value)) return value;
      throw expectedError("a list", value);
    case "attrs":
      if (value instanceof Attrs) return value;
      throw expectedError("a set", value);
    case "function":
      if (isCallable(value)) return value;
      throw expectedError("a function", value);
  }
}
