/**
 * Path arguments of builtins that read: coerced, what their context refers to built, and allowed to be read.
 */
import { checkAllowed } from "#engine/eval/allowed-paths.ts";
import { coerceToPath } from "#engine/eval/coerce.ts";
import type { EvalContext } from "#engine/eval/context.ts";
import { addTrace } from "#engine/eval/error.ts";
import { realiseContext } from "#engine/eval/realise.ts";
import type { Slot } from "#engine/eval/value.ts";
import type { Routine } from "./record.ts";

const REALISING = "while realising the context of a path";

/** The path a slot means, ready to be read. Throws NixError where pure or restricted evaluation forbids it. */
export function* realisePath(slot: Slot, evaluation: EvalContext): Routine<string> {
  const { path, context } = yield* coerceToPath(slot, REALISING);
  try {
    realiseContext(context, evaluation);
  } catch (thrown) {
    throw addTrace(thrown, `while realising the context of path '${path}'`);
  }
  checkAllowed(path, evaluation);
  return path;
}
