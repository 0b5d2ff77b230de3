/**
 * Taking an argument set apart for a lambda with formals.
 */
import { NixError, addTrace } from "./error.ts";
import { expectedError } from "./expect.ts";
import { force } from "./force.ts";
import type { Pos } from "./positions.ts";
import { evalContext } from "./runtime.ts";
import { printName } from "./print.ts";
import { evaluationOrder } from "./symbols.ts";
import { suggest } from "./suggest.ts";
import { Attrs, type Env, type Lambda, type Slot, type Value, slotArray } from "./value.ts";

/** The forced argument, checked to be a set. */
export function forceFormalsArgument(lambda: Lambda, argument: Slot, pos: Pos | undefined): Attrs {
  if (argument instanceof Attrs) return argument;
  let value: Value;
  try {
    value = force(argument, lambda.code.pos);
  } catch (thrown) {
    throw formalsTrace(thrown, pos);
  }
  return checkFormalsArgument(lambda, value, pos);
}

export function checkFormalsArgument(lambda: Lambda, value: Value, pos: Pos | undefined): Attrs {
  if (value instanceof Attrs) return value;
  const error = expectedError("a set", value).within(
    "while evaluating the value passed for the lambda argument",
    lambda.code.pos,
  );
  throw formalsTrace(error, pos);
}

/** The trace of an argument that could not be evaluated to a set. */
export const formalsTrace = (thrown: unknown, pos: Pos | undefined): unknown =>
  pos === undefined ? thrown : addTrace(thrown, "from call site", pos);

/** The frame of a call: the whole argument if it has a name, then the formals. */
export function bindFormals(lambda: Lambda, argument: Slot, attrs: Attrs, pos: Pos | undefined): Env {
  const code = lambda.code;
  const formals = code.formals!;
  const env: Env = slotArray(code.frameSize);
  env[0] = lambda.env;
  let cell = 1;
  if (code.param !== null) env[cell++] = argument;
  let used = 0;
  for (const formal of formals) {
    const slot = attrs.get(formal.name);
    if (slot !== undefined) used++;
    else if (formal.fallback === null) throw missingArgument(lambda, attrs, pos);
    env[cell++] = slot === undefined ? formal.fallback!.delay(env) : slot;
  }
  if (!code.ellipsis && used !== attrs.size) throw unexpectedArgument(lambda, attrs, pos);
  return env;
}

const functionName = (lambda: Lambda): string =>
  lambda.code.name === null ? "anonymous lambda" : printName(lambda.code.name);

/** Of several the one whose symbol is the oldest. */
function missingArgument(lambda: Lambda, attrs: Attrs, pos: Pos | undefined): NixError {
  const { symbols } = evalContext();
  const missing = lambda.code.formals!.filter(({ name, fallback }) => fallback === null && !attrs.has(name));
  const name = missing.map((formal) => formal.name).reduce((a, b) => (symbols.intern(b) < symbols.intern(a) ? b : a));
  const message = `function '${functionName(lambda)}' called without required argument '${printName(name)}'`;
  const data = { argument: name };
  return new NixError("missing", message, { pos: lambda.code.pos, data }).within("from call site", pos);
}

function unexpectedArgument(lambda: Lambda, attrs: Attrs, pos: Pos | undefined): NixError {
  const known = lambda.code.formalNames!;
  const order = evaluationOrder(attrs, evalContext().symbols);
  const name = attrs.keys.names[order.find((index) => !known.has(attrs.keys.names[index]!))!]!;
  const message = `function '${functionName(lambda)}' called with unexpected argument '${printName(name)}'`;
  const suggestions = suggest(name, [...known.keys()]);
  const data = { argument: name };
  return new NixError("missing", message, { pos: lambda.code.pos, suggestions, data }).within("from call site", pos);
}
