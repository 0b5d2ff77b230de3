/**
 * Positions of source text in values and errors: a source and a byte offset, turned into line and column only when printed.
 */
import type { Source } from "#engine/syntax/ast.ts";
import type { Keys } from "./keys.ts";

/** Where something was written. */
export interface Pos {
  readonly source: Source;
  /** Byte offset into the source's text. */
  readonly offset: number;
}

/**
 * Where the attributes of a set were written: an array parallel to the set's names, or for the result of `//` the two sides, asked
 * right first. Kept lazy because almost no attribute's position is ever looked at.
 */
export type PosTable = readonly (Pos | undefined)[] | PosMerge;

export class PosMerge {
  readonly left: PosTable | undefined;
  readonly right: PosTable | undefined;
  /** For each name of the result: an index into the right table, or ~index into the left one. */
  readonly picks: readonly number[];
  readonly depth: number;
  constructor(left: PosTable | undefined, right: PosTable | undefined, picks: readonly number[]) {
    this.left = left;
    this.right = right;
    this.picks = picks;
    this.depth = 1 + Math.max(left instanceof PosMerge ? left.depth : 0, right instanceof PosMerge ? right.depth : 0);
  }
}

/** The position of one attribute of a set with these keys, if known. */
export function attributePos(table: PosTable | undefined, keys: Keys, name: string): Pos | undefined {
  const index = table === undefined ? -1 : keys.indexOf(name);
  return index < 0 ? undefined : posAt(table, index);
}

function posAt(table: PosTable | undefined, index: number): Pos | undefined {
  let current = table;
  let at = index;
  while (current instanceof PosMerge) {
    const pick: number = current.picks[at]!;
    current = pick >= 0 ? current.right : current.left;
    at = pick >= 0 ? pick : ~pick;
  }
  return current?.[at];
}

/** All positions of a table for so many names, written out. */
export function writtenOut(table: PosTable, size: number): (Pos | undefined)[] {
  const positions: (Pos | undefined)[] = [];
  for (let index = 0; index < size; index++) positions.push(posAt(table, index));
  return positions;
}

/** Name of the source that defines `derivation`; traces leave out selections of attributes written there. */
export const internalSource = "\u00c2\u00abnix-internal\u00c2\u00bb/derivation-internal.nix";

export const isInternal = (pos: Pos): boolean =>
  pos.source.origin.type === "file" && pos.source.origin.path === internalSource;
