/**
 * `//`: the union of two attribute sets, right side first.
 *
 * How two shapes merge is planned once and kept with the left shape, so that a set updated again and again with the same shapes is
 * one array fill. Large or ever new shapes are merged without keeping a plan; a few attributes on top of many cost a copy.
 */
import { Keys } from "./keys.ts";
import { PosMerge, writtenOut, type PosTable } from "./positions.ts";
import { Attrs, type Slot, slotArray } from "./value.ts";

/** For each name of the result: an index into the right values, or ~index into the left ones. */
interface MergePlan {
  readonly keys: Keys;
  readonly picks: readonly number[];
}

const maxPlannedSize = 256;
const maxPlans = 16;
const maxPosDepth = 32;
/** How many times smaller the right side is when it is put into a copy of the left one. */
const fewFactor = 8;

export function mergeAttrs(left: Attrs, right: Attrs): Attrs {
  if (right.size === 0) return left;
  if (left.size === 0) return right;
  const few = left.size + right.size > maxPlannedSize && right.size * fewFactor <= left.size;
  return few ? mergeFew(left, right) : mergePlanned(left, right);
}

function mergePlanned(left: Attrs, right: Attrs): Attrs {
  const { keys, picks } = planMerge(left.keys, right.keys);
  // Nothing is left of the left side: the right side in a set of its own.
  if (keys === right.keys) return new Attrs(keys, right.values, right.positions);
  const ours = left.values;
  const theirs = right.values;
  const values: Slot[] = slotArray(picks.length);
  for (let i = 0; i < picks.length; i++) {
    const pick = picks[i]!;
    values[i] = pick >= 0 ? theirs[pick]! : ours[~pick]!;
  }
  return new Attrs(keys, values, mergePositions(left, right, keys));
}

/** A few attributes put into a copy of many. */
function mergeFew(left: Attrs, right: Attrs): Attrs {
  const places = right.keys.names.map((name) => left.keys.placeOf(name));
  if (places.every((place) => place >= 0)) {
    const values = left.values.slice();
    for (let i = 0; i < places.length; i++) values[places[i]!] = right.values[i]!;
    return new Attrs(left.keys, values, mergePositions(left, right, left.keys));
  }
  const size = left.size + places.filter((place) => place < 0).length;
  const names: string[] = Array.from({ length: size });
  const values: Slot[] = slotArray(size);
  let at = 0;
  let copied = 0;
  const copyTo = (end: number): void => {
    for (; copied < end; copied++, at++) {
      names[at] = left.keys.names[copied]!;
      values[at] = left.values[copied]!;
    }
  };
  for (let i = 0; i < places.length; i++, at++) {
    const place = places[i]!;
    copyTo(place >= 0 ? place : ~place);
    if (place >= 0) copied++;
    names[at] = right.keys.names[i]!;
    values[at] = right.values[i]!;
  }
  copyTo(left.size);
  const keys = new Keys(names);
  return new Attrs(keys, values, mergePositions(left, right, keys));
}

function planMerge(left: Keys, right: Keys): MergePlan {
  if (left.lastMerged === right) return left.lastPlan as MergePlan;
  let plan = left.plans?.get(right) as MergePlan | undefined;
  if (plan === undefined) {
    plan = computePlan(left, right);
    if (left.size + right.size > maxPlannedSize) return plan;
    // The first plan needs no table: most shapes are merged with one other.
    if (left.lastMerged !== undefined) {
      left.plans ??= new Map();
      if (left.plans.size < maxPlans) left.plans.set(right, plan);
    }
  }
  left.lastMerged = right;
  left.lastPlan = plan;
  return plan;
}

function computePlan(left: Keys, right: Keys): MergePlan {
  const a = left.names;
  const b = right.names;
  const names: string[] = [];
  const picks: number[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const nameA = a[i]!;
    const nameB = b[j]!;
    if (nameA === nameB) i++;
    if (nameA < nameB) {
      picks.push(~i++);
      names.push(nameA);
    } else {
      picks.push(j++);
      names.push(nameB);
    }
  }
  for (; i < a.length; i++) {
    picks.push(~i);
    names.push(a[i]!);
  }
  for (; j < b.length; j++) {
    picks.push(j);
    names.push(b[j]!);
  }
  const keys = names.length === b.length ? right : names.length === a.length ? left : new Keys(names);
  return { keys, picks };
}

/** Positions of a merged set; long chains are written out, so that they do not grow without bound. */
function mergePositions(left: Attrs, right: Attrs, keys: Keys): PosTable | undefined {
  if (left.positions === undefined && right.positions === undefined) return undefined;
  const merged = new PosMerge(left.positions, left.keys, right.positions, right.keys);
  return merged.depth <= maxPosDepth ? merged : writtenOut(merged, keys);
}
