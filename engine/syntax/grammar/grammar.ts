/**
 * The grammar of the Nix language as data: terminals, precedences and rules.
 *
 * Invariant: it yields the same LALR(1) states as the grammar of C++ Nix 2.34. Which tokens a syntax error says it expected
 * is a property of those states, so a rule may not be rewritten even where another form accepts the same language.
 * `tables.ts` is made from this file.
 */
import type { TerminalName } from "../token.ts";

/** How rules write a terminal; its number is that of the token of the same name. */
const SPELLINGS: Readonly<Record<string, TerminalName>> = {
  "...": "ELLIPSIS",
  "==": "EQ",
  "!=": "NEQ",
  "<=": "LEQ",
  ">=": "GEQ",
  "&&": "AND",
  "||": "OR_OR",
  "->": "IMPL",
  "//": "UPDATE",
  "++": "CONCAT",
  "<|": "PIPE_FROM",
  "|>": "PIPE_INTO",
  "${": "DOLLAR_CURLY",
  "''": "IND_OPEN",
  "''.": "IND_CLOSE",
  "<": "LESS",
  ">": "GREATER",
  "+": "PLUS",
  "-": "MINUS",
  "*": "TIMES",
  "/": "DIVIDE",
  "?": "QUESTION",
  ":": "COLON",
  "@": "AT",
  ";": "SEMICOLON",
  "!": "BANG",
  ".": "DOT",
  '"': "QUOTE",
  "(": "PAREN_OPEN",
  ")": "PAREN_CLOSE",
  "{": "CURLY_OPEN",
  "}": "CURLY_CLOSE",
  "[": "BRACKET_OPEN",
  "]": "BRACKET_CLOSE",
  "=": "ASSIGN",
  ",": "COMMA",
};

/** Loosest first. A rule has the precedence of its last terminal unless it names another. */
export const PRECEDENCES: readonly (readonly ["left" | "right" | "nonassoc", ...TerminalName[]])[] = [
  ["right", "IMPL"],
  ["left", "OR_OR"],
  ["left", "AND"],
  ["nonassoc", "EQ", "NEQ"],
  ["nonassoc", "LESS", "GREATER", "LEQ", "GEQ"],
  ["right", "UPDATE"],
  ["left", "NOT"],
  ["left", "PLUS", "MINUS"],
  ["left", "TIMES", "DIVIDE"],
  ["right", "CONCAT"],
  ["nonassoc", "QUESTION"],
  ["nonassoc", "NEGATE"],
];

/** `head → body`; `action` is the name of what the parser does with it, `pass` to hand the only value on. */
export interface Rule {
  readonly head: string;
  readonly body: readonly string[];
  readonly action: string;
  readonly precedence?: TerminalName;
}

/** The rules, one a line: `head: body => action`, with `%NOT` naming another precedence; a text is the first rule's head. */
export const GRAMMAR: readonly Rule[] = parseRules(`
expr: function => pass
function: ID : function => lambda
function: formal-set : function => lambdaFormals
function: formal-set @ ID : function => lambdaFormalsAt
function: ID @ formal-set : function => lambdaAtFormals
function: ASSERT expr ; function => assert
function: WITH expr ; function => with
function: LET binds IN function => let
function: if => pass
if: IF expr THEN expr ELSE expr => if
if: pipe-from => pass
if: pipe-into => pass
if: op => pass
pipe-from: op <| pipe-from => binary
pipe-from: op <| op => binary
pipe-into: pipe-into |> op => binary
pipe-into: op |> op => binary
op: ! op %NOT => not
op: - op %NEGATE => negate
op: op == op => binary
op: op != op => binary
op: op < op => binary
op: op <= op => binary
op: op > op => binary
op: op >= op => binary
op: op && op => binary
op: op || op => binary
op: op -> op => binary
op: op // op => binary
op: op ? attrpath => hasAttr
op: op + op => binary
op: op - op => binary
op: op * op => binary
op: op / op => binary
op: op ++ op => binary
op: app => pass
app: app select => apply
app: select => pass
select: simple . attrpath => select
select: simple . attrpath OR select => selectOr
select: simple OR => applyOr
select: simple => pass
simple: ID => variable
simple: INT => integer
simple: FLOAT => float
simple: " string-parts " => string
simple: '' ind-parts ''. => indentedString
simple: path-start PATH_END => path
simple: path-start interpolated PATH_END => pathInterpolation
simple: SPATH => searchPath
simple: URI => uri
simple: ( expr ) => parenthesis
simple: LET { binds } => legacyLet
simple: REC { binds } => recSet
simple: { binds1 } => set
simple: { } => emptySet
simple: [ list ] => list
string-parts: STR => oneString
string-parts: interpolated => pass
string-parts: => none
interpolated: interpolated STR => appendString
interpolated: interpolated \${ expr } => appendAntiquote
interpolated: \${ expr } => oneAntiquote
interpolated: STR \${ expr } => stringAntiquote
path-start: PATH => pathStart
path-start: HPATH => homePathStart
ind-parts: ind-parts IND_STR => appendIndented
ind-parts: ind-parts \${ expr } => appendAntiquote
ind-parts: => none
binds: binds1 => pass
binds: => noBinds
binds1: binds1 attrpath = expr ; => appendBind
binds1: binds INHERIT attrs ; => appendInherit
binds1: binds INHERIT ( expr ) attrs ; => appendInheritFrom
binds1: attrpath = expr ; => firstBind
attrs: attrs attr => append
attrs: attrs string-attr => appendToInherit
attrs: => none
attrpath: attrpath . attr => appendName
attrpath: attrpath . string-attr => appendName
attrpath: attr => one
attrpath: string-attr => one
attr: ID => attr
attr: OR => attr
string-attr: " string-parts " => stringAttr
string-attr: \${ expr } => dynamicAttr
list: list select => appendElement
list: => none
formal-set: { formals , ... } => formalsEllipsis
formal-set: { ... } => onlyEllipsis
formal-set: { formals , } => formalsComma
formal-set: { formals } => formals
formal-set: { } => noFormals
formals: formals , formal => appendFormal
formals: formal => one
formal: ID => formal
formal: ID ? expr => formalDefault
`);

function parseRules(text: string): Rule[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [rule, action] = line.split(" => ") as [string, string];
      const [head, ...words] = rule.split(" ").filter((word) => word !== "");
      const body = words.filter((word) => !word.startsWith("%")).map((word) => SPELLINGS[word] ?? word);
      const precedence = words.find((word) => word.startsWith("%"))?.slice(1) as TerminalName | undefined;
      return { head: head!.slice(0, -1), body, action, ...(precedence && { precedence }) };
    });
}
