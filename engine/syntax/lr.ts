/**
 * The parse tables, decoded: what a state does at a terminal, and what it expects.
 *
 * Invariant: a state's explicit actions and its default are kept apart where a message asks (`expectedAt`), and joined
 * where the parser runs (`ACTION`).
 */
import { ACTIONS, DEFAULTS, GOTOS, RULES } from "./tables.ts";
import { TERMINAL_LABELS } from "./token.ts";

const TERMINALS = TERMINAL_LABELS.length;

/** An entry of `ACTION` at which the text is wrong. Positive entries shift to state − 1, negative ones reduce by −rule − 1. */
export const FAIL = 0;

const rules = RULES.split(" ").map((rule) => rule.split(","));
export const RULE_ACTIONS: readonly string[] = ["accept", ...rules.map((rule) => rule[0]!)];
export const RULE_LENGTHS = Uint8Array.from([2, ...rules.map((rule) => Number(rule[1]))]);
export const RULE_HEADS = Uint8Array.from([0, ...rules.map((rule) => Number(rule[2]))]);

const explicit = decodeRows(ACTIONS);
const gotos = decodeRows(GOTOS);
const defaults = DEFAULTS.split(" ").map(Number);
const nonterminals = 1 + Math.max(...RULE_HEADS);

export const TERMINAL_COUNT = TERMINALS;
export const NONTERMINAL_COUNT = nonterminals;

/** What state `s` does at terminal `t`, at `s * TERMINAL_COUNT + t`. */
export const ACTION = new Int16Array(explicit.length * TERMINALS);
/** Where state `s` goes after nonterminal `n`, at `s * NONTERMINAL_COUNT + n`. */
export const GOTO = new Int16Array(explicit.length * nonterminals);
/** The rule by which a state reduces without looking at the next token; −1 if it looks. */
export const BLIND_RULE = new Int16Array(explicit.length);

explicit.forEach((row, state) => {
  const rule = defaults[state]!;
  ACTION.fill(rule < 0 ? FAIL : -rule - 1, state * TERMINALS, (state + 1) * TERMINALS);
  for (const [terminal, action] of row) ACTION[state * TERMINALS + terminal] = action;
  for (const [nonterminal, target] of gotos[state]!) GOTO[state * nonterminals + nonterminal] = target;
  BLIND_RULE[state] = row.length === 0 ? rule : -1;
});

function decodeRows(text: string): [number, number][][] {
  return text
    .split(" ")
    .map((row) => (row === "-" ? [] : row.split(",").map((entry) => entry.split(":").map(Number) as [number, number])));
}

/** The terminals a state has an explicit action for: what bison says it expected, when there are at most four. */
export function expectedAt(state: number): number[] {
  return explicit[state]!.filter(([, action]) => action !== FAIL).map(([terminal]) => terminal);
}
