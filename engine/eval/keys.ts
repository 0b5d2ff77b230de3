/**
 * `Keys`: the sorted names of an attribute set, shared by all sets of the same shape.
 *
 * Invariant: names are in byte order, without duplicates, and never change. Sites that select attributes remember the last `Keys`
 * they saw and the index found there, so identity must mean equality; the reverse need not hold.
 */

const linearLimit = 8;
/** Searches, for each so many names, after which an index pays. */
const namesASearch = 8;
const indexAfter = 4;

export class Keys {
  declare readonly names: readonly string[];
  declare private index: Map<string, number> | undefined;
  declare private searches: number;
  /** Merge plans by right-hand keys; see merge.ts. */
  declare plans: Map<Keys, unknown> | undefined;
  /** The right-hand keys of the last merge, and its plan. */
  declare lastMerged: Keys | undefined;
  declare lastPlan: unknown;
  /** Indices in evaluation order; see symbols.ts. */
  declare order: readonly number[] | undefined;

  /** `names` must be sorted already. */
  constructor(names: readonly string[]) {
    this.names = names;
    this.index = undefined;
    this.searches = 0;
    this.plans = undefined;
    this.lastMerged = undefined;
    this.lastPlan = undefined;
    this.order = undefined;
  }

  get size(): number {
    return this.names.length;
  }

  /** The index of a name, or -1. */
  indexOf(name: string): number {
    const names = this.names;
    if (this.index !== undefined) return this.index.get(name) ?? -1;
    if (names.length <= linearLimit) return names.indexOf(name);
    if (++this.searches > indexAfter + names.length / namesASearch) return this.buildIndex().get(name) ?? -1;
    const place = binarySearch(names, name);
    return place < 0 ? -1 : place;
  }

  /** The index of a name, or ~ where it would stand. */
  placeOf(name: string): number {
    return binarySearch(this.names, name);
  }

  private buildIndex(): Map<string, number> {
    const index = new Map<string, number>();
    for (let i = 0; i < this.names.length; i++) index.set(this.names[i]!, i);
    this.index = index;
    return index;
  }
}

export const noKeys = new Keys([]);

function binarySearch(names: readonly string[], name: string): number {
  let low = 0;
  let high = names.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const candidate = names[middle]!;
    if (candidate === name) return middle;
    if (candidate < name) low = middle + 1;
    else high = middle - 1;
  }
  return ~low;
}

/** Byte order, the order of every attribute listing. */
export const compareNames = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);
