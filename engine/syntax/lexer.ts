/**
 * The lexer: one token at a call, longest match among Nix's rules, with a stack of modes for strings and paths.
 *
 * Invariants: it knows nothing of the parser; it never fails (what Nix throws while lexing goes to `report`, and a token
 * still comes back); `begin`/`end` are Nix's location of the token, including its oddity that the end of a path at the end
 * of the text takes the location back to before the path's last token.
 */
import { CLASSES, DIGIT, ID_PART, ID_START, isClass, LETTER, PATH_PART, skipClass, SPACE, URI_PART } from "./chars.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { unescapeString } from "./strings.ts";
import { KEYWORDS, Token } from "./token.ts";

const Mode = { code: 0, string: 1, indented: 2, pathStart: 3, path: 4, pathSlash: 5 } as const;
type Mode = (typeof Mode)[keyof typeof Mode];

/** A piece of an indented string; escapes count as text in which no indentation is looked for. */
export interface IndentedPiece {
  readonly text: string;
  readonly hasIndentation: boolean;
}

/** What a token carries: an identifier's or path's text, a string's content, a number. */
export type TokenValue = string | number | bigint | IndentedPiece | null;

export class Lexer {
  begin = 0;
  end = 0;
  /** How far the text has been read. */
  offset = 0;
  value: TokenValue = null;
  private readonly text: string;
  private readonly report: (diagnostic: Diagnostic) => void;
  private mode: Mode = Mode.code;
  private readonly outerModes: Mode[] = [];
  private previousBegin = 0;
  private previousEnd = 0;
  /** End of the last run of path characters looked at, so that a long `a.b.c.…` is scanned once. */
  private runEnd = 0;

  constructor(text: string, report: (diagnostic: Diagnostic) => void) {
    this.text = text;
    this.report = report;
  }

  /** The next terminal; END again and again at the end. */
  next(): number {
    switch (this.mode) {
      case Mode.code:
        return this.code();
      case Mode.string:
        return this.string();
      case Mode.indented:
        return this.indented();
      case Mode.pathStart: {
        const length = skipClass(this.text, this.offset, PATH_PART) + 1 - this.offset;
        this.mode = Mode.pathSlash;
        return this.textToken(Token.PATH, length);
      }
      default:
        return this.path();
    }
  }

  /** Skips the rest of the text. */
  finish(): void {
    this.mode = Mode.code;
    this.offset = this.text.length;
  }

  /** Takes `length` bytes as the next token. */
  private token(terminal: number, length: number): number {
    this.previousBegin = this.begin;
    this.previousEnd = this.end;
    this.begin = this.offset;
    this.offset += length;
    this.end = this.offset;
    return terminal;
  }

  private textToken(terminal: number, length: number): number {
    this.value = this.text.slice(this.offset, this.offset + length);
    return this.token(terminal, length);
  }

  private push(mode: Mode): void {
    this.outerModes.push(this.mode);
    this.mode = mode;
  }

  /** Back to the mode outside; the outermost is never left. */
  private pop(): void {
    this.mode = this.outerModes.pop() ?? this.mode;
  }

  private code(): number {
    const { text } = this;
    this.skipTrivia();
    const start = this.offset;
    if (start >= text.length) return this.endOfText();
    const char = text.charCodeAt(start);
    if ((CLASSES[char]! & (ID_START | DIGIT)) !== 0) return this.word(start, char);
    const second = start + 1 < text.length ? text.charCodeAt(start + 1) : 0;
    switch (char) {
      case 0x22: // "
        this.push(Mode.string);
        return this.token(Token.QUOTE, 1);
      case 0x27: // '
        return second === 0x27 ? this.openIndented(start) : this.token(Token.INVALID, 1);
      case 0x7b: // {
        this.push(Mode.code);
        return this.token(Token.CURLY_OPEN, 1);
      case 0x7d: // }
        this.pop();
        return this.token(Token.CURLY_CLOSE, 1);
      case 0x24: // $
        if (second !== 0x7b) return this.token(Token.INVALID, 1);
        this.push(Mode.code);
        return this.token(Token.DOLLAR_CURLY, 2);
      case 0x2b: // +
      case 0x2d: // -
      case 0x2e: // .
      case 0x2f: // /
        return this.pathLike(start, char, second);
      case 0x00: // What Nix takes for the end of the text.
        this.value = null;
        return this.token(Token.END, 1);
      case 0x7e: // ~
        return this.home(start, second);
      case 0x3c: // <
        return this.less(start, second);
      default:
        return this.punctuation(char, second);
    }
  }

