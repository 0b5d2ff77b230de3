/**
 * `builtins.toJSON` and `fromJSON`, and the JSON printer that `--json` shares. Printing keeps its own stack, so deep values
 * meet Nix's limit on nested calls, never the JavaScript stack's.
 */
import { coerceToString } from "#engine/eval/coerce.ts";
import { NixError, addTrace } from "#engine/eval/error.ts";
import { attributePos } from "#engine/eval/positions.ts";
import type { Pos } from "#engine/eval/positions.ts";
import { printName } from "#engine/eval/print.ts";
import { callDepthExceeded, runtime } from "#engine/eval/runtime.ts";
import { copyToStore } from "#engine/eval/source-tree.ts";
import {
  Attrs,
  ContextString,
  Lambda,
  NixFloat,
  NixPath,
  contextOf,
  describeType,
  isInt,
  isString,
  makeString,
  textOf,
} from "#engine/eval/value.ts";
import type { List, NixString, Slot, Value } from "#engine/eval/value.ts";
import { JsonError, parseJson } from "./json-parse.ts";
import { JsonEncodingError, jsonFloat, jsonString } from "./json-print.ts";
import { arg, builtin } from "./record.ts";
import type { BuiltinFamily, Routine } from "./record.ts";

/** A list or set that is being printed, or the set whose `outPath` is printed in its place. */
type Open =
  | { readonly kind: "list"; readonly list: List; readonly pos: Pos | undefined; next: number }
  | { readonly kind: "attrs"; readonly attrs: Attrs; next: number }
  | { readonly kind: "instead" };

/** Prints one value; a generator keeps no state outside, so an instance lives for one call. */
class JsonPrinter {
  readonly #copy: boolean;
  readonly #parts: string[] = [];
  readonly #context = new Set<string>();
  readonly #open: Open[] = [];
  /** A string that is not UTF-8 is reported after everything was evaluated, as C++ Nix serialises last. */
  #problem: JsonEncodingError | undefined;

  constructor(copy: boolean) {
    this.#copy = copy;
  }

  *print(slot: Slot, pos: Pos | undefined): Routine<NixString> {
    const { calls } = runtime;
    try {
      let item: { slot: Slot; pos: Pos | undefined } | undefined = { slot, pos };
      while (item !== undefined) {
        if (calls + this.#open.length > runtime.maxCalls) throw callDepthExceeded(item.pos);
        runtime.calls = calls + this.#open.length + 1;
        item = (yield* this.#begin(yield item.slot, item.pos)) ?? this.#advance();
      }
    } catch (thrown) {
      throw this.#traced(thrown);
    } finally {
      runtime.calls = calls;
    }
    if (this.#problem !== undefined) throw new NixError("eval", `JSON serialization error: ${this.#problem.message}`);
    return makeString(this.#parts.join(""), this.#context);
  }

  /** Prints a scalar, or opens what has parts; gives the value to print instead of a set with `outPath`. */
  *#begin(value: Value, pos: Pos | undefined): Routine<{ slot: Slot; pos: Pos | undefined } | undefined> {
    const parts = this.#parts;
    if (value === null || typeof value === "boolean" || isInt(value)) parts.push(String(value));
    else if (isString(value)) this.#string(value);
    else if (value instanceof NixFloat) parts.push(jsonFloat(value.value));
    else if (value instanceof NixPath) this.#path(value);
    else if (Array.isArray(value)) {
      parts.push("[");
      this.#open.push({ kind: "list", list: value as List, pos, next: 0 });
    } else if (value instanceof Attrs) {
      return yield* this.#beginAttrs(value, pos);
    } else {
      const at = value instanceof Lambda ? value.code.pos : pos;
      throw new NixError("type", `cannot convert ${describeType(value)} to JSON`, { pos: at });
    }
    return undefined;
  }

  *#beginAttrs(attrs: Attrs, pos: Pos | undefined): Routine<{ slot: Slot; pos: Pos | undefined } | undefined> {
    if (attrs.has("__toString")) {
      this.#string(yield* coerceToString(attrs, { context: "" }, pos));
      return undefined;
    }
    const outPath = attrs.get("outPath");
    if (outPath !== undefined) {
      this.#open.push({ kind: "instead" });
      return { slot: outPath, pos: attributePos(attrs.positions, attrs.keys, "outPath") };
    }
    this.#parts.push("{");
    this.#open.push({ kind: "attrs", attrs, next: 0 });
    return undefined;
  }

  /** The next value to print, closing what has no more parts. */
  #advance(): { slot: Slot; pos: Pos | undefined } | undefined {
    for (let top = this.#open.at(-1); top !== undefined; top = this.#open.at(-1)) {
      if (top.kind === "list" && top.next < top.list.length) {
        if (top.next > 0) this.#parts.push(",");
        return { slot: top.list[top.next++]!, pos: top.pos };
      }
      if (top.kind === "attrs" && top.next < top.attrs.size) {
        if (top.next > 0) this.#parts.push(",");
        const { keys, positions, values } = top.attrs;
        const name = keys.names[top.next]!;
        this.#parts.push(this.#quoted(name), ":");
        return { slot: values[top.next++]!, pos: attributePos(positions, keys, name) };
      }
      if (top.kind !== "instead") this.#parts.push(top.kind === "list" ? "]" : "}");
      this.#open.pop();
    }
    return undefined;
  }

  #string(string: NixString): void {
    if (string instanceof ContextString) for (const path of contextOf(string)) this.#context.add(path);
    this.#parts.push(this.#quoted(textOf(string)));
  }

