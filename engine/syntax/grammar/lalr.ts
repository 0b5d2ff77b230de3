/**
 * LALR(1) tables from a grammar, with bison's default reductions.
 *
 * Invariant: the tables accept, reduce and fail exactly where a parser that bison 3 generates (`lr.type lalr`, most-common
 * default reductions, no LAC) does; conflicts that precedence does not settle are an exception, not a guess. It runs when
 * `tables.ts` is made, never in a parse.
 */
import type { Rule } from "./grammar.ts";

export interface Tables {
  /** For each state the explicit actions by terminal: a state + 1 to shift to, a negative rule − 1 to reduce, ERROR. */
  readonly actions: readonly ReadonlyMap<number, number>[];
  /** For each state the rule to reduce by when there is no explicit action, or −1. */
  readonly defaults: readonly number[];
  /** For each state the state after a nonterminal. */
  readonly gotos: readonly ReadonlyMap<number, number>[];
  readonly nonterminals: readonly string[];
}

/** An explicit error: the terminal would chain an operator that does not associate. */
export const ERROR = 0;

interface Grammar {
  /** Rule 0 is `$accept → start END`; symbols are numbered terminals first. */
  readonly rules: readonly { head: number; body: readonly number[]; precedence: number }[];
  readonly terminalCount: number;
  readonly symbolCount: number;
  readonly rulesOf: readonly (readonly number[])[];
  readonly levels: readonly { level: number; associativity: string }[];
  readonly nullable: readonly boolean[];
  readonly first: readonly ReadonlySet<number>[];
}

/** An LR(0) item as one number: rule and position. */
const ITEM_SHIFT = 4;

interface State {
  readonly kernel: readonly number[];
  readonly next: Map<number, number>;
  readonly lookaheads: Map<number, Set<number>>;
}

export function buildTables(
  terminals: readonly string[],
  precedences: readonly (readonly string[])[],
  source: readonly Rule[],
): Tables {
  const nonterminals = [...new Set(source.map((rule) => rule.head))];
  const grammar = numberGrammar(terminals, nonterminals, precedences, source);
  const states = buildStates(grammar);
  propagateLookaheads(grammar, states);
  const rows = states.map((state) => actionRow(grammar, state));
  return {
    actions: rows.map((row) => row.actions),
    defaults: rows.map((row) => row.reduction),
    gotos: states.map((state) => gotoRow(grammar, state)),
    nonterminals,
  };
}

function numberGrammar(
  terminals: readonly string[],
  nonterminals: readonly string[],
  precedences: readonly (readonly string[])[],
  source: readonly Rule[],
): Grammar {
  const symbols = [...terminals, ...nonterminals];
  const numbers = new Map(symbols.map((name, index) => [name, index]));
  const number = (name: string): number => {
    const index = numbers.get(name);
    if (index === undefined) throw new Error(`grammar: unknown symbol ${name}`);
    return index;
  };
  const levels = terminals.map((name) => {
    const level = precedences.findIndex((line) => line.indexOf(name) > 0);
    return { level, associativity: precedences[level]?.[0] ?? "" };
  });
  const rules = source.map((rule) => {
    const body = rule.body.map(number);
    const last = body.findLast((symbol) => symbol < terminals.length);
    const precedence = rule.precedence === undefined ? last : number(rule.precedence);
    return { head: number(rule.head), body, precedence: precedence === undefined ? -1 : levels[precedence]!.level };
  });
  rules.unshift({ head: symbols.length, body: [number(source[0]!.head), 0], precedence: -1 });
  const symbolCount = symbols.length + 1;
  const rulesOf = Array.from({ length: symbolCount }, (_, symbol) =>
    rules.flatMap((rule, index) => (rule.head === symbol ? [index] : [])),
  );
  const partial = { rules, terminalCount: terminals.length, symbolCount, rulesOf, levels };
  return { ...partial, ...firstSets(partial) };
}

