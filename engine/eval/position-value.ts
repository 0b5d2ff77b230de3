/**
 * Positions as values: `{ column; file; line; }` for what is in a file, null elsewhere.
 */
import { positionAt } from "#engine/syntax/source.ts";
import { Keys } from "./keys.ts";
import type { Pos } from "./positions.ts";
import { Attrs, type Value } from "./value.ts";

const keys = new Keys(["column", "file", "line"]);

/** What `__curPos` and `unsafeGetAttrPos` answer. */
export function positionSet(pos: Pos): Value {
  const { origin } = pos.source;
  if (origin.type !== "file") return null;
  const { line, column } = positionAt(pos.source, pos.offset);
  return new Attrs(keys, [column, origin.path, line]);
}
