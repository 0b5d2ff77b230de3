/**
 * `//`: the union of two attribute sets, right side first.
 *
 * How two shapes merge is planned once and kept with the left shape, so that a set updated again and again with the same shapes is
 * one array fill. Large or ever new shapes are merged without keeping a plan.
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
const maxPosDepth = 12;

export function mergeAttrs(left: Attrs, right: Attrs): Attrs {
  if (right.size === 0) return left;
  if (left.size === 0) return right;
  const plan = planMerge(left.keys, right.keys);
  const { picks } = plan;
  const values: Slot[] = slotArray(picks.length);
  for (let i = 0; i < picks.length; i++) {
    const pick = picks[i]!;
    values[i] = pick >= 0 ? right.values[pick]! : left.values[~pick]!;
  }
  return new Attrs(plan.keys, values, mergePositions(left, right, picks));
}

function planMerge(left: Keys, right: Keys): MergePlan {
  const plans = left.plans as Map<Keys, MergePlan> | undefined;
  const known = plans?.get(right);
  if (known !== undefined) return known;
  const plan = computePlan(left, right);
  if (left.size + right.size <= maxPlannedSize && (plans?.size ?? 0) < maxPlans) {
    if (plans === undefined) left.plans = new Map([[right, plan]]);
    else plans.set(right, plan);
  }
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
  const keys = names.length === a.length ? left : names.length === b.length ? right : new Keys(names);
  return { keys, picks };
}

/** Positions of a merged set; long chains are written out, so that they do not grow without bound. */
function mergePositions(left: Attrs, right: Attrs, picks: readonly number[]): PosTable | undefined {
  if (left.positions === undefined && right.positions === undefined) return undefined;
  const merged = new PosMerge(left.positions, right.positions, picks);
  return merged.depth <= maxPosDepth ? merged : writtenOut(merged, picks.length);
}