function firstSets(
  grammar: Pick<Grammar, "rules" | "terminalCount" | "symbolCount">,
): Pick<Grammar, "nullable" | "first"> {
  const nullable = Array.from({ length: grammar.symbolCount }, () => false);
  const first = Array.from(
    { length: grammar.symbolCount },
    (_, symbol) => new Set(symbol < grammar.terminalCount ? [symbol] : []),
  );
  for (let changed = true; changed;) {
    changed = false;
    for (const { head, body } of grammar.rules) {
      const size = first[head]!.size;
      const stop = body.findIndex((symbol) => !nullable[symbol]);
      for (const symbol of stop < 0 ? body : body.slice(0, stop + 1))
        for (const terminal of first[symbol]!) first[head]!.add(terminal);
      if (first[head]!.size !== size || (stop < 0 && !nullable[head])) changed = true;
      if (stop < 0) nullable[head] = true;
    }
  }
  return { nullable, first };
}

const symbolAfter = (grammar: Grammar, item: number): number | undefined =>
  grammar.rules[item >> ITEM_SHIFT]!.body[item & ((1 << ITEM_SHIFT) - 1)];

/** All items a kernel implies. */
function closure(grammar: Grammar, kernel: readonly number[]): number[] {
  const items = [...kernel];
  const seen = new Set(items);
  for (let index = 0; index < items.length; index++) {
    const symbol = symbolAfter(grammar, items[index]!);
    if (symbol === undefined) continue;
    for (const rule of grammar.rulesOf[symbol]!) {
      const item = rule << ITEM_SHIFT;
      if (!seen.has(item)) items.push(item);
      seen.add(item);
    }
  }
  return items;
}

function buildStates(grammar: Grammar): State[] {
  const states: State[] = [];
  const known = new Map<string, number>();
  const stateOf = (kernel: number[]): number => {
    kernel.sort((a, b) => a - b);
    const key = kernel.join();
    let index = known.get(key);
    if (index === undefined) {
      index = states.length;
      known.set(key, index);
      states.push({ kernel, next: new Map(), lookaheads: new Map(kernel.map((item) => [item, new Set<number>()])) });
    }
    return index;
  };
  stateOf([0]);
  for (let index = 0; index < states.length; index++) {
    const targets = new Map<number, number[]>();
    for (const item of closure(grammar, states[index]!.kernel)) {
      const symbol = symbolAfter(grammar, item);
      if (symbol === undefined) continue;
      const target = targets.get(symbol);
      if (target === undefined) targets.set(symbol, [item + 1]);
      else target.push(item + 1);
    }
    for (const [symbol, kernel] of [...targets].sort((a, b) => a[0] - b[0]))
      states[index]!.next.set(symbol, stateOf(kernel));
  }
  return states;
}

/** The items of a state's closure with their LR(1) look-aheads, given those of one kernel item (`seed`). */
function closure1(grammar: Grammar, kernel: number, seed: Iterable<number>): Map<number, Set<number>> {
  const result = new Map([[kernel, new Set(seed)]]);
  const work = [kernel];
  for (let item = work.pop(); item !== undefined; item = work.pop()) {
    const body = grammar.rules[item >> ITEM_SHIFT]!.body;
    const dot = item & ((1 << ITEM_SHIFT) - 1);
    const symbol = body[dot];
    if (symbol === undefined || symbol < grammar.terminalCount) continue;
    const follow = new Set<number>();
    let end = dot + 1;
    for (; end < body.length; end++) {
      for (const terminal of grammar.first[body[end]!]!) follow.add(terminal);
      if (!grammar.nullable[body[end]!]) break;
    }
    if (end === body.length) for (const terminal of result.get(item)!) follow.add(terminal);
    for (const rule of grammar.rulesOf[symbol]!)
      if (addAll(result, rule << ITEM_SHIFT, follow)) work.push(rule << ITEM_SHIFT);
  }
  return result;
}

