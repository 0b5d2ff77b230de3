/**
 * Positions as values: `{ column; file; line; }` for what is in a file, null elsewhere.
 */
import { positionAt } from "#engine/syntax/source.ts";
import { leafCode } from "./code.ts";
import { Keys } from "./keys.ts";
import type { Pos } from "./positions.ts";
import { Attrs, Thunk, type Value } from "./value.ts";

const keys = new Keys(["column", "file", "line"]);

/** What `__curPos` and `unsafeGetAttrPos` answer: line and column are computed when they are looked at. */
export function positionSet(pos: Pos): Value {
  const { origin } = pos.source;
  if (origin.type !== "file") return null;
  const late = (part: "line" | "column"): Thunk =>
    new Thunk(
      leafCode(() => positionAt(pos.source, pos.offset)[part]),
      [],
    );
  return new Attrs(keys, [late("column"), origin.path, late("line")]);
}
