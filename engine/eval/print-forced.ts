/**
 * The printer that evaluates while it prints, as `nix eval` and `nix repl` do: an error inside a value can be shown in its place, and
 * derivations are shown as such instead of being opened.
 *
 * Every part is forced only when its turn comes, so what was printed before an error stands.
 */
import { shownPath } from "./paths.ts";
import type { Routine } from "#engine/builtins/record.ts";
import { isInStore } from "#engine/store/format/store-path.ts";
import { coerceToString } from "./coerce.ts";
import { isDerivationForced } from "./equality.ts";
import { NixError } from "./error.ts";
import { printFloat } from "./float-text.ts";
import { Keys } from "./keys.ts";
import { angled, printFunction, printName, quoteString, scalar } from "./print.ts";
import { evalContext } from "./runtime.ts";
import {
  Attrs,
  type Lambda,
  NixFloat,
  NixPath,
  type PrimOp,
  type PrimOpApp,
  Thunk,
  isList,
  isString,
  textOf,
  type Slot,
  type Value,
} from "./value.ts";

export interface ForcedPrintOptions {
  readonly maxDepth: number;
  /** Spaces a level when sets and lists take several lines; 0 keeps everything on one. */
  readonly indent: number;
  /** Which errors end the printing: all, or only that of the whole value. */
  readonly errors: "throw" | "throw-top-level";
  /** Colours, as codes of a terminal. */
  readonly colors: boolean;
}

export const evalPrintOptions: ForcedPrintOptions = {
  maxDepth: Infinity,
  indent: 0,
  errors: "throw-top-level",
  colors: false,
};

/** Empty sets are all one, as in C++ Nix: the second is a repetition. */
const EMPTY_SET = new Attrs(new Keys([]), []);

type Color = "scalar" | "string" | "function" | "derivation" | "error" | "repeated" | "path";

const codes: Readonly<Record<Color, string>> = {
  scalar: "36;1",
  string: "35;1",
  function: "34;1",
  derivation: "32;1",
  path: "32;1",
  error: "31;1",
  repeated: "35;1",
};

/** Prints a slot piece by piece to `out`. Errors are those of the evaluation. */
export function printForced(slot: Slot, options: ForcedPrintOptions, out: (text: string) => void): Routine<void> {
  return new ForcedPrinter(options, out).print(slot, 0);
}

/** The printed text of a slot. */
export function* forcedText(slot: Slot, options: ForcedPrintOptions): Routine<string> {
  let text = "";
  yield* printForced(slot, options, (piece) => void (text += piece));
  return text;
}

class ForcedPrinter {
  readonly #options: ForcedPrintOptions;
  readonly #out: (text: string) => void;
  readonly #seen = new Set<Value>();
  #indent = "";

  constructor(options: ForcedPrintOptions, out: (text: string) => void) {
    this.#options = options;
    this.#out = out;
  }

  *print(slot: Slot, depth: number): Routine<void> {
    try {
      yield* this.#value(slot instanceof Thunk ? yield slot : slot, depth);
    } catch (thrown) {
      if (!(thrown instanceof NixError) || this.#options.errors === "throw" || depth === 0) throw thrown;
      this.#error(thrown);
    }
  }

  *#value(value: Value, depth: number): Routine<void> {
    if (isString(value)) return this.#colored("string", quoteString(textOf(value)));
    if (value instanceof NixPath) return this.#colored("path", shownPath(value.path));
    if (value instanceof NixFloat) return this.#colored("scalar", printFloat(value.value));
    const simple = scalar(value);
    if (simple !== undefined) return this.#colored("scalar", simple);
    if (value instanceof Attrs) return yield* this.#attrs(value, depth);
    if (isList(value)) return yield* this.#list(value, depth);
    this.#colored("function", printFunction(value as Lambda | PrimOp | PrimOpApp));
  }

  *#attrs(set: Attrs, depth: number): Routine<void> {
    const identity = set.size === 0 ? EMPTY_SET : set;
    if (this.#seen.has(identity)) return this.#colored("repeated", angled("repeated"));
    this.#seen.add(identity);
    if (yield* isDerivationForced(set)) return yield* this.#derivation(set);
    if (depth >= this.#options.maxDepth) return this.#out("{ ... }");
    yield* this.#parts("{", "}", set.values, depth, (index) => `${printName(set.keys.names[index]!)} = `);
  }

  *#list(list: readonly Slot[], depth: number): Routine<void> {
    if (list.length > 0 && this.#seen.has(list)) return this.#colored("repeated", angled("repeated"));
    if (list.length > 0) this.#seen.add(list);
    if (depth >= this.#options.maxDepth) return this.#out("[ ... ]");
    yield* this.#parts("[", "]", list, depth, undefined);
  }

  *#parts(
    open: string,
    close: string,
    parts: readonly Slot[],
    depth: number,
    label: ((index: number) => string) | undefined,
  ): Routine<void> {
    // An error leaves the indentation as it is, as in C++ Nix: what follows it is set in further.
    this.#out(open);
    const { indent } = this.#options;
    this.#indent += " ".repeat(indent);
    const lines = yield* this.#takesLines(parts);
    const space = lines ? `\n${this.#indent}` : " ";
    for (const [index, part] of parts.entries()) {
      this.#out(`${space}${label?.(index) ?? ""}`);
      yield* this.print(part, depth + 1);
      if (label !== undefined) this.#out(";");
    }
    this.#indent = this.#indent.slice(indent);
    this.#out(`${lines ? `\n${this.#indent}` : " "}${close}`);
  }

  /** Several lines for several parts, and for one that has parts itself. */
  *#takesLines(parts: readonly Slot[]): Routine<boolean> {
    if (this.#options.indent === 0 || parts.length === 0) return false;
    if (parts.length > 1) return true;
    const only = parts[0]!;
    const value = only instanceof Thunk ? yield only : only;
    return value instanceof Attrs || isList(value);
  }

  *#derivation(set: Attrs): Routine<void> {
    const drvPath = set.get("drvPath");
    if (drvPath === undefined) return this.#colored("derivation", angled("derivation"));
    try {
      const context = "while evaluating the 'drvPath' attribute of a derivation";
      const path = textOf(yield* coerceToString(drvPath, { context }));
      if (!isInStore(path, evalContext().settings.storeDir)) {
        throw new NixError("eval", `path '${path}' is not in the Nix store`);
      }
      this.#colored("derivation", angled(`derivation ${path}`));
    } catch (thrown) {
      if (!(thrown instanceof NixError)) throw thrown;
      this.#error(thrown);
    }
  }

  #error(error: NixError): void {
    this.#colored("error", angled(`error: ${error.message}`));
  }

  #colored(color: Color, text: string): void {
    this.#out(this.#options.colors ? `\x1b[${codes[color]}m${text}\x1b[0m` : text);
  }
}
