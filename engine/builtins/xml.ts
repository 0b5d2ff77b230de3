/**
 * `builtins.toXML`, and the XML printer that `--xml` shares. Like the JSON printer it keeps its own stack.
 */
import { isDerivationForced } from "#engine/eval/equality.ts";
import { printFloat } from "#engine/eval/float-text.ts";
import { peek } from "#engine/eval/force.ts";
import { shownPath } from "#engine/eval/paths.ts";
import { attributePos } from "#engine/eval/positions.ts";
import type { Pos } from "#engine/eval/positions.ts";
import { callDepthExceeded, runtime } from "#engine/eval/runtime.ts";
import {
  Attrs,
  ContextString,
  Lambda,
  NixFloat,
  NixPath,
  contextOf,
  isInt,
  isString,
  makeString,
  textOf,
} from "#engine/eval/value.ts";
import type { List, NixString, Slot, Value } from "#engine/eval/value.ts";
import { positionAt } from "#engine/syntax/source.ts";
import { arg, builtin } from "./record.ts";
import type { BuiltinFamily, Routine } from "./record.ts";

export interface XmlOptions {
  /** Evaluate everything; otherwise what has not been evaluated is `<unevaluated />`. */
  readonly strict: boolean;
  /** Say where attributes and functions were written. */
  readonly location: boolean;
}

type XmlAttributes = Readonly<Record<string, string>>;

const ENTITIES: Readonly<Record<string, string>> = {
  '"': "&quot;",
  "<": "&lt;",
  ">": "&gt;",
  "&": "&amp;",
  "\n": "&#xA;",
};

