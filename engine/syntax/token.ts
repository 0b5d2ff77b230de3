/**
 * Terminals of the language: their numbers, and how Nix's messages call them.
 *
 * Invariant: the order is the order in which a syntax error lists what it expected, and the order of `tables.ts`.
 */

const NAMES = {
  END: "end of file",
  INVALID: "invalid token",
  ID: "identifier",
  STR: "string",
  IND_STR: "indented string",
  INT: "integer",
  FLOAT: "floating-point literal",
  PATH: "path",
  HPATH: "'~/\u00e2\u0080\u00a6' path",
  SPATH: "'<\u00e2\u0080\u00a6>' path",
  PATH_END: "end of path",
  URI: "URI",
  IF: "'if'",
  THEN: "'then'",
  ELSE: "'else'",
  ASSERT: "'assert'",
  WITH: "'with'",
  LET: "'let'",
  IN: "'in'",
  REC: "'rec'",
  INHERIT: "'inherit'",
  OR: "'or'",
  ELLIPSIS: "'...'",
  EQ: "'=='",
  NEQ: "'!='",
  LEQ: "'<='",
  GEQ: "'>='",
  AND: "'&&'",
  OR_OR: "'||'",
  IMPL: "'->'",
  UPDATE: "'//'",
  CONCAT: "'++'",
  PIPE_FROM: "'<|'",
  PIPE_INTO: "'|>'",
  DOLLAR_CURLY: "'${'",
  IND_OPEN: "start of an indented string",
  IND_CLOSE: "end of an indented string",
  LESS: "'<'",
  GREATER: "'>'",
  NOT: "NOT",
  PLUS: "'+'",
  MINUS: "'-'",
  TIMES: "'*'",
  DIVIDE: "'/'",
  QUESTION: "'?'",
  NEGATE: "NEGATE",
  COLON: "':'",
  AT: "'@'",
  SEMICOLON: "';'",
  BANG: "'!'",
  DOT: "'.'",
  QUOTE: "'\"'",
  PAREN_OPEN: "'('",
  PAREN_CLOSE: "')'",
  CURLY_OPEN: "'{'",
  CURLY_CLOSE: "'}'",
  BRACKET_OPEN: "'['",
  BRACKET_CLOSE: "']'",
  ASSIGN: "'='",
  COMMA: "','",
} as const;

export type TerminalName = keyof typeof NAMES;

export const TERMINAL_NAMES = Object.keys(NAMES) as readonly TerminalName[];

/** Names in messages, by terminal number; byte strings. */
export const TERMINAL_LABELS: readonly string[] = Object.values(NAMES);

/** Terminal numbers. */
export const Token = Object.fromEntries(TERMINAL_NAMES.map((name, index) => [name, index])) as {
  readonly [Name in TerminalName]: number;
};

/** Keywords. `or` is one only where the grammar says so. */
export const KEYWORDS: ReadonlyMap<string, number> = new Map(
  (["IF", "THEN", "ELSE", "ASSERT", "WITH", "LET", "IN", "REC", "INHERIT", "OR"] as const).map((name) => [
    name.toLowerCase(),
    Token[name],
  ]),
);
