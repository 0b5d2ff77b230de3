/** What pure and restricted evaluation may read: the store, and under restriction what the search path names. */
import { isInStore } from "#engine/store/format/store-path.ts";
import { canonPath } from "./canon-path.ts";
import type { EvalContext } from "./context.ts";
import { NixError } from "./error.ts";

const isBelow = (path: string, directory: string): boolean => path === directory || path.startsWith(`${directory}/`);

/** The directory of a search path entry, which may always be read. */
function searchPathDirectory(entry: string, base: string): string {
  const path = entry.slice(entry.indexOf("=") + 1);
  return canonPath(path.startsWith("/") ? path : `${base}/${path}`);
}

/** @throws NixError for a path outside */
export function checkAllowed(path: string, { settings }: EvalContext): void {
  const { pureEval, restrictEval, storeDir } = settings;
  if ((!pureEval && !restrictEval) || isInStore(path, storeDir)) return;
  if (!pureEval && settings.nixPath.some((entry) => isBelow(path, searchPathDirectory(entry, settings.directory))))
    return;
  const mode = pureEval ? "pure evaluation mode (use '--impure' to override)" : "restricted mode";
  throw new NixError("restricted", `access to absolute path '${path}' is forbidden in ${mode}`);
}