  /** White space and comments. Each run is a token of Nix's lexer, which is seen only in `previousBegin`. */
  private skipTrivia(): void {
    const { text } = this;
    for (;;) {
      const start = this.offset;
      if (start >= text.length) return;
      const char = text.charCodeAt(start);
      let stop: number;
      if ((CLASSES[char]! & SPACE) !== 0) stop = skipClass(text, start + 1, SPACE);
      else if (char === 0x23) stop = endOfLine(text, start);
      else if (char === 0x2f && text.charCodeAt(start + 1) === 0x2a) {
        stop = text.indexOf("*/", start + 2) + 2;
        if (stop < 2) return;
      } else return;
      this.token(0, stop - start);
    }
  }

  private endOfText(): number {
    this.value = null;
    return Token.END;
  }

  /** Identifier, keyword, number, or a path or URI that begins like one. */
  private word(start: number, char: number): number {
    const { text } = this;
    const isNumber = (CLASSES[char]! & DIGIT) !== 0;
    const run = this.pathRun(start);
    const next = run < text.length ? text.charCodeAt(run) : 0;
    if (next === 0x2f) {
      const path = this.tryPath(start, run);
      if (path >= 0) return path;
    } else if (next === 0x3a && !isNumber && this.isUri(start, run)) {
      return this.textToken(Token.URI, skipClass(text, run + 1, URI_PART) - start);
    }
    if (isNumber) return this.number(start);
    const stop = skipClass(text, start + 1, ID_PART);
    const word = text.slice(start, stop);
    this.value = word;
    const length = stop - start;
    return this.token(isKeywordLike(length, char) ? (KEYWORDS.get(word) ?? Token.ID) : Token.ID, length);
  }

  private pathRun(start: number): number {
    if (start >= this.runEnd) this.runEnd = skipClass(this.text, start, PATH_PART);
    return this.runEnd;
  }

  /** Whether the run up to a colon is a URI's scheme and something follows. */
  private isUri(start: number, colon: number): boolean {
    const { text } = this;
    if (!isClass(text, start, LETTER) || !isClass(text, colon + 1, URI_PART)) return false;
    return !text.slice(start, colon).includes("_");
  }

  /** A path literal whose first slash is at `slash`, or −1 if there is none. */
  private tryPath(start: number, slash: number): number {
    const { text } = this;
    if (!isClass(text, slash + 1, PATH_PART)) {
      if (!text.startsWith("${", slash + 1)) return -1;
      this.push(Mode.pathStart);
      return this.next();
    }
    return this.pathToken(Token.PATH, start, slash);
  }

  private pathToken(terminal: number, start: number, slash: number): number {
    const stop = pathEnd(this.text, slash);
    this.push(this.text.charCodeAt(stop - 1) === 0x2f ? Mode.pathSlash : Mode.path);
    return this.textToken(terminal, stop - start);
  }

  private number(start: number): number {
    const { text } = this;
    let stop = skipClass(text, start, DIGIT);
    const first = text.charCodeAt(start);
    const isFloat =
      text.charCodeAt(stop) === 0x2e && (first !== 0x30 || (stop === start + 1 && isClass(text, stop + 1, DIGIT)));
    if (isFloat) return this.float(start, skipClass(text, stop + 1, DIGIT));
    const digits = text.slice(start, stop);
    this.value = digits.length < 16 ? Number(digits) : this.longInteger(digits, start, stop);
    return this.token(Token.INT, stop - start);
  }

