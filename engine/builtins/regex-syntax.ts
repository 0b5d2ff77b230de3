/**
 * The pattern side of `builtins.match` and `builtins.split`: POSIX extended expressions as libstdc++'s
 * `std::regex::extended` reads them, compiled to the same automaton. States are inserted in the library's own order
 * and number, because its limit of 100,000 states decides which patterns Nix calls too large, and the order of the two
 * branches of a choice decides which sub-matches are picked. Patterns and texts are byte strings.
 */

/** What a state of the automaton does; `dummy` states exist only while a pattern is compiled. */
export const Op = {
  dummy: 0,
  char: 1,
  set: 2,
  lineBegin: 3,
  lineEnd: 4,
  groupBegin: 5,
  groupEnd: 6,
  /** Greedy: `alt` (once more) first, `next` only when that found nothing. */
  repeat: 7,
  /** Both branches are explored, `alt` (the left one) first. */
  choice: 8,
  accept: 9,
} as const;

/** The library's limit on states; Nix reports reaching it as "memory limit exceeded". */
const STATE_LIMIT = 100_000;

/** A compiled pattern as parallel arrays over states. */
export interface Automaton {
  readonly op: readonly number[];
  readonly next: readonly number[];
  /** Second branch of `repeat` and `choice`. */
  readonly alt: readonly number[];
  /** Byte of `char`, index into `sets` of `set`, group number (from 1) of the group states. */
  readonly argument: readonly number[];
  /** 256 membership flags each. */
  readonly sets: readonly Uint8Array[];
  readonly groups: number;
  readonly start: number;
}

/** A pattern that is refused: malformed, or with too many states. */
export class RegexError extends Error {
  readonly code: "invalid" | "space" | "budget";
  constructor(code: "invalid" | "space" | "budget") {
    super(code);
    this.code = code;
  }
}

function invalid(): never {
  throw new RegexError("invalid");
}

/** A part of the automaton under construction: entered at `start`, left by `end`'s `next`. */
interface Sequence {
  start: number;
  end: number;
}

const NONE = -1;

/** Grows the automaton; one `insert` is one of the library's states. */
class Builder {
  readonly op: number[] = [];
  readonly next: number[] = [];
  readonly alt: number[] = [];
  readonly argument: number[] = [];
  readonly sets: Uint8Array[] = [];

  insert(op: number, argument = 0, next = NONE, alt = NONE): number {
    this.op.push(op);
    this.argument.push(argument);
    this.next.push(next);
    this.alt.push(alt);
    if (this.op.length > STATE_LIMIT) throw new RegexError("space");
    return this.op.length - 1;
  }

  single(op: number, argument = 0): Sequence {
    const id = this.insert(op, argument);
    return { start: id, end: id };
  }

  append(sequence: Sequence, more: Sequence): void {
    this.next[sequence.end] = more.start;
    sequence.end = more.end;
  }

  /** A copy of every state reachable inside `sequence`; group numbers stay. */
  clone(sequence: Sequence): Sequence {
    const copies = new Map<number, number>();
    const pending = [sequence.start];
    for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
      const next = this.next[id]!;
      const alt = this.alt[id]!;
      copies.set(id, this.insert(this.op[id]!, this.argument[id]!, next, alt));
      if (alt !== NONE && !copies.has(alt)) pending.push(alt);
      if (id !== sequence.end && next !== NONE && !copies.has(next)) pending.push(next);
    }
    for (const [id, copy] of copies) {
      const alt = this.alt[copy]!;
      if (alt !== NONE) this.alt[copy] = copies.get(alt)!;
      const next = this.next[copy]!;
      if (id !== sequence.end && next !== NONE) this.next[copy] = copies.get(next)!;
    }
    return { start: copies.get(sequence.start)!, end: copies.get(sequence.end)! };
  }

  /** Makes every edge skip dummies. */
  eliminateDummies(): void {
    for (const edges of [this.next, this.alt]) {
      for (let id = 0; id < edges.length; id++) {
        let target = edges[id]!;
        while (target !== NONE && this.op[target] === Op.dummy) target = this.next[target]!;
        edges[id] = target;
      }
    }
  }
}

/** A group (or the whole pattern) whose alternatives are being read. */
interface OpenGroup {
  readonly begin: Sequence;
  readonly number: number;
  left: Sequence | undefined;
  terms: Sequence[];
}