const escapeXml = (text: string): string => text.replace(/["<>&\n]/g, (char) => ENTITIES[char]!);

/** An opening or empty tag; attributes come in byte order of their names. */
function tag(name: string, attributes: XmlAttributes, close: string): string {
  const names = Object.keys(attributes).sort();
  return `<${name}${names.map((key) => ` ${key}="${escapeXml(attributes[key]!)}"`).join("")}${close}>`;
}

/** An element that is open: what it still has to print, and its name. */
interface Open {
  readonly element: string;
  readonly items: Iterator<XmlItem>;
}

/** Part of an element: a value as it is, or a value inside `<attr name=…>`. */
interface XmlItem {
  readonly slot: Slot;
  readonly attribute?: XmlAttributes;
  readonly pos?: Pos | undefined;
}

export class XmlPrinter {
  readonly #options: XmlOptions;
  readonly #lines = ["<?xml version='1.0' encoding='utf-8'?>"];
  readonly #context = new Set<string>();
  readonly #open: Open[] = [];
  /** Open elements that are values. */
  #level = 0;
  /** `drvPath`s of derivations printed so far. */
  readonly #derivations = new Set<string>();

  constructor(options: XmlOptions) {
    this.#options = options;
  }

  /** A value as an XML document with a newline at its end, with the context of every string in it. */
  *print(slot: Slot): Routine<NixString> {
    const { calls } = runtime;
    this.#push("expr", {}, [{ slot }]);
    for (let top = this.#open.at(-1); top !== undefined; top = this.#open.at(-1)) {
      const item = top.items.next();
      if (item.done === true) {
        this.#pop();
        continue;
      }
      const { attribute, slot: part, pos } = item.value;
      if (attribute !== undefined) {
        this.#push("attr", attribute, [{ slot: part, pos }]);
        continue;
      }
      if (calls + this.#level > runtime.maxCalls) throw callDepthExceeded(pos);
      runtime.calls = calls + this.#level;
      yield* this.#value(part);
    }
    runtime.calls = calls;
    return makeString(`${this.#lines.join("\n")}\n`, this.#context);
  }

  /** What C++ Nix has printed when an error ends the printing: the elements that are open are closed. */
  unfinished(): string {
    while (this.#open.length > 0) this.#pop();
    return `${this.#lines.join("\n")}\n`;
  }

  #line(text: string): void {
    this.#lines.push("  ".repeat(this.#open.length) + text);
  }

  #empty(name: string, attributes: XmlAttributes): void {
    this.#line(tag(name, attributes, " /"));
  }

  #push(element: string, attributes: XmlAttributes, items: Iterable<XmlItem>): void {
    this.#line(tag(element, attributes, ""));
    if (element !== "attr") this.#level++;
    this.#open.push({ element, items: items[Symbol.iterator]() });
  }

  #pop(): void {
    const { element } = this.#open.pop()!;
    if (element !== "attr") this.#level--;
    this.#line(`</${element}>`);
  }

  *#value(slot: Slot): Routine<void> {
    const value = this.#options.strict ? yield slot : peek(slot);
    if (value === undefined) this.#empty("unevaluated", {});
    else if (value === null) this.#empty("null", {});
    else if (typeof value === "boolean") this.#empty("bool", { value: String(value) });
    else if (isInt(value)) this.#empty("int", { value: String(value) });
    else if (value instanceof NixFloat) this.#empty("float", { value: printFloat(value.value) });
    else if (value instanceof NixPath) this.#empty("path", { value: shownPath(value.path) });
    else if (isString(value)) this.#string(value);
    else if (Array.isArray(value))
      this.#push(
        "list",
        {},
        (value as List).map((item) => ({ slot: item })),
      );
    else if (value instanceof Attrs) yield* this.#attrs(value);
    else if (value instanceof Lambda) this.#function(value);
    else this.#empty("unevaluated", {});
  }

  #string(string: NixString): void {
    if (string instanceof ContextString) for (const path of contextOf(string)) this.#context.add(path);
    this.#empty("string", { value: textOf(string) });
  }

  *#attrs(attrs: Attrs): Routine<void> {
    if (!(yield* isDerivationForced(attrs))) {
      this.#push("attrs", {}, this.#attributes(attrs));
      return;
    }
    const drvPath = yield* this.#text(attrs.get("drvPath"));
    const outPath = yield* this.#text(attrs.get("outPath"));
    const isNew = drvPath !== undefined && drvPath !== "" && !this.#derivations.has(drvPath);
    if (isNew) this.#derivations.add(drvPath);
    const paths = { ...(drvPath !== undefined && { drvPath }), ...(outPath !== undefined && { outPath }) };
    this.#push("derivation", paths, isNew ? this.#attributes(attrs) : []);
    // A derivation met before has no attributes again, only this.
    if (!isNew) this.#empty("repeated", {});
  }

  /** An attribute's text if it is a string. */
  *#text(slot: Slot | undefined): Routine<string | undefined> {
    if (slot === undefined) return undefined;
    const value: Value | undefined = this.#options.strict ? yield slot : peek(slot);
    return value !== undefined && isString(value) ? textOf(value) : undefined;
  }

  #attributes({ keys, values, positions }: Attrs): XmlItem[] {
    return keys.names.map((name, index) => {
      const pos = attributePos(positions, keys, name);
      return { slot: values[index]!, pos, attribute: { name, ...this.#where(pos) } };
    });
  }

  #function({ code }: Lambda): void {
    this.#push("function", this.#where(code.pos), []);
    if (code.formals === null) {
      this.#empty("varpat", { name: code.param ?? "" });
      return;
    }
    const attributes = { ...(code.param !== null && { name: code.param }), ...(code.ellipsis && { ellipsis: "1" }) };
    this.#push("attrspat", attributes, []);
    for (const name of code.formals.map((formal) => formal.name).sort()) this.#empty("attr", { name });
    this.#pop();
  }

  #where(pos: Pos | undefined): XmlAttributes {
    if (pos === undefined || !this.#options.location) return {};
    const { line, column } = positionAt(pos.source, pos.offset);
    const { origin } = pos.source;
    // Files of the program itself are shown without the name of their file system.
    return {
      line: String(line),
      column: String(column),
      ...(origin.type === "file" && { path: origin.path.slice(origin.path.indexOf("/")) }),
    };
  }
}

export const xmlBuiltins: BuiltinFamily = [
  builtin({
    name: "toXML",
    args: [arg("e", "lazy")],
    doc: "The value *e*, evaluated completely, as an XML document. Functions are printed with the names of their arguments; a derivation that was printed before is `<repeated />`.",
    routine: ([slot]) => new XmlPrinter({ strict: true, location: false }).print(slot),
  }),
];
