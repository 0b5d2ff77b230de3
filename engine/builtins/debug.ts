/**
 * Builtins that tell the user something on the way and otherwise give back a value unchanged.
 */
import { coerceNow, coerceToString } from "#engine/eval/coerce.ts";
import { NixError } from "#engine/eval/error.ts";
import { force } from "#engine/eval/force.ts";
import { printValue } from "#engine/eval/print.ts";
import { runtime } from "#engine/eval/runtime.ts";
import { isString, textOf } from "#engine/eval/value.ts";
import type { Value } from "#engine/eval/value.ts";
import { arg, builtin } from "./record.ts";
import type { BuiltinFamily } from "./record.ts";

/** What `trace` shows: strings as they are, other values as far as they have been evaluated. */
const traceText = (value: Value): string => `trace: ${isString(value) ? textOf(value) : printValue(value)}`;

const messageHow = { context: "while evaluating the error message passed to builtins.addErrorContext" };

export const debugBuiltins: BuiltinFamily = [
  builtin({
    name: "trace",
    args: [arg("e1", "any"), arg("e2", "lazy")],
    doc: "Prints *e1* on standard error, then gives *e2*. Strings are printed as they are, other values as far as they are evaluated.",
    impl: ([value, result], { io }) => {
      io.log(traceText(value));
      return result;
    },
  }),
  builtin({
    name: "traceVerbose",
    args: [arg("e1", "lazy"), arg("e2", "lazy")],
    doc: "Like `trace`, but only when the setting `trace-verbose` is on; otherwise *e1* is not evaluated.",
    *routine([message, result], { io, settings }) {
      if (settings.traceVerbose) io.log(traceText(yield message));
      return result;
    },
  }),
  builtin({
    name: "warn",
    args: [
      arg("e1", "string", "while evaluating the first argument; the message passed to builtins.warn"),
      arg("e2", "lazy"),
    ],
    doc: "Prints the string *e1* as an evaluation warning, then gives *e2*. With the setting `abort-on-warn` evaluation ends there instead.",
    impl: ([message, result], { io, settings }) => {
      // Further lines are indented as far as the first.
      io.log(`evaluation warning: ${textOf(message).replaceAll("\n", `\n${" ".repeat(20)}`)}`);
      if (settings.abortOnWarn) {
        throw new NixError("abort", "aborting to reveal stack trace of warning, as abort-on-warn is set");
      }
      return result;
    },
  }),
  builtin({
    name: "break",
    global: true,
    args: [arg("v", "lazy")],
    traced: false,
    doc: "Gives its argument back. In C++ Nix it also enters the debugger under `--debugger`.",
    impl: ([value]) => value,
  }),
  builtin({
    name: "addErrorContext",
    args: [arg("message", "lazy"), arg("e", "lazy")],
    traced: false,
    doc: "Gives *e*; if its evaluation fails, *message* is added to the error's trace.",
    *routine([message, slot]) {
      try {
        return yield slot;
      } catch (thrown) {
        if (!(thrown instanceof NixError)) throw thrown;
        const text = yield* coerceToString(message, messageHow);
        throw thrown.within(textOf(text), undefined, "always");
      }
    },
    direct([message, slot]) {
      const { depth, calls } = runtime;
      try {
        return force(slot);
      } catch (thrown) {
        if (!(thrown instanceof NixError)) throw thrown;
        Object.assign(runtime, { depth, calls });
        throw thrown.within(textOf(coerceNow(message, messageHow)), undefined, "always");
      }
    },
  }),
];