const QUANTIFIERS = "*+?{";
const SPECIAL = ".[\\()*+?{|^$";

/** Reads one pattern; the position only moves forward. */
class PatternReader {
  readonly #pattern: string;
  readonly #builder = new Builder();
  readonly #open: OpenGroup[] = [];
  #position = 0;
  #groups = 0;

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  read(): Automaton {
    const builder = this.#builder;
    const pattern = this.#pattern;
    this.#openGroup(0);
    while (this.#position < pattern.length) {
      const char = pattern[this.#position++]!;
      if (char === "(") this.#openGroup(++this.#groups);
      else if (char === ")") this.#term(this.#closeGroup());
      else if (char === "|") this.#nextAlternative();
      else if (char === "^") this.#top().terms.push(builder.single(Op.lineBegin));
      else if (char === "$") this.#top().terms.push(builder.single(Op.lineEnd));
      else if (QUANTIFIERS.includes(char)) invalid();
      else this.#term(this.#atom(char));
    }
    if (this.#open.length !== 1) invalid();
    const group = this.#top();
    this.#endAlternatives(group);
    builder.append(group.begin, builder.single(Op.accept));
    builder.eliminateDummies();
    const start = skipDummies(builder, group.begin.start);
    const { op, next, alt, argument, sets } = builder;
    return { op, next, alt, argument, sets, groups: this.#groups, start };
  }

  #top(): OpenGroup {
    return this.#open[this.#open.length - 1]!;
  }

  #openGroup(number: number): void {
    const begin = number === 0 ? this.#builder.single(Op.dummy) : this.#builder.single(Op.groupBegin, number);
    this.#open.push({ begin, number, left: undefined, terms: [] });
  }

  #closeGroup(): Sequence {
    if (this.#open.length < 2) invalid();
    const group = this.#top();
    this.#endAlternatives(group);
    this.#open.pop();
    this.#builder.append(group.begin, this.#builder.single(Op.groupEnd, group.number));
    return group.begin;
  }

  /** The terms read since the last `|` as one sequence, closed by a dummy as the library does. */
  #joinTerms(group: OpenGroup): Sequence {
    const end = this.#builder.single(Op.dummy);
    const [first, ...others] = [...group.terms, end];
    for (const other of others) this.#builder.append(first!, other);
    return first!;
  }

  #endAlternatives(group: OpenGroup): void {
    this.#builder.append(group.begin, this.#withLeft(group));
  }

  #withLeft(group: OpenGroup): Sequence {
    const builder = this.#builder;
    const right = this.#joinTerms(group);
    const { left } = group;
    if (left === undefined) return right;
    const end = builder.single(Op.dummy);
    builder.append(left, end);
    builder.append(right, end);
    return { start: builder.insert(Op.choice, 0, right.start, left.start), end: end.end };
  }

  #nextAlternative(): void {
    const group = this.#top();
    group.left = this.#withLeft(group);
    group.terms = [];
  }

  /** Adds an atom with the quantifiers that follow it. */
  #term(atom: Sequence): void {
    let term = atom;
    for (;;) {
      const char = this.#pattern[this.#position];
      if (char === undefined || !QUANTIFIERS.includes(char)) break;
      this.#position++;
      term = char === "{" ? this.#interval(term) : this.#simpleQuantifier(term, char);
    }
    this.#top().terms.push(term);
  }

  #simpleQuantifier(body: Sequence, char: string): Sequence {
    const builder = this.#builder;
    if (char === "?") {
      const end = builder.single(Op.dummy);
      const repeat = builder.single(Op.repeat);
      builder.alt[repeat.start] = body.start;
      builder.append(body, end);
      builder.append(repeat, { ...end });
      return repeat;
    }
    const repeat = builder.single(Op.repeat);
    builder.alt[repeat.start] = body.start;
    builder.append(body, repeat);
    return char === "*" ? { ...repeat } : body;
  }

  #interval(body: Sequence): Sequence {
    const builder = this.#builder;
    const result = builder.single(Op.dummy);
    const least = this.#count();
    const open = this.#accept(",");
    const most = open && this.#atDigit() ? this.#count() : undefined;
    if (!this.#accept("}")) invalid();
    for (let i = 0; i < least; i++) builder.append(result, builder.clone(body));
    if (open && most === undefined) {
      const copy = builder.clone(body);
      const repeat = builder.single(Op.repeat);
      builder.alt[repeat.start] = copy.start;
      builder.append(copy, repeat);
      builder.append(result, repeat);
      return result;
    }
    const optional = (most ?? least) - least;
    if (optional < 0) invalid();
    const end = builder.single(Op.dummy);
    for (let i = 0; i < optional; i++) {
      const copy = builder.clone(body);
      const repeat = builder.insert(Op.repeat, 0, end.start, copy.start);
      builder.append(result, { start: repeat, end: copy.end });
    }
    builder.append(result, end);
    return result;
  }

  #accept(char: string): boolean {
    if (this.#pattern[this.#position] !== char) return false;
    this.#position++;
    return true;
  }

  #atDigit(): boolean {
    const char = this.#pattern[this.#position];
    return char !== undefined && char >= "0" && char <= "9";
  }

  #count(): number {
    if (!this.#atDigit()) invalid();
    let value = 0;
    // The library keeps a C int and refuses what does not fit.
    while (this.#atDigit()) value = value * 10 + Number(this.#pattern[this.#position++]);
    if (value > 0x7fffffff) invalid();
    return value;
  }

  #atom(char: string): Sequence {
    if (char === ".") return this.#setState(anySet());
    if (char === "[") return this.#setState(this.#bracket());
    if (char !== "\\") return this.#builder.single(Op.char, char.charCodeAt(0));
    // Only what is special may be escaped; `]`, `}` and letters are refused.
    const escaped = this.#pattern[this.#position++];
    if (escaped === undefined || !SPECIAL.includes(escaped)) invalid();
    return this.#builder.single(Op.char, escaped.charCodeAt(0));
  }

  #setState(set: Uint8Array): Sequence {
    this.#builder.sets.push(set);
    return this.#builder.single(Op.set, this.#builder.sets.length - 1);
  }

  #bracket(): Uint8Array {
    const negated = this.#accept("^");
    const { set, end } = readBracket(this.#pattern, this.#position);
    this.#position = end;
    if (negated) for (let i = 0; i < 256; i++) set[i] = 1 - set[i]!;
    return set;
  }
}