  private longInteger(digits: string, start: number, stop: number): number | bigint {
    const value = BigInt(digits);
    if (value > 9223372036854775807n) this.invalid("integer", digits, start, stop);
    return value > BigInt(Number.MAX_SAFE_INTEGER) ? BigInt.asIntN(64, value) : Number(value);
  }

  /** A float whose mantissa ends at `stop`, an exponent perhaps following. */
  private float(start: number, stop: number): number {
    const { text } = this;
    const letter = text.charCodeAt(stop);
    if (letter === 0x65 || letter === 0x45) {
      const sign = text.charCodeAt(stop + 1);
      const digits = sign === 0x2b || sign === 0x2d ? stop + 2 : stop + 1;
      if (isClass(text, digits, DIGIT)) stop = skipClass(text, digits, DIGIT);
    }
    const literal = text.slice(start, stop);
    const value = Number(literal);
    // strtod reports overflow and underflow (subnormal results included) alike.
    const isZero = /^[0.]*($|[eE])/.test(literal);
    if (!Number.isFinite(value) || (Math.abs(value) < 2.2250738585072014e-308 && !isZero)) {
      this.invalid("float", literal, start, stop);
    }
    this.value = value;
    return this.token(Token.FLOAT, stop - start);
  }

  private invalid(type: "integer" | "float", literal: string, start: number, end: number): void {
    this.report({ code: "invalid-number", message: `invalid ${type} '${literal}'`, start, end });
  }

  private openIndented(start: number): number {
    const { text } = this;
    let stop = start + 2;
    while (text.charCodeAt(stop) === 0x20) stop++;
    this.push(Mode.indented);
    return this.token(Token.IND_OPEN, text.charCodeAt(stop) === 0x0a ? stop + 1 - start : 2);
  }

  /** `+ - . /`: an operator, a number, or a path starting with such a character. */
  private pathLike(start: number, char: number, second: number): number {
    const { text } = this;
    const run = this.pathRun(start);
    if (text.charCodeAt(run) === 0x2f) {
      const path = this.tryPath(start, run);
      if (path >= 0) return path;
    }
    switch (char) {
      case 0x2b:
        return second === 0x2b ? this.token(Token.CONCAT, 2) : this.token(Token.PLUS, 1);
      case 0x2d:
        return second === 0x3e ? this.token(Token.IMPL, 2) : this.token(Token.MINUS, 1);
      case 0x2f:
        return second === 0x2f ? this.token(Token.UPDATE, 2) : this.token(Token.DIVIDE, 1);
      default:
        if (isClass(text, start + 1, DIGIT)) return this.float(start, skipClass(text, start + 1, DIGIT));
        return text.startsWith("...", start) ? this.token(Token.ELLIPSIS, 3) : this.token(Token.DOT, 1);
    }
  }

  private home(start: number, second: number): number {
    if (second !== 0x2f) return this.token(Token.INVALID, 1);
    if (isClass(this.text, start + 2, PATH_PART)) return this.pathToken(Token.HPATH, start, start + 1);
    if (!this.text.startsWith("${", start + 2)) return this.token(Token.INVALID, 1);
    this.push(Mode.pathSlash);
    return this.textToken(Token.HPATH, 2);
  }

  private less(start: number, second: number): number {
    const { text } = this;
    if (isClass(text, start + 1, PATH_PART)) {
      let stop = skipClass(text, start + 1, PATH_PART);
      while (text.charCodeAt(stop) === 0x2f && isClass(text, stop + 1, PATH_PART))
        stop = skipClass(text, stop + 1, PATH_PART);
      if (text.charCodeAt(stop) === 0x3e) return this.textToken(Token.SPATH, stop + 1 - start);
    }
    if (second === 0x3d) return this.token(Token.LEQ, 2);
    return second === 0x7c ? this.token(Token.PIPE_FROM, 2) : this.token(Token.LESS, 1);
  }