/** Adds to the item's look-aheads; whether that was news (the item itself included). */
function addAll(sets: Map<number, Set<number>>, item: number, more: Iterable<number>): boolean {
  let set = sets.get(item);
  const isNew = set === undefined;
  if (set === undefined) sets.set(item, (set = new Set()));
  const size = set.size;
  for (const terminal of more) set.add(terminal);
  return isNew || set.size !== size;
}

function propagateLookaheads(grammar: Grammar, states: readonly State[]): void {
  const work: [number, number][] = [[0, 0]];
  for (let entry = work.pop(); entry !== undefined; entry = work.pop()) {
    const [index, kernel] = entry;
    const state = states[index]!;
    for (const [item, lookaheads] of closure1(grammar, kernel, state.lookaheads.get(kernel)!)) {
      const symbol = symbolAfter(grammar, item);
      if (symbol === undefined) continue;
      const target = state.next.get(symbol)!;
      const visited = visitedKernels(states[target]!);
      const changed = addAll(states[target]!.lookaheads, item + 1, lookaheads);
      if (changed || !visited.has(item + 1)) work.push([target, item + 1]);
      visited.add(item + 1);
    }
  }
}

const visits = new WeakMap<State, Set<number>>();

function visitedKernels(state: State): Set<number> {
  let set = visits.get(state);
  if (set === undefined) visits.set(state, (set = new Set()));
  return set;
}

/** The complete items of a state with their look-aheads, in rule order. */
function reductions(grammar: Grammar, state: State): Map<number, Set<number>> {
  const found = new Map<number, Set<number>>();
  for (const [kernel, lookaheads] of state.lookaheads) {
    for (const [item, terminals] of closure1(grammar, kernel, lookaheads)) {
      if (symbolAfter(grammar, item) === undefined) addAll(found, item >> ITEM_SHIFT, terminals);
    }
  }
  return new Map([...found].sort((a, b) => a[0] - b[0]));
}

function actionRow(grammar: Grammar, state: State): { actions: Map<number, number>; reduction: number } {
  const actions = new Map<number, number>();
  for (const [symbol, target] of state.next) if (symbol < grammar.terminalCount) actions.set(symbol, target + 1);
  const reduces = reductions(grammar, state);
  const counts = new Map<number, number>();
  for (const [rule, lookaheads] of reduces) {
    counts.set(rule, 0);
    for (const terminal of lookaheads) {
      if (resolve(grammar, actions, terminal, rule)) counts.set(rule, counts.get(rule)! + 1);
    }
  }
  return { actions, reduction: takeDefault(actions, counts) };
}

/** Enters a reduction into the row unless precedence prefers the shift there; whether it did. */
function resolve(grammar: Grammar, actions: Map<number, number>, terminal: number, rule: number): boolean {
  const existing = actions.get(terminal);
  if (existing === undefined) {
    actions.set(terminal, -rule - 1);
    return true;
  }
  const { level, associativity } = grammar.levels[terminal]!;
  const own = grammar.rules[rule]!.precedence;
  if (existing <= 0 || level < 0 || own < 0)
    throw new Error(`grammar: conflict at terminal ${terminal} in rule ${rule}`);
  if (own > level || (own === level && associativity === "left")) {
    actions.set(terminal, -rule - 1);
    return true;
  }
  if (own === level && associativity === "nonassoc") actions.set(terminal, ERROR);
  return false;
}

/** Makes the most common reduction (the first among equals) the default, and forgets its explicit entries. */
function takeDefault(actions: Map<number, number>, counts: ReadonlyMap<number, number>): number {
  let best = -1;
  let most = 0;
  for (const [rule, count] of counts) {
    if (count > most) [best, most] = [rule, count];
  }
  if (best < 0) best = counts.keys().next().value ?? -1;
  for (const [terminal, action] of actions) if (action === -best - 1) actions.delete(terminal);
  return best;
}

function gotoRow(grammar: Grammar, state: State): Map<number, number> {
  const row = new Map<number, number>();
  for (const [symbol, target] of state.next)
    if (symbol >= grammar.terminalCount) row.set(symbol - grammar.terminalCount, target);
  return row;
}
