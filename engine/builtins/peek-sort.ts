/**
 * The stable sort of `builtins.sort`: peeksort (Munro and Wild 2018), a merge sort that uses the runs that a list has, and insertion for
 * short lists. It asks for comparisons instead of making them, in the order in which C++ Nix makes them, so that a comparator that
 * traces, throws or contradicts itself does the same here.
 */
import type { Slot } from "#engine/eval/value.ts";

/** Two elements to compare: is the first one before the second? */
type Comparison = readonly [a: Slot, b: Slot];
type Asking<T> = Generator<Comparison, T, boolean>;

/** Up to this length a part is sorted by insertion. */
const insertionLength = 16;

/** A part `[begin, end)` to sort, sorted up to `leftEnd` and from `rightBegin` on, or (`middle` given) two sorted halves to merge. */
interface Task {
  readonly begin: number;
  readonly end: number;
  readonly leftEnd: number;
  readonly rightBegin: number;
  readonly middle?: number;
}

/** Sorts in place. */
export function* peekSort(items: Slot[]): Asking<void> {
  const end = items.length;
  const tasks: Task[] = [{ begin: 0, end, leftEnd: 0, rightBegin: end }];
  for (let task = tasks.pop(); task !== undefined; task = tasks.pop()) {
    if (task.middle !== undefined) yield* merge(items, task.begin, task.middle, task.end);
    else if (task.leftEnd !== task.end && task.rightBegin !== task.begin) yield* sortPart(items, task, tasks);
  }
}

/** Sorts a short part, or divides a long one: what is left to do goes on the stack, last first. */
function* sortPart(items: Slot[], { begin, end, leftEnd, rightBegin }: Task, tasks: Task[]): Asking<void> {
  if (end - begin <= insertionLength) return yield* insert(items, begin, end);
  const half = begin + ((end - begin) >> 1);
  const split = (middle: number, left: Task | undefined, right: Task | undefined): void => {
    tasks.push({ begin, end, leftEnd, rightBegin, middle });
    if (right !== undefined) tasks.push(right);
    if (left !== undefined) tasks.push(left);
  };
  if (half <= leftEnd) {
    return split(leftEnd, undefined, { begin: leftEnd, end, leftEnd: leftEnd + 1, rightBegin });
  }
  if (half >= rightBegin) {
    return split(rightBegin, { begin, end: rightBegin, leftEnd, rightBegin: rightBegin - 1 }, undefined);
  }
  const [runBegin, runEnd] = yield* runAround(items, half, leftEnd, rightBegin);
  if (runBegin === begin && runEnd === end) return undefined;
  if (half - runBegin < runEnd - half) {
    const left = { begin, end: runBegin, leftEnd, rightBegin: runBegin - 1 };
    return split(runBegin, left, { begin: runBegin, end, leftEnd: runEnd, rightBegin });
  }
  const right = { begin: runEnd, end, leftEnd: runEnd + 1, rightBegin };
  return split(runEnd, { begin, end: runEnd, leftEnd, rightBegin: runBegin }, right);
}

/** The run that goes through the place before `half`; a falling one is turned round. */
function* runAround(items: Slot[], half: number, lowest: number, highest: number): Asking<[number, number]> {
  const falls = yield [items[half]!, items[half - 1]!];
  let begin = half - 1;
  while (begin > lowest && (yield [items[begin]!, items[begin - 1]!]) === falls) begin--;
  let end = half;
  while (end < highest && (yield [items[end]!, items[end - 1]!]) === falls) end++;
  if (falls) {
    for (let low = begin, high = end - 1; low < high; low++, high--) {
      [items[low], items[high]] = [items[high]!, items[low]!];
    }
  }
  return [begin, end];
}

function* insert(items: Slot[], begin: number, end: number): Asking<void> {
  for (let i = begin + 1; i < end; i++) {
    for (let at = i; at > begin && (yield [items[at]!, items[at - 1]!]); at--) {
      [items[at - 1], items[at]] = [items[at]!, items[at - 1]!];
    }
  }
}

function* merge(items: Slot[], begin: number, middle: number, end: number): Asking<void> {
  const left = items.slice(begin, middle);
  const right = items.slice(middle, end);
  let at = begin;
  let i = 0;
  let j = 0;
  while (i < left.length && j < right.length) {
    items[at++] = (yield [right[j]!, left[i]!]) ? right[j++]! : left[i++]!;
  }
  while (i < left.length) items[at++] = left[i++]!;
  while (j < right.length) items[at++] = right[j++]!;
}
