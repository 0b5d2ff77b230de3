/**
 * The matching side of `builtins.match` and `builtins.split`: libstdc++'s depth-first executor, with the same choice of
 * overall match and sub-matches, but on an explicit stack and with a table of what was already tried, so that patterns
 * that take exponential time or a deep stack in C++ end quickly here. Texts are byte strings; positions are byte offsets.
 */
import { Op, RegexError, compilePattern } from "./regex-syntax.ts";
import type { Automaton } from "./regex-syntax.ts";

export { RegexError } from "./regex-syntax.ts";

/** A compiled pattern. */
export interface Regex {
  readonly automaton: Automaton;
  /** Bytes a match can begin with; undefined when a match may be empty or depends on its place. */
  readonly firstBytes: Uint8Array | undefined;
  readonly plan: Plan;
}

/** What the executor needs to know of each state besides its edges. */
interface Plan {
  /** Number of a `repeat` or `choice` among those states, -1 for others. */
  readonly decision: Int32Array;
  readonly decisions: number;
  /** For `repeat` states over one byte matcher that leads straight back: that matcher, else -1. */
  readonly runOf: Int32Array;
  /** Number among the repeats whose body can match nothing (only those can loop in place), -1 for others. */
  readonly nullable: Int32Array;
  readonly nullables: number;
}

/** Groups 1… of a match: the text, or null for a group that took no part. */
export type Groups = (string | null)[];

const CACHE_LIMIT = 500;
const cache = new Map<string, Regex>();

/** Compiles a pattern, or takes it from a cache of the latest patterns. Throws RegexError. */
export function compileRegex(pattern: string): Regex {
  let regex = cache.get(pattern);
  if (regex === undefined) {
    const automaton = compilePattern(pattern);
    const plan = planOf(automaton);
    regex = { automaton, plan, firstBytes: firstBytesOf(automaton) };
    if (cache.size >= CACHE_LIMIT) cache.delete(cache.keys().next().value!);
    cache.set(pattern, regex);
  }
  return regex;
}

/** The groups of a match of the whole text, or null. Throws RegexError("budget") for a hostile pair. */
export function matchRegex(regex: Regex, text: string): Groups | null {
  const executor = new Executor(regex, text, true);
  return executor.run(0, true, false) ? executor.groups() : null;
}

/** The texts between successive matches, alternating with the groups of each match, as `builtins.split` lists them. */
export function splitRegex(regex: Regex, text: string): (string | Groups)[] {
  const executor = new Executor(regex, text, false);
  const pieces: (string | Groups)[] = [];
  let previous = 0;
  let found = executor.search(0, true);
  while (found) {
    const { begin, end } = executor;
    pieces.push(text.slice(previous, begin), executor.groups());
    previous = end;
    found = executor.searchAfter(begin, end, pieces.length === 2);
  }
  pieces.push(text.slice(previous));
  return pieces;
}

/** States reachable without consuming a byte, in no particular order. */
function closure({ op, next, alt }: Automaton, start: number): Set<number> {
  const reached = new Set([start]);
  const pending = [start];
  const add = (id: number): void => {
    if (reached.has(id)) return;
    reached.add(id);
    pending.push(id);
  };
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    const kind = op[id];
    if (kind === Op.char || kind === Op.set || kind === Op.accept) continue;
    add(next[id]!);
    if (kind === Op.repeat || kind === Op.choice) add(alt[id]!);
  }
  return reached;
}

function planOf(automaton: Automaton): Plan {
  const { op, next, alt } = automaton;
  const size = op.length;
  const decision = new Int32Array(size).fill(-1);
  const runOf = new Int32Array(size).fill(-1);
  const nullable = new Int32Array(size).fill(-1);
  let decisions = 0;
  let nullables = 0;
  for (let id = 0; id < size; id++) {
    if (op[id] !== Op.repeat && op[id] !== Op.choice) continue;
    decision[id] = decisions++;
    if (op[id] === Op.choice) continue;
    const body = alt[id]!;
    if ((op[body] === Op.char || op[body] === Op.set) && next[body] === id) runOf[id] = body;
    else if (size < 5000 && closure(automaton, body).has(id)) nullable[id] = nullables++;
    else if (size >= 5000) nullable[id] = nullables++;
  }
  // A run has no room for loop counts, on which outcomes depend as soon as there is a loop that can match nothing.
  if (nullables > 0) runOf.fill(-1);
  return { decision, decisions, runOf, nullable, nullables };
}

