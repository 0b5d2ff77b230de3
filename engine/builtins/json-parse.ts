/**
 * Reads JSON as `builtins.fromJSON` does: the grammar, numbers and complaints of the JSON library inside C++ Nix, which
 * name the line, the column (in bytes, of the last byte read) and the text of the token that failed. Texts are byte strings.
 */
import { Keys, compareNames, noKeys } from "#engine/eval/keys.ts";
import { Attrs, NixFloat, normalInt } from "#engine/eval/value.ts";
import type { Slot, Value } from "#engine/eval/value.ts";
import { encodeCodePoint } from "#engine/store/format/bytes.ts";

/** A text that is refused. `decoding` tells syntax errors from what Nix itself finds wrong with a well-formed text. */
export class JsonError extends Error {
  readonly decoding: boolean;
  constructor(message: string, decoding = true) {
    super(message);
    this.decoding = decoding;
  }
}

const Token = {
  end: "end of input",
  true: "true literal",
  false: "false literal",
  null: "null literal",
  string: "string literal",
  number: "number literal",
  arrayBegin: "'['",
  arrayEnd: "']'",
  objectBegin: "'{'",
  objectEnd: "'}'",
  colon: "':'",
  comma: "','",
  error: "<parse error>",
} as const;
type Token = (typeof Token)[keyof typeof Token];

/** What may begin a value, as messages call it. */
const VALUE_BEGIN = "'[', '{', or a literal";

const EOF = -1;

const PUNCTUATION: Readonly<Record<string, Token>> = {
  "[": Token.arrayBegin,
  "]": Token.arrayEnd,
  "{": Token.objectBegin,
  "}": Token.objectEnd,
  ":": Token.colon,
  ",": Token.comma,
};

/** Escapes of one letter after a backslash. */
const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

const CONTROL_NAMES = [
  "NUL SOH STX ETX EOT ENQ ACK BEL BS HT LF VT FF CR SO SI",
  "DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US",
]
  .join(" ")
  .split(" ");