  private punctuation(char: number, second: number): number {
    switch (char) {
      case 0x3b:
        return this.token(Token.SEMICOLON, 1);
      case 0x3d:
        return second === 0x3d ? this.token(Token.EQ, 2) : this.token(Token.ASSIGN, 1);
      case 0x28:
        return this.token(Token.PAREN_OPEN, 1);
      case 0x29:
        return this.token(Token.PAREN_CLOSE, 1);
      case 0x5b:
        return this.token(Token.BRACKET_OPEN, 1);
      case 0x5d:
        return this.token(Token.BRACKET_CLOSE, 1);
      case 0x3a:
        return this.token(Token.COLON, 1);
      case 0x2c:
        return this.token(Token.COMMA, 1);
      case 0x3f:
        return this.token(Token.QUESTION, 1);
      case 0x40:
        return this.token(Token.AT, 1);
      case 0x21:
        return second === 0x3d ? this.token(Token.NEQ, 2) : this.token(Token.BANG, 1);
      case 0x2a:
        return this.token(Token.TIMES, 1);
      case 0x3e:
        return second === 0x3d ? this.token(Token.GEQ, 2) : this.token(Token.GREATER, 1);
      case 0x26:
        return second === 0x26 ? this.token(Token.AND, 2) : this.token(Token.INVALID, 1);
      case 0x7c:
        if (second === 0x7c) return this.token(Token.OR_OR, 2);
        return second === 0x3e ? this.token(Token.PIPE_INTO, 2) : this.token(Token.INVALID, 1);
      default:
        return this.token(Token.INVALID, 1);
    }
  }

  /** Inside `"…"`. A `$` or backslash that the text ends after is an end of file, as in Nix. */
  private string(): number {
    const { text } = this;
    const start = this.offset;
    let stop = start;
    let plain = true;
    for (; stop < text.length; stop++) {
      const char = text.charCodeAt(stop);
      if (char === 0x22) break;
      if (char === 0x24) {
        const next = text.charCodeAt(stop + 1);
        if (next === 0x7b || stop + 1 >= text.length) break;
        if (next === 0x5c) {
          if (stop + 2 >= text.length) break;
          plain = false;
          stop += 2;
        } else if (next !== 0x22) {
          if (next === 0x0d) plain = false;
          stop++;
        }
      } else if (char === 0x5c) {
        if (stop + 1 >= text.length) break;
        plain = false;
        stop++;
      } else if (char === 0x0d) plain = false;
    }
    if (stop > start) {
      const raw = text.slice(start, stop);
      this.value = plain ? raw : unescapeString(raw);
      this.refuseNull(this.value, start, stop);
      return this.token(Token.STR, stop - start);
    }
    if (stop >= text.length) return this.endOfText();
    switch (text.charCodeAt(stop)) {
      case 0x22:
        this.pop();
        return this.token(Token.QUOTE, 1);
      case 0x24:
        if (stop + 1 < text.length && text.charCodeAt(stop + 1) === 0x7b) {
          this.push(Mode.code);
          return this.token(Token.DOLLAR_CURLY, 2);
        }
    }
    this.token(0, text.length - stop);
    return this.endOfText();
  }

  private refuseNull(text: string, start: number, end: number): void {
    if (!text.includes("\0")) return;
    const shown = text.replaceAll("\0", "\u00e2\u0090\u0080"); // ␀ in UTF-8 bytes
    const message = `input string '${shown}' cannot be represented as Nix string because it contains null bytes`;
    this.report({ code: "null-byte", message, start, end });
  }

