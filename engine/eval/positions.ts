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
  declare readonly left: PosTable | undefined;
  declare readonly leftKeys: Keys;
  declare readonly right: PosTable | undefined;
  declare readonly rightKeys: Keys;
  declare readonly depth: number;
  constructor(left: PosTable | undefined, leftKeys: Keys, right: PosTable | undefined, rightKeys: Keys) {
    this.left = left;
    this.leftKeys = leftKeys;
    this.right = right;
    this.rightKeys = rightKeys;
    this.depth = 1 + Math.max(left instanceof PosMerge ? left.depth : 0, right instanceof PosMerge ? right.depth : 0);
  }
}

/** The position of one attribute of a set with these keys, if known. */
export function attributePos(table: PosTable | undefined, keys: Keys, name: string): Pos | undefined {
  let current = table;
  let names = keys;
  while (current instanceof PosMerge) {
    const fromRight = current.rightKeys.indexOf(name) >= 0;
    names = fromRight ? current.rightKeys : current.leftKeys;
    current = fromRight ? current.right : current.left;
  }
  if (current === undefined) return undefined;
  const index = names.indexOf(name);
  return index < 0 ? undefined : current[index];
}

/** All positions of a table for these keys, written out. */
export function writtenOut(table: PosTable, keys: Keys): (Pos | undefined)[] {
  const found = new Map<string, Pos | undefined>();
  collect(table, keys, found);
  return keys.names.map((name) => found.get(name));
}

function collect(table: PosTable | undefined, keys: Keys, found: Map<string, Pos | undefined>): void {
  if (table instanceof PosMerge) {
    collect(table.left, table.leftKeys, found);
    collect(table.right, table.rightKeys, found);
  } else {
    keys.names.forEach((name, index) => found.set(name, table?.[index]));
  }
}

const setPlaces = new WeakMap<object, Pos>();

/** Remembers where the set was written whose attributes have these positions. */
export function placeSet(positions: readonly Pos[], pos: Pos): void {
  setPlaces.set(positions, pos);
}

/** Where a set was written, if it is one that was. */
export const setPlace = (positions: PosTable | undefined): Pos | undefined =>
  positions === undefined ? undefined : setPlaces.get(positions);

/** Name of the source that defines `derivation`; traces leave out selections of attributes written there. */
export const internalSource = "\u00c2\u00abnix-internal\u00c2\u00bb/derivation-internal.nix";

export const isInternal = (pos: Pos): boolean =>
  pos.source.origin.type === "file" && pos.source.origin.path === internalSource;
