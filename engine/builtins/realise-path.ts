/**
 * Path arguments of builtins that read: coerced, what their context refers to built, and allowed to be read.
 */
import { canonPath, coerceToPath } from "#engine/eval/coerce.ts";
import type { EvalContext } from "#engine/eval/context.ts";
import { NixError, addTrace } from "#engine/eval/error.ts";
import { realiseContext } from "#engine/eval/realise.ts";
import type { Slot, Value } from "#engine/eval/value.ts";
import { isInStore } from "#engine/store/format/store-path.ts";
import type { Routine } from "./record.ts";

const REALISING = "while realising the context of a path";

/** The path a slot means, ready to be read. Throws NixError where pure or restricted evaluation forbids it. */
export function* realisePath(slot: Slot, evaluation: EvalContext): Routine<string> {
  let value: Value;
  try {
    value = yield slot;
  } catch (thrown) {
    throw addTrace(thrown, REALISING);
  }
  const { path, context } = yield* coerceToPath(value, REALISING);
  try {
    realiseContext(context, evaluation);
  } catch (thrown) {
    throw addTrace(thrown, `while realising the context of path '${path}'`);
  }
  checkAllowed(path, evaluation);
  return path;
}

const isBelow = (path: string, directory: string): boolean => path === directory || path.startsWith(`${directory}/`);

/** The directory of a search path entry, which may always be read. */
function searchPathDirectory(entry: string, base: string): string {
  const path = entry.slice(entry.indexOf("=") + 1);
  return canonPath(path.startsWith("/") ? path : `${base}/${path}`);
}

function checkAllowed(path: string, { settings }: EvalContext): void {
  const { pureEval, restrictEval, storeDir } = settings;
  if ((!pureEval && !restrictEval) || isInStore(path, storeDir)) return;
  if (!pureEval && settings.nixPath.some((entry) => isBelow(path, searchPathDirectory(entry, settings.directory))))
    return;
  const mode = pureEval ? "pure evaluation mode (use '--impure' to override)" : "restricted mode";
  throw new NixError("restricted", `access to absolute path '${path}' is forbidden in ${mode}`);
}