function firstBytesOf(automaton: Automaton): Uint8Array | undefined {
  const first = new Uint8Array(256);
  for (const id of closure(automaton, automaton.start)) {
    const kind = automaton.op[id];
    if (kind === Op.accept || kind === Op.lineBegin || kind === Op.lineEnd) return undefined;
    if (kind === Op.char) first[automaton.argument[id]!] = 1;
    if (kind === Op.set) for (let i = 0; i < 256; i++) first[i]! |= automaton.sets[automaton.argument[id]!]![i]!;
  }
  return first;
}

/** Kinds of stack frames: what to do when the branch explored above returns. Every frame is four numbers. */
const Frame = {
  /** (state, position, loops): a greedy repeat whose `alt` is being explored. */
  repeat: 0,
  /** (state, position, loops): the first branch of a choice is being explored. */
  left: 1,
  /** (state, position, loops * 2 + left's result): the second branch is being explored. */
  right: 2,
  /** (state, position, loops): the outcome is to be remembered. */
  remember: 3,
  /** (state, first, current): a run of single bytes, given back one by one. */
  run: 4,
  /** (slot, value): a capture to restore. */
  capture: 5,
  /** (nullable repeat, position, count): a loop count to restore. */
  loop: 6,
} as const;

/** Decisions and bytes tried before a call gives up; a pair that needs more would take the C++ program ages too. */
const STEP_BUDGET = 200_000_000;
/** Above this many table entries a hash table is used. */
const DENSE_LIMIT = 1 << 24;
const UNKNOWN = 0;
const FAILED = -1;

/** The frames' stack, shared by all runs (a run never starts another). */
let stack = new Int32Array(1024);

/** One text under one pattern; a run explores the matches that begin at one place. */
class Executor {
  begin = 0;
  end = -1;
  readonly #automaton: Automaton;
  readonly #plan: Plan;
  readonly #firstBytes: Uint8Array | undefined;
  readonly #text: string;
  /** Whether only a match that reaches the end counts (then the first one found is taken). */
  readonly #whole: boolean;
  readonly #captures: Int32Array;
  readonly #best: Int32Array;
  readonly #loopPosition: Int32Array;
  readonly #loopCount: Int32Array;
  #steps = 0;
  /** What is known of (decision, position, loops): UNKNOWN, FAILED, or the number of the run in which it succeeded. */
  #table: Int32Array | Map<number, number> | undefined;
  /** The table of the runs that are not special. */
  #kept: Int32Array | Map<number, number> | undefined;
  #run = 0;

  constructor(regex: Regex, text: string, whole: boolean) {
    this.#automaton = regex.automaton;
    this.#plan = regex.plan;
    this.#firstBytes = regex.firstBytes;
    this.#text = text;
    this.#whole = whole;
    this.#captures = new Int32Array(2 * regex.automaton.groups + 2).fill(-1);
    this.#best = new Int32Array(this.#captures.length);
    this.#loopPosition = new Int32Array(regex.plan.nullables).fill(-1);
    this.#loopCount = new Int32Array(regex.plan.nullables);
  }

