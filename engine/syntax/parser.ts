/**
 * The parser: runs the parse tables over the lexer's tokens with an explicit stack, so that no nesting is too deep.
 *
 * Invariants: `parse` never throws and always gives a tree; the first diagnostic is Nix's error, because the tables fail in
 * the same state at the same token (see grammar/); after an error the parser goes on as `recovery.ts` says, and what had
 * to be invented is a `missing` expression or an empty name.
 */
import { type Action, ACTIONS, type Frame } from "./actions.ts";
import type { Apply, Expr, Source } from "./ast.ts";
import type { Diagnostic, Warning } from "./diagnostic.ts";
import { Lexer } from "./lexer.ts";
import {
  ACTION,
  BLIND_RULE,
  FAIL,
  GOTO,
  NONTERMINAL_COUNT,
  RULE_ACTIONS,
  RULE_HEADS,
  RULE_LENGTHS,
  TERMINAL_COUNT,
} from "./lr.ts";
import { DEFAULT_OPTIONS, type ParseOptions } from "./options.ts";
import { printExpr } from "./print.ts";
import { planRecovery, syntaxMessage } from "./recovery.ts";
import { originName, positionAt } from "./source.ts";
import { TERMINAL_LABELS, Token } from "./token.ts";

export interface ParseResult {
  /** The whole text as an expression; `missing` where recovery found none. */
  readonly ast: Expr;
  /** Errors, Nix's own first; empty exactly if Nix accepts the text (names aside). */
  readonly diagnostics: readonly Diagnostic[];
  /** What Nix prints as warnings while it parses, in order. */
  readonly warnings: readonly Warning[];
}

/** Parses a text. Options that are left out have Nix's defaults. */
export function parse(source: Source, options: Partial<ParseOptions> = {}): ParseResult {
  const parser = new Parser(source, { ...DEFAULT_OPTIONS, ...options });
  const ast = parser.run();
  return { ast, diagnostics: parser.diagnostics, warnings: parser.warnings };
}

/** Action of each rule; null (`pass`) hands the only value on. */
const RULES: readonly (Action | null)[] = RULE_ACTIONS.map((name) => ACTIONS[name] ?? null);

/** After so many diagnostics the rest of the text is left out. */
const MOST_DIAGNOSTICS = 100;

/** The state before anything is read. */
const START_STATE = 0;

class Parser implements Frame {
  readonly diagnostics: Diagnostic[] = [];
  readonly warnings: Warning[] = [];
  readonly source: Source;
  readonly options: ParseOptions;
  /** Span of the rule being reduced. */
  start = 0;
  end = 0;
  private readonly lexer: Lexer;
  private readonly states: number[] = [START_STATE];
  private readonly values: unknown[] = [null];
  private readonly starts: number[] = [0];
  private readonly ends: number[] = [0];
  /** Index of the stacks' top; what lies above is left over (shrinking arrays is slow). */
  private top = 0;
  /** Stack index of the reduced rule's first symbol. */
  private base = 0;
  private terminal = -1;
  /** Calls made by `f or`, until the rule around them has been seen. */
  private readonly orCalls = new Set<Expr>();
  /** Whether a token was shifted since the last error: errors in between are its echo. */
  private settled = true;

  constructor(source: Source, options: ParseOptions) {
    this.source = source;
    this.options = options;
    this.lexer = new Lexer(source.text, (diagnostic) => this.report(diagnostic));
  }

  run(): Expr {
    const { states, values } = this;
    for (;;) {
      const state = states[this.top]!;
      const blind = BLIND_RULE[state]!;
      if (blind >= 0) {
        if (blind === 0) return values[1] as Expr;
        this.reduce(blind);
        continue;
      }
      if (this.terminal < 0) this.read();
      const action = ACTION[state * TERMINAL_COUNT + this.terminal]!;
      if (action > 0) this.shift(action - 1);
      else if (action < 0) this.reduce(-action - 1);
      else if (!this.recover()) return { kind: "missing", start: 0, end: this.source.text.length };
    }
  }

  private read(): void {
    const terminal = this.lexer.next();
    if ((terminal === Token.PIPE_FROM || terminal === Token.PIPE_INTO) && !this.options.pipeOperators)
      this.pipesAreOff();
    this.terminal = terminal;
  }

  private shift(state: number): void {
    const { lexer } = this;
    const isPathEnd = this.terminal === Token.PATH_END;
    this.push(state, lexer.value, isPathEnd ? lexer.offset : lexer.begin, isPathEnd ? lexer.offset : lexer.end);
    this.terminal = -1;
    this.settled = true;
  }