  /** Inside `''…''`. */
  private indented(): number {
    const { text } = this;
    const start = this.offset;
    const stop = indentedTextEnd(text, start);
    if (stop > start) return this.piece(text.slice(start, stop), true, stop - start);
    if (start >= text.length) return this.endOfText();
    const second = start + 1 < text.length ? text[start + 1]! : "";
    if (text.charCodeAt(start) === 0x24) {
      if (second !== "{") return this.piece("$", false, 1);
      this.push(Mode.code);
      return this.token(Token.DOLLAR_CURLY, 2);
    }
    if (second !== "'") return this.piece("'", false, 1);
    const third = start + 2 < text.length ? text[start + 2]! : "";
    if (third === "$") return this.piece("$", false, 3);
    if (third === "'") return this.piece("''", false, 3);
    if (third === "\\" && start + 3 < text.length)
      return this.piece(unescapeString(text.slice(start + 2, start + 4)), false, 4);
    this.pop();
    return this.token(Token.IND_CLOSE, 2);
  }

  private piece(text: string, hasIndentation: boolean, length: number): number {
    if (hasIndentation) this.refuseNull(text, this.offset, this.offset + length);
    this.value = { text, hasIndentation };
    return this.token(Token.IND_STR, length);
  }

  /** Behind the first part of a path: more of it, an interpolation, or its end. */
  private path(): number {
    const { text } = this;
    const start = this.offset;
    if (text.startsWith("${", start)) {
      this.mode = Mode.path;
      this.push(Mode.code);
      return this.token(Token.DOLLAR_CURLY, 2);
    }
    let stop = this.pathRun(start);
    if (text.charCodeAt(stop) === 0x2f) stop = isClass(text, stop + 1, PATH_PART) ? pathEnd(text, stop) : stop + 1;
    if (stop > start) {
      this.mode = text.charCodeAt(stop - 1) === 0x2f ? Mode.pathSlash : Mode.path;
      return this.textToken(Token.STR, stop - start);
    }
    return this.endPath();
  }

  private endPath(): number {
    if (this.mode === Mode.pathSlash) {
      const [start, end] = this.offset < this.text.length ? [this.offset, this.offset + 1] : [this.begin, this.end];
      this.report({ code: "trailing-slash", message: "path has a trailing slash", start, end });
    }
    this.pop();
    if (this.offset >= this.text.length) {
      this.begin = this.previousBegin;
      this.end = this.previousEnd;
    }
    return Token.PATH_END;
  }
}

/** A quick no for most words: keywords are 2–7 letters long and start with one of a, e, i, l, o, r, t, w. */
function isKeywordLike(length: number, char: number): boolean {
  return length > 1 && length < 8 && char > 0x60 && ((KEYWORD_STARTS >> (char - 0x61)) & 1) === 1;
}

/** The letters keywords start with, as bits. */
const KEYWORD_STARTS = [...KEYWORDS.keys()].reduce((bits, word) => bits | (1 << (word.charCodeAt(0) - 0x61)), 0);

function endOfLine(text: string, offset: number): number {
  while (offset < text.length) {
    const char = text.charCodeAt(offset);
    if (char === 0x0a || char === 0x0d) break;
    offset++;
  }
  return offset;
}

/** The end of `(/part)+/?` from the slash on. */
function pathEnd(text: string, slash: number): number {
  let stop = slash;
  while (text.charCodeAt(stop) === 0x2f && isClass(text, stop + 1, PATH_PART))
    stop = skipClass(text, stop + 1, PATH_PART);
  return text.charCodeAt(stop) === 0x2f ? stop + 1 : stop;
}

/** The end of a stretch of an indented string that means itself: no `${`, no `''`, no `$` or `'` that another rule takes. */
function indentedTextEnd(text: string, start: number): number {
  let stop = start;
  while (stop < text.length) {
    const char = text.charCodeAt(stop);
    if (char === 0x24 || char === 0x27) {
      if (stop + 1 >= text.length) break;
      const next = text.charCodeAt(stop + 1);
      if (next === 0x27 || next === (char === 0x24 ? 0x7b : 0x24)) break;
      stop += 2;
    } else stop++;
  }
  return stop;
}