  groups(): Groups {
    const groups: Groups = [];
    for (let slot = 2; slot < this.#best.length; slot += 2) {
      const end = this.#best[slot + 1]!;
      groups.push(end < 0 ? null : this.#text.slice(this.#best[slot]!, end));
    }
    return groups;
  }

  /** Finds the first place from `from` on with a match; only there, if it is the text's begin, `^` holds. */
  search(from: number, atLineBegin: boolean): boolean {
    const { length } = this.#text;
    const first = this.#firstBytes;
    for (let start = from; start <= length; start++) {
      if (first !== undefined && (start === length || first[this.#text.charCodeAt(start)] === 0)) continue;
      if (this.run(start, atLineBegin && start === from, false)) return true;
    }
    return false;
  }

  /**
   * The match after one from `begin` to `end`. After an empty match a non-empty one is tried in the same place first;
   * in the library's iterator `^` still holds there when the empty match was the first of all.
   */
  searchAfter(begin: number, end: number, isFirst: boolean): boolean {
    if (begin !== end) return this.search(end, false);
    if (end === this.#text.length) return false;
    return this.run(end, isFirst, true) || this.search(end + 1, false);
  }

  /**
   * Explores the matches that begin at `start`; the best is in `begin`, `end` and `groups()`.
   * @param atLineBegin whether `^` holds at `start` (nowhere else does it)
   * @param notEmpty whether an empty match does not count
   */
  run(start: number, atLineBegin: boolean, notEmpty: boolean): boolean {
    this.begin = start;
    this.end = -1;
    this.#run++;
    // What is remembered does not hold for the one place where a flag changes the outcome.
    const special = (atLineBegin && !this.#whole && this.#automaton.op.includes(Op.lineBegin)) || notEmpty;
    this.#table = special ? undefined : this.#kept;
    this.#captures.fill(-1);
    // Short work is not worth a table; unless this place is special, the steps are those of all runs over this text.
    const threshold = special ? this.#steps + 2000 : 2000 + 4 * this.#text.length;
    const found = this.#explore(start, atLineBegin, notEmpty, threshold);
    if (!special) this.#kept = this.#table;
    return found;
  }

  // The one long function: the automaton's interpreter, down (descend) and up (give back) one explicit stack.
  #explore(start: number, atLineBegin: boolean, notEmpty: boolean, threshold: number): boolean {
    const { op, next, alt, argument, sets } = this.#automaton;
    const { runOf, nullable } = this.#plan;
    const text = this.#text;
    const { length } = text;
    const captures = this.#captures;
    let top = 0;
    let state = this.#automaton.start;
    let position = start;
    let result = false;
    const push = (kind: number, a: number, b: number, c: number): void => {
      if (top + 4 > stack.length) stack = grow(stack);
      stack[top] = kind;
      stack[top + 1] = a;
      stack[top + 2] = b;
      stack[top + 3] = c;
      top += 4;
    };
    for (;;) {
      // Down: follow one branch until it succeeds or fails.
      descend: for (;;) {
        switch (op[state]) {
          case Op.char:
            if (position === length || text.charCodeAt(position) !== argument[state]) {
              result = false;
              break descend;
            }
            position++;
            state = next[state]!;
            continue;
          case Op.set:
            if (position === length || sets[argument[state]!]![text.charCodeAt(position)] === 0) {
              result = false;
              break descend;
            }
            position++;
            state = next[state]!;
            continue;
          case Op.lineBegin:
            if (position !== start || !atLineBegin) {
              result = false;
              break descend;
            }
            state = next[state]!;
            continue;
          case Op.lineEnd:
            if (position !== length) {
              result = false;
              break descend;
            }
            state = next[state]!;
            continue;
          case Op.groupBegin: {
            const slot = 2 * argument[state]!;
            push(Frame.capture, slot, captures[slot]!, 0);
            captures[slot] = position;
            state = next[state]!;
            continue;
          }
          case Op.groupEnd: {
            const slot = 2 * argument[state]! + 1;
            push(Frame.capture, slot, captures[slot]!, 0);
            captures[slot] = position;
            state = next[state]!;
            continue;
          }
          case Op.accept:
            if (this.#whole ? position !== length : notEmpty && position === start) {
              result = false;
              break descend;
            }
            if (position > this.end) {
              this.end = position;
              this.#best.set(captures);
            }
            if (this.#whole) return true;
            result = true;
            break descend;
          default: {
            // A repeat or a choice.
            if (++this.#steps > threshold && this.#table === undefined) this.#startRemembering(notEmpty);
            const loops = this.#loops(position);
            if (this.#table !== undefined) {
              const known = this.#recall(state, position, loops);
              if (known === FAILED || known === this.#run) {
                result = known !== FAILED;
                break descend;
              }
            }
            if (op[state] === Op.choice) {
              push(Frame.left, state, position, loops);
              state = alt[state]!;
              continue;
            }
            const matcher = runOf[state]!;
            if (matcher >= 0) {
              const reached = this.#runEnd(state, matcher, position);
              push(Frame.run, state, position, reached);
              position = reached;
              state = next[state]!;
              continue;
            }
            push(Frame.repeat, state, position, loops);
            const loop = nullable[state]!;
            if (loop < 0) {
              state = alt[state]!;
              continue;
            }
            // In one place a loop is entered at most twice, once more than needed: the library does so for captures.
            const count = this.#loopPosition[loop] === position ? this.#loopCount[loop]! : 0;
            if (count >= 2) {
              result = false;
              break descend;
            }
            push(Frame.loop, loop, this.#loopPosition[loop]!, this.#loopCount[loop]!);
            this.#loopPosition[loop] = position;
            this.#loopCount[loop] = count + 1;
            state = alt[state]!;
            continue;
          }
        }
      }
      // Up: hand the result to the frames until one has another branch to try.
      for (;;) {
        if (top === 0) return result;
        if (this.#steps > STEP_BUDGET) throw new RegexError("budget");
        top -= 4;
        const a = stack[top + 1]!;
        const b = stack[top + 2]!;
        const c = stack[top + 3]!;
        const kind = stack[top];
        if (kind === Frame.capture) {
          captures[a] = b;
        } else if (kind === Frame.loop) {
          this.#loopPosition[a] = b;
          this.#loopCount[a] = c;
        } else if (kind === Frame.repeat) {
          if (result) {
            this.#remember(a, b, c, true);
            continue;
          }
          if (this.#table !== undefined) push(Frame.remember, a, b, c);
          state = next[a]!;
          position = b;
          break;
        } else if (kind === Frame.left) {
          push(Frame.right, a, b, 2 * c + Number(result));
          state = next[a]!;
          position = b;
          break;
        } else if (kind === Frame.right) {
          result = result || (c & 1) === 1;
          this.#remember(a, b, c >> 1, result);
        } else if (kind === Frame.remember) {
          this.#remember(a, b, c, result);
        } else {
          this.#steps++;
          if (result) {
            this.#remember(a, b, 0, true);
          } else if (c === b) {
            this.#remember(a, b, 0, false);
          } else {
            // All of the run from here on failed, so a later visit need not come this far.
            this.#remember(a, c, 0, false);
            push(Frame.run, a, b, c - 1);
            state = next[a]!;
            position = c - 1;
            break;
          }
        }
      }
    }
  }

  /** How far a run of one byte matcher goes: to the first byte it refuses, or a place known to fail from there on. */
  #runEnd(state: number, matcher: number, from: number): number {
    const text = this.#text;
    const { length } = text;
    const { op, argument, sets } = this.#automaton;
    const isChar = op[matcher] === Op.char;
    const byte = argument[matcher]!;
    const set = isChar ? undefined : sets[byte]!;
    let position = from;
    while (position < length) {
      const code = text.charCodeAt(position);
      if (set === undefined ? code !== byte : set[code] === 0) break;
      position++;
      if (this.#table !== undefined && this.#recall(state, position, 0) === FAILED) {
        this.#steps += position - from;
        return position - 1;
      }
    }
    this.#steps += (position - from) >> 3;
    return position;
  }

  /** The counts of the loops entered in this place as one number; they are part of what an outcome depends on. */
  #loops(position: number): number {
    let code = 0;
    for (let loop = this.#loopPosition.length - 1; loop >= 0; loop--) {
      code = code * 3 + (this.#loopPosition[loop] === position ? this.#loopCount[loop]! : 0);
    }
    return code;
  }

  #startRemembering(isShort: boolean): void {
    // With many empty loops the counts no longer fit a number; such patterns have the step budget alone.
    if (this.#plan.nullables > 16) return;
    const entries = this.#plan.decisions * (this.#text.length + 1);
    const isDense = this.#plan.nullables === 0 && !isShort && entries <= DENSE_LIMIT;
    this.#table = isDense ? new Int32Array(entries) : new Map();
  }

  #key(state: number, position: number, loops: number): number {
    return (loops * (this.#text.length + 1) + position) * this.#plan.decisions + this.#plan.decision[state]!;
  }

  #recall(state: number, position: number, loops: number): number {
    const key = this.#key(state, position, loops);
    const table = this.#table!;
    return table instanceof Map ? (table.get(key) ?? UNKNOWN) : table[key]!;
  }

  #remember(state: number, position: number, loops: number, result: boolean): void {
    const table = this.#table;
    if (table === undefined) return;
    const value = result ? this.#run : FAILED;
    const key = this.#key(state, position, loops);
    if (table instanceof Map) table.set(key, value);
    else table[key] = value;
  }
}

function grow(small: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const large = new Int32Array(small.length * 2);
  large.set(small);
  return large;
}
