/**
 * String builtins: parts, replacement, joining and regular expressions. Text is bytes, and the context of every string
 * that went into a result stays with it (except through `match` and `split`, whose results have none).
 */
import { coerceNow, coerceToString } from "#engine/eval/coerce.ts";
import { NixError } from "#engine/eval/error.ts";
import { contextOf, isString, makeString, textOf } from "#engine/eval/value.ts";
import type { Int, List, NixString, Slot } from "#engine/eval/value.ts";
import { demand } from "./demand.ts";
import { demandNow } from "./direct.ts";
import { arg, builtin } from "./record.ts";
import type { BuiltinFamily, Routine } from "./record.ts";
import { RegexError, compileRegex, matchRegex, splitRegex } from "./regex.ts";
import type { Regex } from "./regex.ts";

const substringHow = {
  copy: true,
  context: "while evaluating the third argument (the string) passed to builtins.substring",
};
const substringLength = "while evaluating the second argument (the substring length) passed to builtins.substring";

function checkStart(start: Int): void {
  if (start < 0) throw new NixError("eval", "negative start position in 'substring'");
}

function substring(start: Int, length: Int, string: NixString): NixString {
  const text = textOf(string);
  const from = Number(start);
  const part = length < 0 ? text.slice(from) : text.slice(from, from + Number(length));
  return typeof string === "string" ? part : makeString(part, contextOf(string));
}

const concatHow = {
  copy: true,
  context: "while evaluating one element of the list of strings to concat passed to builtins.concatStringsSep",
};

function concatStringsSepNow(separator: NixString, list: List): NixString {
  const between = textOf(separator);
  let context = typeof separator === "string" ? undefined : new Set(separator.context);
  let text = "";
  for (let i = 0; i < list.length; i++) {
    const string = coerceNow(list[i]!, concatHow);
    if (i > 0) text += between;
    if (typeof string === "string") text += string;
    else {
      text += string.text;
      context ??= new Set();
      for (const path of string.context) context.add(path);
    }
  }
  return makeString(text, context);
}

function* concatStringsSep(separator: NixString, list: List): Routine<NixString> {
  const between = textOf(separator);
  const context = new Set(contextOf(separator));
  let text = "";
  for (let i = 0; i < list.length; i++) {
    const element = list[i]!;
    if (i > 0) text += between;
    if (typeof element === "string") {
      text += element;
      continue;
    }
    const string = yield* coerceToString(element, concatHow);
    text += textOf(string);
    for (const path of contextOf(string)) context.add(path);
  }
  return makeString(text, context);
}

/** What is looked for, by first byte: indexes of patterns in order. An empty pattern is found everywhere. */
interface Patterns {
  readonly texts: readonly string[];
  readonly byFirst: ReadonlyMap<number, readonly number[]>;
  readonly empty: number;
}

function patternsOf(texts: readonly string[]): Patterns {
  const byFirst = new Map<number, number[]>();
  texts.forEach((text, index) => {
    if (text === "") return;
    const first = text.charCodeAt(0);
    const indexes = byFirst.get(first);
    if (indexes === undefined) byFirst.set(first, [index]);
    else indexes.push(index);
  });
  return { texts, byFirst, empty: texts.indexOf("") };
}

/** The first pattern in the list that is found at a position, -1 when none is. */
function patternAt({ texts, byFirst, empty }: Patterns, subject: string, position: number): number {
  for (const index of byFirst.get(subject.charCodeAt(position)) ?? []) {
    if (empty >= 0 && empty < index) break;
    if (subject.startsWith(texts[index]!, position)) return index;
  }
  return empty;
}

function* replaceStrings(fromList: List, toList: List, slot: Slot): Routine<NixString> {
  if (fromList.length !== toList.length) {
    throw new NixError("eval", "'from' and 'to' arguments passed to builtins.replaceStrings have different lengths");
  }
  const texts: string[] = [];
  const fromContext = "while evaluating one of the strings to replace passed to builtins.replaceStrings";
  for (const element of fromList) {
    texts.push(typeof element === "string" ? element : textOf(yield* demand(element, "string", fromContext)));
  }
  const patterns = patternsOf(texts);
  const string = yield* demand(slot, "string", "while evaluating the third argument passed to builtins.replaceStrings");
  const subject = textOf(string);
  const context = new Set(contextOf(string));
  /** Replacements are evaluated when their pattern is first found. */
  const replacements = new Map<number, string>();
  const toContext = "while evaluating one of the replacement strings passed to builtins.replaceStrings";
  let text = "";
  let copied = 0;
  let position = 0;
  while (position <= subject.length) {
    const index = patternAt(patterns, subject, position);
    if (index < 0) {
      position++;
      continue;
    }
    let replacement = replacements.get(index);
    if (replacement === undefined) {
      const to = yield* demand(toList[index]!, "string", toContext);
      replacement = textOf(to);
      replacements.set(index, replacement);
      for (const path of contextOf(to)) context.add(path);
    }
    text += subject.slice(copied, position) + replacement;
    const length = texts[index]!.length;
    copied = position + length;
    // After an empty pattern the next byte is kept as it is.
    position = copied + (length === 0 ? 1 : 0);
  }
  return makeString(text + subject.slice(copied), context);
}