function skipDummies(builder: Builder, start: number): number {
  let id = start;
  while (builder.op[id] === Op.dummy) id = builder.next[id]!;
  return id;
}

/** Everything but NUL. */
function anySet(): Uint8Array {
  const set = new Uint8Array(256).fill(1);
  set[0] = 0;
  return set;
}

type BracketToken =
  | { readonly kind: "end" }
  | { readonly kind: "dash" }
  | { readonly kind: "char"; readonly char: number }
  | { readonly kind: "." | ":" | "="; readonly name: string };

/** Splits the inside of a bracket expression, from just after `[` or `[^`. */
class BracketScanner {
  readonly #pattern: string;
  readonly #first: number;
  position: number;

  constructor(pattern: string, position: number) {
    this.#pattern = pattern;
    this.#first = position;
    this.position = position;
  }

  next(): BracketToken {
    const at = this.position;
    const char = this.#pattern[at];
    if (char === undefined) invalid();
    this.position++;
    if (char === "-") return { kind: "dash" };
    // A `]` in the first place stands for itself.
    if (char === "]" && at !== this.#first) return { kind: "end" };
    if (char !== "[") return { kind: "char", char: char.charCodeAt(0) };
    const kind = this.#pattern[this.position];
    if (kind === undefined) invalid();
    if (kind !== "." && kind !== ":" && kind !== "=") return { kind: "char", char: char.charCodeAt(0) };
    const begin = this.position + 1;
    const end = this.#pattern.indexOf(kind, begin);
    if (end < 0 || this.#pattern[end + 1] !== "]") invalid();
    this.position = end + 2;
    return { kind, name: this.#pattern.slice(begin, end) };
  }
}

/** Reads a bracket expression; `end` is the position after its `]`. */
function readBracket(pattern: string, start: number): { set: Uint8Array; end: number } {
  const scanner = new BracketScanner(pattern, start);
  const set = new Uint8Array(256);
  /** The last single character, which a dash could still make the start of a range; -1 after a class, -2 after nothing. */
  let last = -2;
  const char = (code: number): void => {
    set[code] = 1;
    last = code;
  };
  let token = scanner.next();
  if (token.kind === "dash") {
    char(0x2d);
    token = scanner.next();
  }
  for (; token.kind !== "end"; token = scanner.next()) {
    if (token.kind === "char") char(token.char);
    else if (token.kind === ".") char(collatingElement(token.name));
    else if (token.kind === ":") {
      addClass(set, token.name);
      last = -1;
    } else if (token.kind === "=") {
      addEquivalents(set, collatingElement(token.name));
      last = -1;
    } else {
      token = scanner.next();
      if (token.kind === "end") {
        char(0x2d);
        break;
      }
      if (last < 0 || (token.kind !== "char" && token.kind !== "dash")) invalid();
      addRange(set, last, token.kind === "dash" ? 0x2d : token.char);
      last = -2;
    }
  }
  return { set, end: scanner.position };
}

/** Adds a range; bytes are compared as C's signed char, so 0x80 sorts before 0x00. */
function addRange(set: Uint8Array, from: number, to: number): void {
  const low = (from << 24) >> 24;
  const high = (to << 24) >> 24;
  if (low > high) invalid();
  for (let code = low; code <= high; code++) set[code & 0xff] = 1;
}

/** The primary key of the C locale folds case. */
function addEquivalents(set: Uint8Array, code: number): void {
  const lower = foldCase(code);
  for (let other = 0; other < 256; other++) if (foldCase(other) === lower) set[other] = 1;
}

function foldCase(code: number): number {
  return code >= 0x41 && code <= 0x5a ? code + 32 : code;
}

const between = (low: string, high: string) => (code: number) =>
  code >= low.charCodeAt(0) && code <= high.charCodeAt(0);
const isDigit = between("0", "9");
const isUpper = between("A", "Z");
const isLower = between("a", "z");
const isAlpha = (code: number): boolean => isUpper(code) || isLower(code);
const isAlnum = (code: number): boolean => isAlpha(code) || isDigit(code);
const isGraph = between("!", "~");
const isSpace = (code: number): boolean => code === 0x20 || (code >= 9 && code <= 13);

/** Character classes of the C locale; the one-letter names are the library's own. */
const CLASSES: ReadonlyMap<string, (code: number) => boolean> = new Map([
  ["d", isDigit],
  ["w", (code) => isAlnum(code) || code === 0x5f],
  ["s", isSpace],
  ["alnum", isAlnum],
  ["alpha", isAlpha],
  ["blank", (code) => code === 0x20 || code === 9],
  ["cntrl", (code) => code < 32 || code === 127],
  ["digit", isDigit],
  ["graph", isGraph],
  ["lower", isLower],
  ["print", between(" ", "~")],
  ["punct", (code) => isGraph(code) && !isAlnum(code)],
  ["space", isSpace],
  ["upper", isUpper],
  ["xdigit", (code) => isDigit(code) || (foldCase(code) >= 0x61 && foldCase(code) <= 0x66)],
]);

/** Class names are read without regard to case. */
function addClass(set: Uint8Array, name: string): void {
  const contains = CLASSES.get(name.replace(/[A-Z]/g, (letter) => letter.toLowerCase())) ?? invalid();
  for (let code = 0; code < 256; code++) if (contains(code)) set[code] = 1;
}

/** POSIX names of the characters 0 to 127, in order; letters stand for themselves. */
const COLLATING_NAMES = [
  "NUL SOH STX ETX EOT ENQ ACK alert backspace tab newline vertical-tab form-feed carriage-return SO SI DLE DC1 DC2",
  "DC3 DC4 NAK SYN ETB CAN EM SUB ESC IS4 IS3 IS2 IS1 space exclamation-mark quotation-mark number-sign dollar-sign",
  "percent-sign ampersand apostrophe left-parenthesis right-parenthesis asterisk plus-sign comma hyphen period slash",
  "zero one two three four five six seven eight nine colon semicolon less-than-sign equals-sign greater-than-sign",
  "question-mark commercial-at A B C D E F G H I J K L M N O P Q R S T U V W X Y Z left-square-bracket backslash",
  "right-square-bracket circumflex underscore grave-accent a b c d e f g h i j k l m n o p q r s t u v w x y z",
  "left-curly-bracket vertical-line right-curly-bracket tilde DEL",
]
  .join(" ")
  .split(" ");

function collatingElement(name: string): number {
  const code = COLLATING_NAMES.indexOf(name);
  return code < 0 ? invalid() : code;
}

/** Compiles a pattern. Throws RegexError for what libstdc++ refuses. */
export function compilePattern(pattern: string): Automaton {
  return new PatternReader(pattern).read();
}