const CONTROL_ESCAPES: Readonly<Record<number, string>> = { 8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r" };

class Lexer {
  readonly #text: string;
  /** Bytes read, the end of input counted as one. */
  position = 0;
  /** Where the text that messages quote begins: the latest string or number, else the beginning. */
  #quoted = 0;
  /** Where the byte after the latest number was read too early. */
  #putBack = -1;
  /** What is wrong with the latest token. */
  message = "";
  /** Bytes of the latest string. */
  string = "";
  /** The latest number; whether it can be had is seen when it is taken. */
  number = { text: "0", isFloat: false };

  constructor(text: string) {
    this.#text = text;
  }

  /** Text read since the latest string or number began, control characters made visible. */
  lastRead(): string {
    return this.#text
      .slice(this.#quoted, this.position)
      .replace(/[^ -\xff]/g, (char) => `<U+${hex4(char.charCodeAt(0))}>`);
  }

  /** "line L, column C" of the last byte read. */
  place(): string {
    const read = this.#text.slice(0, this.position);
    const lines = read.split("\n");
    const beyond = this.position - read.length;
    // Putting a line end back after a number, the library forgets where in the line it was.
    if (this.position === this.#putBack && this.#text[this.position] === "\n") return `line ${lines.length}, column 0`;
    return `line ${lines.length}, column ${lines[lines.length - 1]!.length + beyond}`;
  }

  scan(): Token {
    if (this.position === 0 && this.#text.charCodeAt(0) === 0xef) {
      for (const byte of [0xef, 0xbb, 0xbf]) {
        if (this.#next() !== byte) return this.#fail("invalid BOM; must be 0xEF 0xBB 0xBF if given");
      }
    }
    let code = this.#next();
    while (code === 0x20 || (code >= 9 && code <= 13 && code !== 11 && code !== 12)) code = this.#next();
    if (code === EOF || code === 0) return Token.end;
    const char = String.fromCharCode(code);
    const punctuation = PUNCTUATION[char];
    if (punctuation !== undefined) return punctuation;
    if (char === '"') return this.#scanString();
    if (char === "-" || isDigit(code)) return this.#scanNumber(code);
    for (const literal of [Token.true, Token.false, Token.null]) {
      if (literal[0] === char) return this.#scanLiteral(literal);
    }
    return this.#fail("invalid literal");
  }

  #next(): number {
    const at = this.position++;
    return at < this.#text.length ? this.#text.charCodeAt(at) : EOF;
  }

  #fail(message: string): Token {
    this.message = message;
    return Token.error;
  }

  #scanLiteral(literal: Token): Token {
    const word = literal.slice(0, literal.indexOf(" "));
    for (let i = 1; i < word.length; i++) {
      if (this.#next() !== word.charCodeAt(i)) return this.#fail("invalid literal");
    }
    return literal;
  }

  #scanNumber(first: number): Token {
    const begin = this.position - 1;
    this.#quoted = begin;
    let code = first;
    let isFloat = false;
    if (code === 0x2d) {
      code = this.#next();
      if (!isDigit(code)) return this.#fail("invalid number; expected digit after '-'");
    }
    if (code === 0x30) code = this.#next();
    else while (isDigit(code)) code = this.#next();
    if (code === 0x2e) {
      isFloat = true;
      code = this.#next();
      if (!isDigit(code)) return this.#fail("invalid number; expected digit after '.'");
      while (isDigit(code)) code = this.#next();
    }
    if (code === 0x65 || code === 0x45) {
      isFloat = true;
      code = this.#next();
      const signed = code === 0x2b || code === 0x2d;
      if (signed) code = this.#next();
      if (!isDigit(code)) {
        const message = signed ? "expected digit after exponent sign" : "expected '+', '-', or digit after exponent";
        return this.#fail(`invalid number; ${message}`);
      }
      while (isDigit(code)) code = this.#next();
    }
    this.position--;
    this.#putBack = this.position;
    this.number = { text: this.#text.slice(begin, this.position), isFloat };
    return Token.number;
  }

  #scanString(): Token {
    const text = this.#text;
    this.#quoted = this.position - 1;
    this.string = "";
    for (;;) {
      const begin = this.position;
      let end = begin;
      for (let code = text.charCodeAt(end); code >= 0x20 && code < 0x80 && code !== 0x22 && code !== 0x5c;) {
        code = text.charCodeAt(++end);
      }
      this.string += text.slice(begin, end);
      this.position = end;
      const code = this.#next();
      if (code === 0x22) return Token.string;
      const problem = this.#unusual(code);
      if (problem !== undefined) return this.#fail(`invalid string: ${problem}`);
    }
  }

  /** Reads what is neither plain ASCII nor the end of a string; what is wrong with it, if anything. */
  #unusual(code: number): string | undefined {
    if (code === EOF) return "missing closing quote";
    if (code === 0x5c) return this.#escape();
    if (code < 0x20) return controlMessage(code);
    return this.#multiByte(code) ? undefined : "ill-formed UTF-8 byte";
  }

  #escape(): string | undefined {
    const code = this.#next();
    const char = code === EOF ? "" : String.fromCharCode(code);
    const short = SHORT_ESCAPES[char];
    if (short !== undefined) {
      this.string += short;
      return undefined;
    }
    return char === "u" ? this.#unicodeEscape() : "forbidden character after backslash";
  }

  #unicodeEscape(): string | undefined {
    const high = this.#hexDigits();
    if (high < 0) return "'\\u' must be followed by 4 hex digits";
    if (high >= 0xdc00 && high <= 0xdfff) return "surrogate U+DC00..U+DFFF must follow U+D800..U+DBFF";
    if (high < 0xd800 || high > 0xdbff) {
      this.string += encodeCodePoint(high);
      return undefined;
    }
    const unpaired = "surrogate U+D800..U+DBFF must be followed by U+DC00..U+DFFF";
    if (this.#next() !== 0x5c || this.#next() !== 0x75) return unpaired;
    const low = this.#hexDigits();
    if (low < 0) return "'\\u' must be followed by 4 hex digits";
    if (low < 0xdc00 || low > 0xdfff) return unpaired;
    this.string += encodeCodePoint(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00));
    return undefined;
  }

  #hexDigits(): number {
    let value = 0;
    for (let i = 0; i < 4; i++) {
      const code = this.#next();
      const digit = code === EOF ? NaN : Number.parseInt(String.fromCharCode(code), 16);
      if (Number.isNaN(digit)) return -1;
      value = value * 16 + digit;
    }
    return value;
  }

  /** The rest of a UTF-8 sequence; false at its first wrong byte. */
  #multiByte(lead: number): boolean {
    const begin = this.position - 1;
    if (lead < 0xc2 || lead > 0xf4) return false;
    const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
    const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
    const second = this.#next();
    if (second < low || second > high) return false;
    for (let more = lead < 0xe0 ? 0 : lead < 0xf0 ? 1 : 2; more > 0; more--) {
      const code = this.#next();
      if (code < 0x80 || code > 0xbf) return false;
    }
    this.string += this.#text.slice(begin, this.position);
    return true;
  }
}

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;
const hex4 = (code: number): string => code.toString(16).toUpperCase().padStart(4, "0");

function controlMessage(code: number): string {
  const name = `U+${hex4(code)}`;
  const short = CONTROL_ESCAPES[code];
  const or = short === undefined ? "" : ` or ${short}`;
  return `control character ${name} (${CONTROL_NAMES[code]!}) must be escaped to \\u${hex4(code)}${or}`;
}

