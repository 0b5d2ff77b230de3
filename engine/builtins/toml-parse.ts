/**
 * Reads TOML 1.0 as `builtins.fromTOML` does. Errors have the titles and the source excerpts of the TOML library inside
 * C++ Nix; like it, reading goes on at the next line after a faulty one and reports all of them. What the library finds
 * wrong a second time while it looks for the end of the same line is not repeated here. Texts are byte strings.
 */
import { encodeCodePoint } from "#engine/store/format/bytes.ts";

/** A date or time, in the form Nix prints it. */
export class TomlTime {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** A float (integers are bigints). */
export class TomlFloat {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

export type TomlScalar = string | bigint | boolean | TomlFloat | TomlTime;

/** Bytes `begin` to `end` of the text: what a message points at. */
interface Region {
  readonly begin: number;
  readonly end: number;
}

/**
 * How a table came to be, which decides what may still be added: `implicit` by a header of a table inside it, `header` by its own,
 * `dotted` by a dotted key, `inline` (closed).
 */
type TableForm = "implicit" | "header" | "dotted" | "inline";

export interface TomlTable {
  readonly kind: "table";
  readonly entries: Map<string, TomlNode>;
  form: TableForm;
  region: Region;
}

export interface TomlArray {
  readonly kind: "array";
  readonly items: TomlNode[];
  /** Built by `[[…]]` headers. */
  readonly ofTables: boolean;
  readonly region: Region;
}

export type TomlNode =
  TomlTable | TomlArray | { readonly kind: "scalar"; readonly value: TomlScalar; readonly region: Region };

interface Key {
  readonly parts: readonly string[];
  readonly region: Region;
}

/** A text that is refused; the message has every error found, one after the other. */
export class TomlError extends Error {}

/** One error on its way to the statement it spoils. */
class Fault extends Error {}

const HINTS = {
  key: ["Hint: non-ASCII scripts are allowed in toml v1.1.0, but not in v1.0.0."],
  integer: ["Hint: valid  : -42, 1_000, 1_2_3_4_5, 0xC0FFEE, 0b0010, 0o755", "Hint: invalid: _42, 1__000, 0123"],
  float: ["Hint: valid  : +1.0, -2e-2, 3.141_592_653_589, inf, nan", "Hint: invalid: .0, 1., _1.0, 1.0_, 1_.0, 1.0__0"],
  time: [
    "Hint: valid  : 1979-05-27T07:32:00, 1979-05-27 07:32:00.999999",
    "Hint: invalid: 1979-05-27T7:32:00, 1979-05-27 17:32",
  ],
} as const;

interface Note {
  readonly region: Region;
  readonly text: string;
}

const BARE_KEY = /[A-Za-z0-9_-]+/y;
const INTEGER = /[+-]?(?:0|[1-9](?:_?[0-9])*)/y;
const FLOAT_TAIL = /(?:\.[0-9](?:_?[0-9])*)?(?:[eE][+-]?[0-9](?:_?[0-9])*)?/y;
const DATE = /([0-9]{4})-([0-9]{2})-([0-9]{2})/y;
const TIME = /([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?/y;
const ZONE = /[Zz]|([+-])([0-9]{2}):([0-9]{2})/y;
const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  b: "\b",
  t: "\t",
  n: "\n",
  f: "\f",
  r: "\r",
  '"': '"',
  "\\": "\\",
};

const PREFIXES = {
  "0x": {
    digits: /[0-9A-Fa-f](?:_?[0-9A-Fa-f])*/y,
    name: "hex",
    like: "0xC0FFEE, 0xdead_beef",
    wanted: "hex [0-9a-fA-F]",
  },
  "0o": { digits: /[0-7](?:_?[0-7])*/y, name: "oct", like: "0o775, 0o04_44", wanted: "from `0` to `7`" },
  "0b": { digits: /[01](?:_?[01])*/y, name: "bin", like: "0b0101, 0b1111_0000", wanted: "0 or 1" },
} as const;

class Parser {
  readonly #text: string;
  readonly #faults: string[] = [];
  readonly #root: TomlTable = { kind: "table", entries: new Map(), form: "header", region: { begin: 0, end: 0 } };
  #current: TomlTable = this.#root;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): TomlTable {
    for (;;) {
      this.#skipBlank();
      if (this.#at >= this.#text.length) break;
      try {
        if (this.#text[this.#at] === "[") this.#header();
        else this.#keyValueLine();
      } catch (thrown) {
        if (!(thrown instanceof Fault)) throw thrown;
        this.#faults.push(thrown.message);
        this.#skipLine();
      }
    }
    if (this.#faults.length > 0) throw new TomlError(this.#faults.join(""));
    return this.#root;
  }

  // Statements

  #header(): void {
    const begin = this.#at;
    const isArray = this.#text.startsWith("[[", begin);
    const [open, close, kind] = isArray ? ["[[", "]]", "array-table"] : ["[", "]", "table"];
    this.#at += open.length;
    this.#skipSpace();
    const bad = (wanted: string): never =>
      this.#fail(`toml::parse_file: invalid ${kind} key`, [this.#here(`expected ${wanted}`)]);
    const parts = this.#keyParts(() => bad("basic key([a-zA-Z0-9_-]) or quoted key(\" or ')"), true);
    this.#skipSpace();
    if (!this.#text.startsWith(close, this.#at)) bad(close);
    this.#at += close.length;
    const region = { begin, end: this.#at };
    this.#skipSpace();
    this.#skipComment();
    if (!this.#atLineEnd()) {
      this.#fail("toml::parse_file: newline (or EOF) expected", [this.#here("expected 0x0a(LINE FEED) or ")]);
    }
    const key = { parts, region };
    this.#current = isArray ? this.#insertArrayElement(key) : this.#insertTable(key);
  }

  #keyValueLine(): void {
    const { key, node } = this.#keyValue();
    this.#skipSpace();
    this.#skipComment();
    if (!this.#atLineEnd()) {
      this.#fail("toml::parse_table: newline (LF / CRLF) or EOF is expected", [this.#here("here")]);
    }
    this.#insertValue(this.#current, key, node);
  }

  #keyValue(): { key: Key; node: TomlNode } {
    const begin = this.#at;
    const parts = this.#keyParts(() => this.#badKey(), false);
    const region = { begin, end: this.#at };
    this.#skipSpace();
    if (this.#text[this.#at] !== "=") {
      this.#fail("toml::parse_key_value_pair: invalid key value separator `=`", [this.#here("expected =")]);
    }
    this.#at++;
    this.#skipSpace();
    return { key: { parts, region }, node: this.#value() };
  }

  // Keys

  /** The parts of a dotted key; in a header a dot without a key after it is left for the header to complain of. */
  #keyParts(bad: () => never, inHeader: boolean): string[] {
    const parts = [this.#simpleKey() ?? bad()];
    for (;;) {
      const before = this.#at;
      this.#skipSpace();
      if (this.#text[this.#at] !== ".") {
        this.#at = before;
        return parts;
      }
      this.#at++;
      this.#skipSpace();
      const part = this.#simpleKey();
      if (part === undefined && inHeader) {
        this.#at = before;
        return parts;
      }
      parts.push(part ?? bad());
    }
  }

  #simpleKey(): string | undefined {
    const char = this.#text[this.#at];
    if (char === '"') return this.#basicString();
    if (char === "'") return this.#literalString();
    return this.#take(BARE_KEY)?.[0];
  }

  #badKey(): never {
    this.#fail(
      "toml::parse_simple_key: invalid key: key must be \"quoted\", 'quoted-literal', or bare key.",
      [this.#here("expected alpha [a-zA-Z], digit [0-9], -, or _")],
      HINTS.key,
    );
  }

  // Values

  #value(): TomlNode {
    const begin = this.#at;
    const char = this.#text[begin] ?? "";
    if (char === "[") return this.#array();
    if (char === "{") return this.#inlineTable();
    const value = this.#scalar(char);
    return { kind: "scalar", value, region: { begin, end: this.#at } };
  }

  #scalar(char: string): TomlScalar {
    const text = this.#text;
    if (char === '"') return text.startsWith('"""', this.#at) ? this.#multiLineBasic() : this.#basicString();
    if (char === "'") return text.startsWith("'''", this.#at) ? this.#multiLineLiteral() : this.#literalString();
    if (char === "t" || char === "f") return this.#boolean();
    if (/[0-9+_.inIN-]/.test(char)) return this.#number(char);
    if (char === "T" || char === "F") {
      const word = char === "T" ? "true" : "false";
      this.#notLowercase(word, "expected true or false");
    }
    return this.#unknown();
  }

  #unknown(): never {
    this.#fail("bad format: unknown value appeared", [this.#here("here")]);
  }

  #notLowercase(word: string, wanted: string): never {
    const title = `toml::parse_value: \`${word}\` must be in lowercase. A string must be surrounded by quotes.`;
    this.#fail(title, [this.#here(wanted)]);
  }

  #boolean(): boolean {
    for (const word of ["true", "false"]) {
      if (!this.#text.startsWith(word, this.#at)) continue;
      this.#at += word.length;
      return word === "true";
    }
    this.#fail(
      'toml::parse_boolean: invalid boolean: boolean must be `true` or `false`, in lowercase. string must be surrounded by `"`',
      [this.#here("expected true or false")],
    );
  }

  #array(): TomlArray {
    const begin = this.#at++;
    const items: TomlNode[] = [];
    for (;;) {
      this.#skipBlank();
      if (this.#at >= this.#text.length) {
        const region = { begin: this.#text.length, end: this.#text.length };
        this.#fail("toml::parse_array: missing closing bracket `]`", [{ region, text: "expected `]`, reached EOF" }]);
      }
      if (this.#text[this.#at] === "]") break;
      items.push(this.#value());
      this.#skipBlank();
      if (this.#text[this.#at] === ",") {
        this.#at++;
      } else if (this.#text[this.#at] !== "]") {
        const title = "toml::parse_array: expected value-separator `,` or closing `]`";
        this.#fail(title, [this.#here("here")]);
      }
    }
    this.#at++;
    return { kind: "array", items, ofTables: false, region: { begin, end: this.#at } };
  }

  #inlineTable(): TomlTable {
    const begin = this.#at++;
    const table: TomlTable = { kind: "table", entries: new Map(), form: "implicit", region: { begin, end: begin } };
    this.#skipSpace();
    if (this.#text[this.#at] !== "}") {
      for (;;) {
        this.#skipSpace();
        const { key, node } = this.#keyValue();
        this.#insertValue(table, key, node);
        this.#skipSpace();
        const comma = this.#at;
        if (this.#text[comma] === "}") break;
        if (this.#text[comma] !== ",") {
          const title = "toml::parse_inline_table: expected value-separator `,` or closing `}`";
          this.#fail(title, [this.#here("here")]);
        }
        this.#at++;
        this.#skipSpace();
        if (this.#text[this.#at] === "}") {
          const title = "toml::parse_inline_table: trailing comma is not allowed in TOML-v1.0.0)";
          this.#fail(title, [{ region: { begin: this.#at, end: this.#at + 1 }, text: "here" }]);
        }
      }
    }
    this.#at++;
    closeTable(table);
    table.region = { begin, end: this.#at };
    return table;
  }

  // Numbers and times

  #number(char: string): TomlScalar {
    const text = this.#text;
    const special = /[+-]?(?:inf|nan)/y;
    const word = this.#take(special)?.[0];
    if (word !== undefined) return new TomlFloat(specialFloat(word));
    if (/[inIN]/.test(char)) {
      const name = /[iI]/.test(char) ? "inf" : "nan";
      this.#notLowercase(name, "expected from `1` to `9` or digit [0-9] or inf or nan");
    }
    const time = this.#time();
    if (time !== undefined) return time;
    const begin = this.#at;
    const sign = char === "+" || char === "-" ? 1 : 0;
    const prefix = text.slice(begin + sign, begin + sign + 2) as keyof typeof PREFIXES;
    if (Object.hasOwn(PREFIXES, prefix)) return this.#prefixed(prefix, sign);
    const first = text[begin + sign] ?? "";
    if (first === "_") {
      const notes = [this.#note(begin + sign, "digits required before `_`")];
      this.#fail("bad number: `_` must be surrounded by digits", notes, HINTS.integer);
    }
    if (first === ".") {
      const notes = [this.#note(begin + sign, "missing integer part")];
      this.#fail("bad float: integer part is required before decimal point", notes, HINTS.float);
    }
    const integer = this.#take(INTEGER)?.[0];
    if (integer === undefined) this.#unknown();
    return this.#finishNumber(begin, integer);
  }

  /** After the integer part: digits and underscores that may not follow, or a fraction and exponent. */
  #finishNumber(begin: number, integer: string): TomlScalar {
    const text = this.#text;
    const next = text[this.#at] ?? "";
    if (next === "_") {
      const notes = [this.#here("invalid underscore")];
      this.#fail("bad integer: `_` must be surrounded by digits", notes, HINTS.integer);
    }
    if (/[0-9:]/.test(next) || (next === "-" && /[0-9]/.test(text[this.#at + 1] ?? ""))) this.#badDigit(begin);
    if (next === "." || next === "e" || next === "E") return this.#float(begin);
    const value = BigInt(integer.replaceAll("_", "").replace("+", ""));
    if (value < -(2n ** 63n) || value >= 2n ** 63n) {
      const title = "toml::parse_dec_integer: too large integer: current max digits = 2^63";
      this.#fail(title, [this.#here("must be < 2^63")]);
    }
    return value;
  }

  #badDigit(begin: number): never {
    const isFloat = /^[+-]?[0-9_]+[.eE]/.test(this.#text.slice(begin, begin + 400));
    const note = isFloat ? this.#note(begin, "leading zero is not allowed") : this.#here("this digit is not allowed");
    const title = isFloat ? "bad integer: leading zero" : "bad integer: invalid digit after an integer";
    this.#fail(title, [note], HINTS.integer);
  }

  #float(begin: number): TomlFloat {
    const tail = this.#take(FLOAT_TAIL)![0];
    const next = this.#text[this.#at] ?? "";
    if (tail === "") this.#fail("bad float: invalid format", [this.#here("here")], HINTS.float);
    if (next === "_") {
      const title = "bad float: `_` must be surrounded by digits";
      this.#fail(title, [this.#here("invalid underscore")], HINTS.float);
    }
    const value = Number(this.#text.slice(begin, this.#at).replaceAll("_", ""));
    if (Number.isFinite(value)) return new TomlFloat(value);
    const title = "toml::parse_floating: failed to read floating point value from stream";
    this.#fail(title, [this.#here("here")]);
  }

  #prefixed(prefix: keyof typeof PREFIXES, sign: number): bigint {
    const { digits, name, like, wanted } = PREFIXES[prefix];
    const title = `toml::parse_${name}_integer: invalid integer: ${name}_int must be like: ${like}`;
    if (sign > 0) this.#fail(title, [this.#here(`expected ${prefix}`)]);
    this.#at += 2;
    const match = this.#take(digits);
    if (match === undefined) this.#fail(title, [this.#here(`expected ${wanted}`)]);
    const value = BigInt(prefix + match[0].replaceAll("_", ""));
    if (value < 2n ** 63n) return value;
    const large = `toml::parse_${name}_integer: too large integer: current max value = 2^63`;
    this.#fail(large, [this.#here("must be < 2^63")]);
  }

  #time(): TomlTime | undefined {
    const begin = this.#at;
    const date = this.#take(DATE);
    if (date === undefined) {
      const time = this.#take(TIME);
      return time === undefined ? undefined : new TomlTime(this.#checkedTime(time, begin));
    }
    const day = this.#checkedDate(date, begin);
    const separator = this.#text[this.#at] ?? "";
    const hasTime = /[Tt]/.test(separator) || (separator === " " && /[0-9]/.test(this.#text[this.#at + 1] ?? ""));
    if (!hasTime) return new TomlTime(day);
    this.#at++;
    const timeBegin = this.#at;
    const time = this.#take(TIME);
    if (time === undefined) {
      const title = "bad time: must be HH:MM:SS.subsec";
      this.#fail(title, [this.#here("expected digit [0-9]")], HINTS.time);
    }
    return new TomlTime(`${day}T${this.#checkedTime(time, timeBegin)}${this.#zone(begin)}`);
  }

  #checkedDate([text, year, month, day]: RegExpExecArray, begin: number): string {
    if (isDate(Number(year), Number(month), Number(day))) return text;
    const wanted = "month must be 01-12, day must be any of 01-28,29,30,31 depending on the month/year.";
    this.#fail("toml::parse_local_date: invalid date.", [this.#note(begin, wanted)]);
  }

  #checkedTime([, hour, minute, second, fraction]: RegExpExecArray, begin: number): string {
    const bad = (wanted: string): never =>
      this.#fail("toml::parse_local_time: invalid time.", [this.#note(begin, wanted)]);
    if (Number(hour) > 23 || Number(minute) > 59) bad("hour must be 00-23, minute must be 00-59.");
    if (Number(second) > 60) bad("second must be 00-60.");
    return `${hour!}:${minute!}:${second!}${secondFraction(fraction ?? "")}`;
  }

  #zone(begin: number): string {
    const zone = this.#take(ZONE);
    if (zone === undefined) return "";
    const [text, , hours, minutes] = zone;
    if (hours === undefined) return "Z";
    if (Number(hours) > 24 || Number(minutes) > 60) {
      const title = "toml::parse_offset_datetime: too large offset: |hour| <= 24, |minute| <= 60";
      this.#fail(title, [{ region: { begin, end: this.#at }, text: "here" }]);
    }
    return Number(hours) === 0 && Number(minutes) === 0 ? "Z" : text;
  }

  // Strings

  #literalString(): string {
    const end = this.#scanLine(this.#at + 1, "'");
    if (this.#text[end] !== "'") this.#badString("literal_string", end, "'");
    const value = this.#text.slice(this.#at + 1, end);
    this.#at = end + 1;
    return value;
  }

  /** The first place from `from` on with the stop byte, or with one that no string on one line may hold. */
  #scanLine(from: number, stop: string): number {
    let at = from;
    for (let char = this.#text[at]; char !== undefined && char !== stop; char = this.#text[++at]) {
      if ((char < " " && char !== "\t") || char === "\x7f") break;
    }
    return at;
  }

  #badString(name: string, at: number, wanted: string): never {
    this.#fail(`toml::parse_${name}: invalid string format`, [this.#note(at, `expected ${wanted}`)]);
  }

  #basicString(): string {
    const bad = (at: number): never => this.#badString("basic_string", at, '"');
    let value = "";
    let at = this.#at + 1;
    for (;;) {
      const char = this.#text[at];
      if (char === '"') break;
      if (char === undefined || (char < " " && char !== "\t") || char === "\x7f") return bad(at);
      if (char === "\\") {
        const [piece, length] = this.#escape(at) ?? bad(at);
        value += piece;
        at += length;
      } else {
        value += char;
        at++;
      }
    }
    this.#at = at + 1;
    return value;
  }

  /** What an escape at `at` stands for, and its length; undefined when it is none. */
  #escape(at: number): readonly [string, number] | undefined {
    const letter = this.#text[at + 1] ?? "";
    const simple = SIMPLE_ESCAPES[letter];
    if (simple !== undefined) return [simple, 2];
    const count = letter === "u" ? 4 : letter === "U" ? 8 : 0;
    const digits = this.#text.slice(at + 2, at + 2 + count);
    if (count === 0 || digits.length < count || !/^[0-9a-fA-F]+$/.test(digits)) return undefined;
    const point = Number.parseInt(digits, 16);
    if (point >= 0xd800 && point <= 0xdfff) {
      this.#badCodePoint("[0xD800, 0xDFFF] is not a valid UTF-8", letter + digits, "here");
    }
    if (point > 0x10ffff) {
      const title = "input codepoint is too large.";
      this.#badCodePoint(title, letter + digits, "must be in range [0x00, 0x10FFFF]");
    }
    return [encodeCodePoint(point), 2 + count];
  }

  /** The library reports these from a text of their own. */
  #badCodePoint(title: string, escape: string, note: string): never {
    const excerpt = excerptOf(`\\${escape}`, { begin: 1, end: 1 + escape.length }, note, 1);
    throw new Fault(`[error] toml::parse_utf8_codepoint: ${title}\n --> internal temporary\n   |\n${excerpt}`);
  }

  #multiLineLiteral(): string {
    const begin = this.#at + 3;
    const end = this.#text.indexOf("'''", begin);
    if (end < 0) this.#badString("ml_literal_string", this.#text.length, "'''");
    // Up to two quotes may stand before the closing ones.
    let extra = 0;
    while (extra < 2 && this.#text[end + 3 + extra] === "'") extra++;
    this.#at = end + 3 + extra;
    return this.#text.slice(begin, end + extra).replace(/^\r?\n/, "");
  }

  #multiLineBasic(): string {
    const text = this.#text;
    const bad = (at: number): never => this.#badString("ml_basic_string", at, '"""');
    let at = this.#at + 3;
    at += /^\r?\n/.exec(text.slice(at, at + 2))?.[0].length ?? 0;
    let value = "";
    for (;;) {
      const char = text[at];
      if (char === undefined) return bad(text.length);
      if (text.startsWith('"""', at)) break;
      if (char === "\\") {
        const join = lineJoin(text, at);
        const [piece, length] = join > 0 ? (["", join] as const) : (this.#escape(at) ?? bad(at));
        value += piece;
        at += length;
      } else if ((char < " " && !/[\t\n\r]/.test(char)) || char === "\x7f") {
        return bad(at);
      } else {
        value += char;
        at++;
      }
    }
    let extra = 0;
    while (extra < 2 && text[at + 3 + extra] === '"') extra++;
    this.#at = at + 3 + extra;
    return value + '"'.repeat(extra);
  }

  // Inserting

  #insertValue(table: TomlTable, key: Key, node: TomlNode): void {
    const target = this.#descend(table, key, "dotted");
    const name = key.parts.at(-1)!;
    const found = target.entries.get(name);
    if (found !== undefined) {
      this.#conflict(
        "failed to insert a value, value already exists",
        key,
        "inserting this",
        found,
        "but value already exists",
      );
    }
    target.entries.set(name, node);
  }

  #insertTable(key: Key): TomlTable {
    const target = this.#descend(this.#root, key, "implicit");
    const name = key.parts.at(-1)!;
    const found = target.entries.get(name);
    if (found === undefined) {
      const table: TomlTable = { kind: "table", entries: new Map(), form: "header", region: key.region };
      target.entries.set(name, table);
      return table;
    }
    if (found.kind !== "table" || found.form !== "implicit") {
      const title = "failed to insert a table, table already defined";
      this.#conflict(title, key, "inserting this", found, "this table is explicitly defined");
    }
    found.form = "header";
    return found;
  }

  #insertArrayElement(key: Key): TomlTable {
    const target = this.#descend(this.#root, key, "implicit");
    const name = key.parts.at(-1)!;
    const table: TomlTable = { kind: "table", entries: new Map(), form: "header", region: key.region };
    const found = target.entries.get(name);
    if (found === undefined) {
      target.entries.set(name, { kind: "array", items: [table], ofTables: true, region: key.region });
      return table;
    }
    if (found.kind === "array" && found.ofTables) {
      found.items.push(table);
      return table;
    }
    if (isInlineTables(found)) {
      const title = "failed to insert a table, inline array of tables is immutable";
      this.#conflict(title, key, "while inserting this", found, "this is inline array-of-tables");
    }
    const title = "failed to insert an array of tables, value already exists";
    this.#conflict(title, key, "while inserting this", found, "non-table value already exists");
  }

  /** The table that holds the last part of a key, making those on the way that are missing. */
  #descend(table: TomlTable, key: Key, form: TableForm): TomlTable {
    let current = table;
    for (const name of key.parts.slice(0, -1)) {
      const found = current.entries.get(name);
      if (found === undefined) {
        const made: TomlTable = { kind: "table", entries: new Map(), form, region: key.region };
        current.entries.set(name, made);
        current = made;
      } else {
        current = this.#enter(found, key, form);
      }
    }
    return current;
  }

  #enter(found: TomlNode, key: Key, form: TableForm): TomlTable {
    if (found.kind === "table" && found.form === "inline") {
      this.#conflict(
        "failed to insert a value: inline table is immutable",
        key,
        "inserting this",
        found,
        "to this table",
      );
    }
    if (found.kind === "table") {
      if (form !== "dotted" || found.form === "dotted") return found;
      const title = "reopening a table using dotted keys";
      this.#conflict(title, key, "dotted key cannot reopen a table", found, "this table is already closed");
    }
    if (found.kind === "array" && found.ofTables && form !== "dotted") return found.items.at(-1) as TomlTable;
    if (isInlineTables(found)) {
      this.#conflict(
        "inline array of tables are immutable",
        key,
        "inserting this",
        found,
        "inline array of tables",
        "",
      );
    }
    const title = "failed to insert a value, value already exists";
    this.#conflict(title, key, "while inserting this", found, "non-table value already exists");
  }