  #path({ path }: NixPath): void {
    if (!this.#copy) {
      this.#parts.push(this.#quoted(path));
      return;
    }
    const storePath = copyToStore(path);
    this.#string(new ContextString(storePath, new Set([storePath])));
  }

  #quoted(text: string): string {
    try {
      return jsonString(text);
    } catch (thrown) {
      if (!(thrown instanceof JsonEncodingError)) throw thrown;
      this.#problem ??= thrown;
      return '""';
    }
  }

  /** Adds the way from the printed value to the part that failed. */
  #traced(thrown: unknown): unknown {
    for (const part of this.#open.toReversed()) {
      if (part.kind === "list") addTrace(thrown, `while evaluating list element at index ${part.next - 1}`, part.pos);
      else if (part.kind === "attrs") {
        const { keys, positions } = part.attrs;
        const name = keys.names[part.next - 1]!;
        addTrace(thrown, `while evaluating attribute '${printName(name)}'`, attributePos(positions, keys, name));
      }
    }
    return thrown;
  }
}

/**
 * A value as JSON on one line, with the context of every string in it.
 * @param copy whether paths are copied to the store (as `toJSON` does) or printed as they are (as `--json` does)
 */
export const toJson = (slot: Slot, copy: boolean, pos?: Pos): Routine<NixString> =>
  new JsonPrinter(copy).print(slot, pos);

/** A JSON text as a value, with the errors of `builtins.fromJSON`. */
export function fromJson(text: string): Value {
  try {
    return parseJson(text);
  } catch (thrown) {
    if (!(thrown instanceof JsonError)) throw thrown;
    const error = new NixError("eval", thrown.message);
    throw thrown.decoding ? error.within("while decoding a JSON string") : error;
  }
}

export const jsonBuiltins: BuiltinFamily = [
  builtin({
    name: "toJSON",
    args: [arg("e", "lazy")],
    doc: "The value *e* as a JSON text. Paths are copied to the store, sets with `__toString` or `outPath` are printed as those, functions are refused.",
    routine: ([slot]) => toJson(slot, true),
  }),
  builtin({
    name: "fromJSON",
    args: [arg("e", "plain")],
    doc: "The value of a JSON text: `fromJSON ''{\"x\": [1, 2]}''` is `{ x = [ 1 2 ]; }`.",
    impl: ([text]) => fromJson(text),
  }),
];