/** Integers beyond 64 bits become floats, but Nix refuses those that only fit without a sign. */
function numberOf({ text, isFloat }: { readonly text: string; readonly isFloat: boolean }): Value {
  if (!isFloat) {
    if (text.length < 16) return Number(text) + 0;
    const integer = BigInt(text);
    const value = normalInt(integer);
    if (value !== undefined) return value;
    if (integer > 0n && integer < 2n ** 64n) {
      throw new JsonError(`unsigned json number ${text} outside of Nix integer range`, false);
    }
  }
  const value = Number(text);
  if (!Number.isFinite(value)) {
    throw new JsonError(`[json.exception.out_of_range.406] number overflow parsing '${text}'`);
  }
  return new NixFloat(value);
}

function plainString(text: string): string {
  if (!text.includes("\0")) return text;
  const shown = text.replaceAll("\0", "\xe2\x90\x80");
  throw new JsonError(
    `input string '${shown}' cannot be represented as Nix string because it contains null bytes`,
    false,
  );
}

/** A list or set under construction; `key` waits for its value. */
type Container =
  | { readonly list: Slot[]; readonly members?: undefined }
  | { readonly list?: undefined; readonly members: Map<string, Slot>; key: string };

/** The value of a JSON text, without recursion however deep it is. Throws JsonError. */
export function parseJson(text: string): Value {
  const lexer = new Lexer(text);
  const open: Container[] = [];
  let token = lexer.scan();
  for (;;) {
    let value: Value;
    if (token === Token.arrayBegin) {
      token = lexer.scan();
      if (token !== Token.arrayEnd) {
        open.push({ list: [] });
        continue;
      }
      value = [];
    } else if (token === Token.objectBegin) {
      token = lexer.scan();
      if (token !== Token.objectEnd) {
        open.push({ members: new Map(), key: readKey(lexer, token) });
        token = lexer.scan();
        continue;
      }
      value = new Attrs(noKeys, []);
    } else {
      value = scalarOf(lexer, token);
    }
    // A value is complete: put it into its container, and close containers as long as they end here.
    for (;;) {
      const container = open[open.length - 1];
      token = lexer.scan();
      if (container === undefined) {
        if (token === Token.end) return value;
        throw unexpected(lexer, token, "value", Token.end);
      }
      if (container.list !== undefined) container.list.push(value);
      else container.members.set(container.key, value);
      if (token === Token.comma) {
        token = lexer.scan();
        if (container.list === undefined) {
          container.key = readKey(lexer, token);
          token = lexer.scan();
        }
        break;
      }
      if (container.list !== undefined) {
        if (token !== Token.arrayEnd) throw unexpected(lexer, token, "array", Token.arrayEnd);
        value = container.list;
      } else {
        if (token !== Token.objectEnd) throw unexpected(lexer, token, "object", Token.objectEnd);
        value = attrsOf(container.members);
      }
      open.pop();
    }
  }
}

/** A set of the given members. */
export function attrsOf(members: ReadonlyMap<string, Slot>): Attrs {
  if (members.size === 0) return new Attrs(noKeys, []);
  const names = [...members.keys()].sort(compareNames);
  return new Attrs(
    new Keys(names),
    names.map((name) => members.get(name)!),
  );
}

/** The key whose token was just read, and the colon after it. */
function readKey(lexer: Lexer, token: Token): string {
  if (token !== Token.string) throw unexpected(lexer, token, "object key", Token.string);
  const key = plainString(lexer.string);
  const colon = lexer.scan();
  if (colon !== Token.colon) throw unexpected(lexer, colon, "object separator", Token.colon);
  return key;
}

function scalarOf(lexer: Lexer, token: Token): Value {
  switch (token) {
    case Token.string:
      return plainString(lexer.string);
    case Token.number:
      return numberOf(lexer.number);
    case Token.true:
      return true;
    case Token.false:
      return false;
    case Token.null:
      return null;
    case Token.end:
      if (lexer.position === 1) throw emptyInput();
      throw unexpected(lexer, token, "value", VALUE_BEGIN);
    default:
      throw unexpected(lexer, token, "value", VALUE_BEGIN);
  }
}

function emptyInput(): JsonError {
  return new JsonError(
    "[json.exception.parse_error.101] parse error at line 1, column 1: attempting to parse an empty input; " +
      "check that your input string or stream contains the expected JSON",
  );
}

function unexpected(lexer: Lexer, token: Token, context: string, expected: string): JsonError {
  // What may begin a value is not repeated for a token that could not be read.
  const what = token === Token.error ? `${lexer.message}; last read: '${lexer.lastRead()}'` : `unexpected ${token}`;
  const hint = token === Token.error && expected === VALUE_BEGIN ? "" : `; expected ${expected}`;
  return new JsonError(
    `[json.exception.parse_error.101] parse error at ${lexer.place()}: syntax error while parsing ${context} - ${what}${hint}`,
  );
}