  #conflict(title: string, key: Key, inserting: string, found: TomlNode, present: string, space = " "): never {
    this.#fail(`toml::insert_value:${space}${title}`, [
      { region: key.region, text: inserting },
      { region: found.region, text: present },
    ]);
  }

  // Reading and complaining

  #take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) return undefined;
    this.#at += match[0].length;
    return match;
  }

  #skipSpace(): void {
    while (this.#text[this.#at] === " " || this.#text[this.#at] === "\t") this.#at++;
  }

  #skipComment(): void {
    if (this.#text[this.#at] === "#") this.#at = this.#scanLine(this.#at, "\n");
  }

  #atLineEnd(): boolean {
    const rest = this.#text.slice(this.#at, this.#at + 2);
    return rest === "" || rest.startsWith("\n") || rest === "\r\n";
  }

  /** Spaces, line ends and comments. */
  #skipBlank(): void {
    for (;;) {
      this.#skipSpace();
      this.#skipComment();
      if (this.#at >= this.#text.length || !this.#atLineEnd()) return;
      this.#at = this.#text.indexOf("\n", this.#at) + 1;
    }
  }

  #skipLine(): void {
    const end = this.#text.indexOf("\n", this.#at);
    this.#at = end < 0 ? this.#text.length : end + 1;
  }

  #note(at: number, text: string): Note {
    return { region: { begin: at, end: at + 1 }, text };
  }

  #here(text: string): Note {
    return this.#note(this.#at, text);
  }

  #fail(title: string, notes: readonly Note[], hints: readonly string[] = []): never {
    throw new Fault(`[error] ${title}\n${this.#excerpts(notes)}${hints.map((hint) => `${hint}\n`).join("")}`);
  }

  #excerpts(notes: readonly Note[]): string {
    const lines = notes.map(({ region }) => lineOf(this.#text, region.begin).number);
    const width = Math.max(...lines.map((line) => String(line).length));
    const bar = `${" ".repeat(width + 2)}|\n`;
    const shown = notes.map(({ region, text }) => bar + excerptOf(this.#text, region, text, width));
    return ` --> fromTOML\n${shown.join(`${" ".repeat(width + 2)}| ...\n`)}`;
  }
}

/** An inline table takes nothing more, nor do the tables its dotted keys made. */
function closeTable(table: TomlTable): void {
  table.form = "inline";
  for (const node of table.entries.values()) if (node.kind === "table" && node.form === "dotted") closeTable(node);
}

const isInlineTables = (node: TomlNode): boolean =>
  node.kind === "array" && !node.ofTables && node.items.length > 0 && node.items.every(({ kind }) => kind === "table");

function specialFloat(word: string): number {
  const sign = word.startsWith("-") ? -1 : 1;
  return word.endsWith("inf") ? sign * Infinity : NaN;
}

/** The bytes from a backslash at a line's end to the next byte that is not white; 0 when something else follows. */
function lineJoin(text: string, at: number): number {
  const pattern = /\\[ \t]*\r?\n[ \t\r\n]*/y;
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0].length ?? 0;
}

function isDate(year: number, month: number, day: number): boolean {
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0;
  return day >= 1 && day <= days;
}

/** Fractions have 3, 6 or 9 digits, as many as are needed; none when zero. */
function secondFraction(digits: string): string {
  const nanoseconds = digits.slice(0, 9).padEnd(9, "0");
  if (/^0*$/.test(nanoseconds)) return "";
  if (nanoseconds.endsWith("000000")) return `.${nanoseconds.slice(0, 3)}`;
  return `.${nanoseconds.endsWith("000") ? nanoseconds.slice(0, 6) : nanoseconds}`;
}

function lineOf(text: string, at: number): { number: number; begin: number; end: number } {
  const before = text.slice(0, at);
  const begin = before.lastIndexOf("\n") + 1;
  const end = text.indexOf("\n", begin);
  return { number: before.split("\n").length, begin, end: end < 0 ? text.length : end };
}

const NAMED_BYTES: Readonly<Record<string, string>> = { "\r": "0x0d(CARRIAGE RETURN)" };

/** Bytes that are not printable ASCII are shown by number. */
function visible(text: string): string {
  return text.replace(
    /[^ -~\t]/g,
    (char) => NAMED_BYTES[char] ?? `0x${char.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}

/** The line of a region and, below it, carets and a note. */
function excerptOf(text: string, region: Region, note: string, width: number): string {
  const line = lineOf(text, region.begin);
  const column = region.begin - line.begin;
  const length = Math.max(1, Math.min(region.end, line.end) - region.begin);
  const number = String(line.number).padStart(width);
  const shown = visible(text.slice(line.begin, line.end).replace(/\r$/, ""));
  const marks = `${" ".repeat(column)}${"^".repeat(length)}-- ${note}`;
  // Nix drops the spaces at the ends of lines.
  const lines = [` ${number} | ${shown}`, `${" ".repeat(width + 2)}| ${marks}`];
  return lines.map((text) => `${text.trimEnd()}\n`).join("");
}

/** The table a TOML text describes. Throws TomlError. */
export function parseToml(text: string): TomlTable {
  return new Parser(text).parse();
}