/** What the regular expressions refuse is Nix's message, what takes for ever is ours. */
function withRegex<T>(pattern: string, size: number, work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    if (!(thrown instanceof RegexError)) throw thrown;
    const messages = {
      invalid: `invalid regular expression '${pattern}'`,
      space: `memory limit exceeded by regular expression '${pattern}'`,
      budget: `regular expression '${pattern}' takes too many steps on a string of ${size} bytes`,
    };
    throw new NixError("eval", messages[thrown.code]);
  }
}

/** A builtin over a regular expression, which is compiled before the string is evaluated. */
function regexBodies(name: string, run: (regex: Regex, text: string) => Slot) {
  const context = `while evaluating the second argument passed to builtins.${name}`;
  const compiled = (pattern: string): Regex => withRegex(pattern, 0, () => compileRegex(pattern));
  const apply = (pattern: string, regex: Regex, string: NixString): Slot =>
    withRegex(pattern, textOf(string).length, () => run(regex, textOf(string)));
  return {
    *routine([pattern, slot]: readonly [string, Slot]): Routine<Slot> {
      const regex = compiled(pattern);
      return apply(pattern, regex, yield* demand(slot, "string", context));
    },
    direct([pattern, slot]: readonly [string, Slot]): Slot {
      const regex = compiled(pattern);
      return apply(pattern, regex, demandNow(slot, "string", context));
    },
  };
}

const lengthHow = { copy: true, context: "while evaluating the argument passed to builtins.stringLength" };
const toStringHow = { more: true, context: "while evaluating the first argument passed to builtins.toString" };

export const stringBuiltins: BuiltinFamily = [
  builtin({
    name: "stringLength",
    args: [arg("s", "any")],
    doc: "The number of bytes in the string *s*.",
    *routine([slot]) {
      return textOf(yield* coerceToString(slot, lengthHow)).length;
    },
    direct: ([slot]) => textOf(coerceNow(slot, lengthHow)).length,
  }),
  builtin({
    name: "substring",
    args: [
      arg("start", "int", "while evaluating the first argument (the start offset) passed to builtins.substring"),
      arg("len", "lazy"),
      arg("s", "lazy"),
    ],
    doc: "The part of *s* that begins at byte *start* (from 0) and is *len* bytes long; shorter where *s* ends, and to the end if *len* is negative.",
    *routine([start, length, slot]) {
      checkStart(start);
      const wanted = yield* demand(length, "int", substringLength);
      return substring(start, wanted, yield* coerceToString(slot, substringHow));
    },
    direct([start, length, slot]) {
      checkStart(start);
      const wanted = demandNow(length, "int", substringLength);
      return substring(start, wanted, coerceNow(slot, substringHow));
    },
  }),
  builtin({
    name: "concatStringsSep",
    args: [
      arg(
        "separator",
        "string",
        "while evaluating the first argument (the separator string) passed to builtins.concatStringsSep",
      ),
      arg(
        "list",
        "list",
        "while evaluating the second argument (the list of strings to concat) passed to builtins.concatStringsSep",
      ),
    ],
    doc: 'The strings of a list one after the other, with *separator* between them: `concatStringsSep "/" [ "usr" "bin" ]` is `"usr/bin"`.',
    *routine([separator, list]) {
      return yield* concatStringsSep(separator, list);
    },
    direct: ([separator, list]) => concatStringsSepNow(separator, list),
  }),
  builtin({
    name: "replaceStrings",
    args: [arg("from", "list"), arg("to", "list"), arg("s", "lazy")],
    doc: 'Replaces every occurrence of each string of the list *from* by the string in the same place of *to*: `replaceStrings [ "oo" "a" ] [ "a" "i" ] "foobar"` is `"fabir"`. Earlier entries win; what was put in is not searched again.',
    *routine([from, to, slot]) {
      return yield* replaceStrings(from, to, slot);
    },
  }),
  builtin({
    name: "match",
    args: [arg("regex", "plain"), arg("str", "lazy")],
    doc: 'If the POSIX extended regular expression *regex* matches the whole of *str*: the list of its groups (`null` for a group that took no part). Otherwise `null`. `match "([a-z]+)-([0-9]+)" "abc-12"` is `[ "abc" "12" ]`.',
    ...regexBodies("match", matchRegex),
  }),
  builtin({
    name: "split",
    args: [arg("regex", "plain"), arg("str", "lazy")],
    doc: 'The parts of *str* between the matches of the POSIX extended regular expression *regex*, with a list of each match\'s groups between them: `split "(-)" "a-b"` is `[ "a" [ "-" ] "b" ]`.',
    ...regexBodies("split", splitRegex),
  }),
  builtin({
    name: "toString",
    global: true,
    args: [arg("e", "any")],
    doc: 'Converts a value to a string: numbers in decimal, `true` to `"1"`, `false` and `null` to `""`, paths to their text (without copying), lists to their elements with spaces between, and sets through `__toString` or `outPath`.',
    *routine([slot]) {
      if (isString(slot)) return slot;
      return yield* coerceToString(slot, toStringHow);
    },
    direct: ([slot]) => coerceNow(slot, toStringHow),
  }),
];
