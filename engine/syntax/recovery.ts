/**
 * What to do about a syntax error: Nix's message for it, and how to go on.
 *
 * Invariant: a plan either makes the unexpected token acceptable or leaves it out; the end of the text is always made
 * acceptable, so a parse ends.
 */
import {
  ACTION,
  BLIND_RULE,
  expectedAt,
  FAIL,
  GOTO,
  NONTERMINAL_COUNT,
  RULE_HEADS,
  RULE_LENGTHS,
  TERMINAL_COUNT,
} from "./lr.ts";
import { TERMINAL_LABELS, Token } from "./token.ts";

/** More expected tokens than this are not listed (bison's limit). */
const MOST_EXPECTED = 4;

export interface SyntaxMessage {
  readonly message: string;
  readonly unexpected: string;
  readonly expected: readonly string[];
}

/** The message of a parser that bison made, in this state at this token. */
export function syntaxMessage(state: number, terminal: number): SyntaxMessage {
  const unexpected = TERMINAL_LABELS[terminal]!;
  const all = expectedAt(state);
  const expected = all.length > MOST_EXPECTED ? [] : all.map((token) => TERMINAL_LABELS[token]!);
  const list = expected.length === 0 ? "" : `, expecting ${expected.join(" or ")}`;
  return { message: `syntax error, unexpected ${unexpected}${list}`, unexpected, expected };
}

export interface RecoveryPlan {
  /** Terminals to invent before the token; empty: leave the token out. */
  readonly insert: readonly number[];
}

/** Tokens that close something: they are worth inventing others for. */
const CLOSERS: ReadonlySet<number> = new Set([
  Token.END,
  Token.SEMICOLON,
  Token.CURLY_CLOSE,
  Token.PAREN_CLOSE,
  Token.BRACKET_CLOSE,
  Token.IN,
  Token.THEN,
  Token.ELSE,
]);

/** What to invent, the most finishing first. */
const INVENTIONS: readonly number[] = [
  Token.SEMICOLON,
  Token.PAREN_CLOSE,
  Token.BRACKET_CLOSE,
  Token.IND_CLOSE,
  Token.PATH_END,
  Token.IN,
  Token.THEN,
  Token.ELSE,
  Token.ASSIGN,
  Token.CURLY_CLOSE,
  Token.COLON,
  Token.ID,
  Token.QUOTE,
  Token.CURLY_OPEN,
  // By the time a set's unexpected token is noticed the tables have settled that no path or brace comes: bison's
  // default reduction. An empty `inherit;` is the way out.
  Token.INHERIT,
];

/** Pairs and singles tried before any other token, cheapest first. */
const REPAIRS: readonly (readonly number[])[] = [
  [Token.SEMICOLON],
  [Token.ID],
  [Token.COLON],
  [Token.ASSIGN],
  [Token.COMMA],
  [Token.PAREN_CLOSE],
  [Token.CURLY_CLOSE],
  [Token.IN],
  [Token.SEMICOLON, Token.ID],
  [Token.ID, Token.SEMICOLON],
  [Token.ASSIGN, Token.ID, Token.SEMICOLON],
  [Token.SEMICOLON, Token.IN],
];

/** How many tokens may be invented before one that closes something; before the end, so many for each open symbol. */
const MOST_INVENTED = 12;

export function planRecovery(states: readonly number[], terminal: number): RecoveryPlan {
  if (CLOSERS.has(terminal)) return { insert: close(states, terminal) ?? [] };
  return { insert: REPAIRS.find((repair) => accepts(states, repair, terminal)) ?? [] };
}

function accepts(states: readonly number[], repair: readonly number[], terminal: number): boolean {
  const trial = new TrialStack(states);
  return repair.every((token) => trial.take(token)) && trial.take(terminal);
}

/** Invents finishing tokens until the closing one fits; null if it closes nothing that is open. */
function close(states: readonly number[], terminal: number): number[] | null {
  const trial = new TrialStack(states);
  const inserted: number[] = [];
  const most = terminal === Token.END ? MOST_INVENTED * states.length : MOST_INVENTED;
  while (!trial.copy().take(terminal)) {
    if (inserted.length >= most || trial.copy().take(Token.END)) return null;
    const next = INVENTIONS.find((token) => trial.copy().take(token));
    if (next === undefined) return null;
    trial.take(next);
    inserted.push(next);
  }
  return inserted;
}

/** A stack of states to try tokens on: a prefix of the parser's and what was pushed since. */
class TrialStack {
  private readonly below: readonly number[];
  private kept: number;
  private pushed: number[];

  constructor(below: readonly number[], kept = below.length, pushed: number[] = []) {
    this.below = below;
    this.kept = kept;
    this.pushed = pushed;
  }

  copy(): TrialStack {
    return new TrialStack(this.below, this.kept, [...this.pushed]);
  }

  private top(): number {
    return this.pushed.length > 0 ? this.pushed[this.pushed.length - 1]! : this.below[this.kept - 1]!;
  }

  private pop(count: number): void {
    const fromPushed = Math.min(count, this.pushed.length);
    this.pushed.length -= fromPushed;
    this.kept -= count - fromPushed;
  }

  /** Shifts a terminal after the reductions it asks for; false (and a spoilt stack) if it does not fit. */
  take(terminal: number): boolean {
    for (;;) {
      const state = this.top();
      const blind = BLIND_RULE[state]!;
      const action = blind > 0 ? -blind - 1 : ACTION[state * TERMINAL_COUNT + terminal]!;
      if (action === FAIL) return false;
      if (action > 0) {
        this.pushed.push(action - 1);
        return true;
      }
      const rule = -action - 1;
      this.pop(RULE_LENGTHS[rule]!);
      this.pushed.push(GOTO[this.top() * NONTERMINAL_COUNT + RULE_HEADS[rule]!]!);
    }
  }
}
