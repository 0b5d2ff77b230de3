/**
 * `tables.ts` as text: the parse tables of the grammar, small enough to load in no time.
 *
 * Invariant: what `decodeRows` (in `../lr.ts`) makes of the text is what `buildTables` made of the grammar.
 */
import { TERMINAL_NAMES } from "../token.ts";
import { GRAMMAR, PRECEDENCES, type Rule } from "./grammar.ts";
import { buildTables } from "./lalr.ts";

/** The source of `tables.ts`. */
export function tablesModule(): string {
  const tables = buildTables(TERMINAL_NAMES, PRECEDENCES, GRAMMAR);
  const rules = GRAMMAR.map((rule) => encodeRule(rule, tables.nonterminals)).join(" ");
  return [
    "/** Generated from grammar/grammar.ts by `npx vitest run engine/syntax/grammar -u`. Do not edit. */",
    "",
    "/** Rules from number 1 on: action, length, head. Rule 0 accepts. */",
    text("RULES", rules),
    "/** One row a state: what to do at a terminal; n > 0: shift to state n − 1; n < 0: reduce by rule −n − 1; 0: fail. */",
    text("ACTIONS", tables.actions.map(encodeRow).join(" ")),
    "/** The rule a state reduces by at any other terminal; −1: none. */",
    text("DEFAULTS", tables.defaults.join(" ")),
    "/** One row a state: the state after a nonterminal. */",
    text("GOTOS", tables.gotos.map(encodeRow).join(" ")),
  ].join("\n");
}

const text = (name: string, value: string): string => `export const ${name} =\n  "${value}";\n`;

const encodeRule = (rule: Rule, nonterminals: readonly string[]): string =>
  `${rule.action},${rule.body.length},${nonterminals.indexOf(rule.head)}`;

const encodeRow = (row: ReadonlyMap<number, number>): string =>
  [...row]
    .sort((a, b) => a[0] - b[0])
    .map(([symbol, value]) => `${symbol}:${value}`)
    .join(",") || "-";