  private push(state: number, value: unknown, start: number, end: number): void {
    const top = ++this.top;
    this.states[top] = state;
    this.values[top] = value;
    this.starts[top] = start;
    this.ends[top] = end;
  }

  private reduce(rule: number): void {
    const { states, values, starts, ends } = this;
    const length = RULE_LENGTHS[rule]!;
    const base = this.top - length + 1;
    const action = RULES[rule];
    if (length === 1) {
      if (action !== null) {
        this.frame(base, starts[base]!, ends[base]!);
        values[base] = action!(this);
      }
      states[base] = GOTO[states[base - 1]! * NONTERMINAL_COUNT + RULE_HEADS[rule]!]!;
      return;
    }
    const last = ends[this.top]!;
    this.frame(base, length === 0 ? last : starts[base]!, last);
    const value = action!(this);
    const { start, end } = this;
    this.top = base - 1;
    this.push(GOTO[states[base - 1]! * NONTERMINAL_COUNT + RULE_HEADS[rule]!]!, value, start, end);
  }

  private frame(base: number, start: number, end: number): void {
    this.base = base;
    this.start = start;
    this.end = end;
  }

  value(place: number): unknown {
    return this.values[this.base + place];
  }

  startOf(place: number): number {
    return this.starts[this.base + place]!;
  }

  endOf(place: number): number {
    return this.ends[this.base + place]!;
  }

  report(diagnostic: Diagnostic): void {
    if (this.diagnostics.length < MOST_DIAGNOSTICS) this.diagnostics.push(diagnostic);
  }

  warn(warning: Warning): void {
    if (this.diagnostics.length === 0) this.warnings.push(warning);
  }

  noteOr(expr: Expr): void {
    this.orCalls.add(expr);
  }

  forgetOr(expr: Expr): void {
    this.orCalls.delete(expr);
  }

  warnOr(expr: Expr): void {
    if (this.orCalls.size === 0 || !this.orCalls.delete(expr)) return;
    const { line, column } = positionAt(this.source, expr.start);
    const message = [
      `at ${originName(this.source.origin)}:${line}:${column}: This expression uses \`or\` as an identifier in a way that will change in a future Nix release.`,
      "Wrap this entire expression in parentheses to preserve its current meaning:",
      `    ${printExpr(expr as Apply)}`,
      "Give feedback at https://github.com/NixOS/nix/pull/11121",
    ].join("\n");
    this.warn({ code: "or-as-identifier", message, start: expr.start, end: expr.end, positioned: false });
  }

  private pipesAreOff(): void {
    const { begin: start, end } = this.lexer;
    const advice = "add '--extra-experimental-features pipe-operators' to enable it";
    this.report({
      code: "feature-disabled",
      message: `experimental Nix feature 'pipe-operators' is disabled; ${advice}`,
      start,
      end,
    });
  }

  /** Reports the token that the state has no action for, and makes it fit or leaves it out; false if the end fits nowhere. */
  private recover(): boolean {
    const { lexer, terminal } = this;
    const states = this.states.slice(0, this.top + 1);
    const plan = planRecovery(states, terminal);
    const at = this.ends[this.top]!;
    if (this.settled) {
      const start = terminal === Token.END ? lexer.end : lexer.begin;
      this.report({
        code: "syntax",
        ...syntaxMessage(states[this.top]!, terminal),
        start,
        end: Math.max(start, lexer.end),
        recovery: {
          at,
          inserted: plan.insert.map((token) => TERMINAL_LABELS[token]!),
          deleted: plan.insert.length === 0,
        },
      });
    }
    this.settled = false;
    if (plan.insert.length === 0) {
      if (terminal === Token.END) return false;
      this.terminal = -1;
    }
    for (const token of plan.insert) this.invent(token, at);
    if (this.diagnostics.length >= MOST_DIAGNOSTICS) this.lexer.finish();
    return true;
  }

  /** Shifts a token of no width that the text lacks; the tables accept it. */
  private invent(terminal: number, at: number): void {
    for (;;) {
      const state = this.states[this.top]!;
      const action = ACTION[state * TERMINAL_COUNT + terminal]!;
      if (action < 0) {
        this.reduce(-action - 1);
        continue;
      }
      if (action > FAIL) this.push(action - 1, "", at, at);
      return;
    }
  }
}
