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
  const tasks = [wholeOf(items)];
  for (let task = tasks.pop(); task !== undefined; task = tasks.pop()) {
    const { begin, end, leftEnd, rightBegin, middle } = task;
    if (middle !== undefined) yield* merge(items, begin, middle, end);
    else if (isSorted(task)) continue;
    else if (end - begin <= insertionLength) yield* insert(items, begin, end);
    else if (!divideAtEdge(task, tasks))
      divideAtRun(task, tasks, yield* runAround(items, halfOf(task), leftEnd, rightBegin));
  }
}

/** Whether the first element is before the second. */
type Before = (a: Slot, b: Slot) => boolean;

/** The same sort where a comparison can be made at once: a generator that is asked a hundred thousand times costs more than the sort. */
export function peekSortNow(items: Slot[], before: Before): void {
  const tasks = [wholeOf(items)];
  for (let task = tasks.pop(); task !== undefined; task = tasks.pop()) {
    const { begin, end, leftEnd, rightBegin, middle } = task;
    if (middle !== undefined) mergeNow(items, begin, middle, end, before);
    else if (isSorted(task)) continue;
    else if (end - begin <= insertionLength) insertNow(items, begin, end, before);
    else if (!divideAtEdge(task, tasks))
      divideAtRun(task, tasks, runAroundNow(items, halfOf(task), leftEnd, rightBegin, before));
  }
}

const wholeOf = ({ length: end }: readonly Slot[]): Task => ({ begin: 0, end, leftEnd: 0, rightBegin: end });
const isSorted = ({ begin, end, leftEnd, rightBegin }: Task): boolean => leftEnd === end || rightBegin === begin;
const halfOf = ({ begin, end }: Task): number => begin + ((end - begin) >> 1);

/** Divides a part; what is left to do goes on the stack, last first. */
function divide(task: Task, tasks: Task[], middle: number, left: Task | undefined, right: Task | undefined): true {
  tasks.push({ ...task, middle });
  if (right !== undefined) tasks.push(right);
  if (left !== undefined) tasks.push(left);
  return true;
}

/** Divides a part where it is sorted beyond its half from one side; false when it is not. */
function divideAtEdge(task: Task, tasks: Task[]): boolean {
  const { begin, end, leftEnd, rightBegin } = task;
  const half = halfOf(task);
  if (half <= leftEnd) {
    return divide(task, tasks, leftEnd, undefined, { begin: leftEnd, end, leftEnd: leftEnd + 1, rightBegin });
  }
  if (half < rightBegin) return false;
  return divide(task, tasks, rightBegin, { begin, end: rightBegin, leftEnd, rightBegin: rightBegin - 1 }, undefined);
}

/** Divides a part at the nearer end of the run around its half; one that is all run is sorted. */
function divideAtRun(task: Task, tasks: Task[], [runBegin, runEnd]: readonly [number, number]): void {
  const { begin, end, leftEnd, rightBegin } = task;
  const half = halfOf(task);
  if (runBegin === begin && runEnd === end) return;
  if (half - runBegin < runEnd - half) {
    const left = { begin, end: runBegin, leftEnd, rightBegin: runBegin - 1 };
    divide(task, tasks, runBegin, left, { begin: runBegin, end, leftEnd: runEnd, rightBegin });
  } else {
    const right = { begin: runEnd, end, leftEnd: runEnd + 1, rightBegin };
    divide(task, tasks, runEnd, { begin, end: runEnd, leftEnd, rightBegin: runBegin }, right);
  }
}

/** The run that goes through the place before `half`; a falling one is turned round. */
function* runAround(items: Slot[], half: number, lowest: number, highest: number): Asking<[number, number]> {
  const falls = yield [items[half]!, items[half - 1]!];
  let begin = half - 1;
  while (begin > lowest && (yield [items[begin]!, items[begin - 1]!]) === falls) begin--;
  let end = half;
  while (end < highest && (yield [items[end]!, items[end - 1]!]) === falls) end++;
  if (falls) turnRound(items, begin, end);
  return [begin, end];
}

function runAroundNow(items: Slot[], half: number, lowest: number, highest: number, before: Before): [number, number] {
  const falls = before(items[half]!, items[half - 1]!);
  let begin = half - 1;
  while (begin > lowest && before(items[begin]!, items[begin - 1]!) === falls) begin--;
  let end = half;
  while (end < highest && before(items[end]!, items[end - 1]!) === falls) end++;
  if (falls) turnRound(items, begin, end);
  return [begin, end];
}

function turnRound(items: Slot[], begin: number, end: number): void {
  for (let low = begin, high = end - 1; low < high; low++, high--) swap(items, low, high);
}

function swap(items: Slot[], i: number, j: number): void {
  const item = items[i]!;
  items[i] = items[j]!;
  items[j] = item;
}

function* insert(items: Slot[], begin: number, end: number): Asking<void> {
  for (let i = begin + 1; i < end; i++) {
    for (let at = i; at > begin && (yield [items[at]!, items[at - 1]!]); at--) swap(items, at, at - 1);
  }
}

function insertNow(items: Slot[], begin: number, end: number, before: Before): void {
  for (let i = begin + 1; i < end; i++) {
    for (let at = i; at > begin && before(items[at]!, items[at - 1]!); at--) swap(items, at, at - 1);
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

function mergeNow(items: Slot[], begin: number, middle: number, end: number, before: Before): void {
  const left = items.slice(begin, middle);
  const right = items.slice(middle, end);
  let at = begin;
  let i = 0;
  let j = 0;
  while (i < left.length && j < right.length) {
    items[at++] = before(right[j]!, left[i]!) ? right[j++]! : left[i++]!;
  }
  while (i < left.length) items[at++] = left[i++]!;
  while (j < right.length) items[at++] = right[j++]!;
}
