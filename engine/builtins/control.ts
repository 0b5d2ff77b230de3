/**
 * Control of evaluation: errors, catching them, and strictness.
 */
import { coerceToString } from "#engine/eval/coerce.ts";
import { NixError } from "#engine/eval/error.ts";
import { forceDeep } from "#engine/eval/force-deep.ts";
import { Keys } from "#engine/eval/keys.ts";
import { Attrs, textOf } from "#engine/eval/value.ts";
import { arg, builtin, type BuiltinFamily } from "./record.ts";

const tryKeys = new Keys(["success", "value"]);

export const controlBuiltins: BuiltinFamily = [
  builtin({
    name: "abort",
    global: true,
    args: [arg("s", "lazy")],
    doc: "Stops the evaluation with the message *s*. `tryEval` does not catch it.",
    *routine([message]) {
      const context = "while evaluating the error message passed to builtins.abort";
      const text = textOf(yield* coerceToString(message, { context, copy: true }));
      throw new NixError("abort", `evaluation aborted with the following error message: '${text}'`);
    },
  }),
  builtin({
    name: "deepSeq",
    args: [arg("e1", "lazy"), arg("e2", "lazy")],
    doc: "Evaluates *e1* and everything in it, then returns *e2*.",
    *routine([first, second]) {
      yield* forceDeep(first);
      return second;
    },
  }),
  builtin({
    name: "seq",
    args: [arg("e1", "any"), arg("e2", "lazy")],
    doc: "Evaluates *e1* to its outermost form, then returns *e2*.",
    impl: ([, second]) => second,
  }),
  builtin({
    name: "throw",
    global: true,
    args: [arg("s", "lazy")],
    doc: "Fails with the message *s*. `tryEval` catches it.",
    *routine([message]) {
      const context = "while evaluating the error message passed to builtin.throw";
      throw new NixError("throw", textOf(yield* coerceToString(message, { context, copy: true })));
    },
  }),
  builtin({
    name: "tryEval",
    args: [arg("e", "lazy")],
    doc: "Evaluates *e* to its outermost form and returns `{ success; value; }`; `throw` and failed assertions give `success = false` and `value = false`.",
    *routine([e]) {
      try {
        return new Attrs(tryKeys, [true, yield e]);
      } catch (thrown) {
        if (thrown instanceof NixError && thrown.catchable) return new Attrs(tryKeys, [false, false]);
        throw thrown;
      }
    },
  }),
];
