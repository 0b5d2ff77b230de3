/**
 * Value printers over what has been evaluated: `printAmbiguous` is what `nix-instantiate --eval` writes, `printValue` what
 * `nix eval`, `nix repl`, traces and error messages write. Neither forces anything; strict output forces first (force-deep.ts).
 *
 * Text is bytes, so `«` and `»` are written as their UTF-8 bytes.
 */
import { shownPath } from "./paths.ts";
import { printFloat } from "./float-text.ts";
import { peek } from "./force.ts";
import { originName, positionAt } from "#engine/syntax/source.ts";
import type { Pos } from "./positions.ts";
import {
  Attrs,
  ContextString,
  Failure,
  Lambda,
  NixFloat,
  NixPath,
  PrimOp,
  PrimOpApp,
  Thunk,
  describeType,
  type Slot,
  type Value,
} from "./value.ts";

const open = "\u00c2\u00ab";
const close = "\u00c2\u00bb";

/** «text» */
export const angled = (text: string): string => `${open}${text}${close}`;

/** `file:line:column` as in lambdas, or empty without a position. */
export function printPos(pos: Pos): string {
  const { line, column } = positionAt(pos.source, pos.offset);
  return `${originName(pos.source.origin)}:${line}:${column}`;
}

/** A string literal: quoted, with Nix's escapes; `$` only before `{`. */
export function quoteString(text: string, maxLength = Infinity): string {
  const shown = text.length > maxLength ? text.slice(0, maxLength) : text;
  const escaped = shown.replace(/["\\\n\r\t]|\$(?=\{)/g, (char) => escapes[char]!);
  const rest = text.length - shown.length;
  return rest > 0 ? `"${escaped}" ${angled(`${rest} byte${rest === 1 ? "" : "s"} elided`)}` : `"${escaped}"`;
}

const escapes: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  $: "\\$",
};

const keywords = new Set(["if", "then", "else", "assert", "with", "let", "in", "rec", "inherit"]);

/** An attribute name as it would be written in a set. */
export const printName = (name: string): string =>
  /^[a-zA-Z_][a-zA-Z0-9_'-]*$/.test(name) && !keywords.has(name) ? name : quoteString(name);

/** What a value without parts looks like; undefined for sets, lists and functions. */
export const scalar = (value: Value): string | undefined => {
  switch (typeof value) {
    case "number":
    case "bigint":
    case "boolean":
      return String(value);
    case "string":
      return quoteString(value);
    default:
      if (value === null) return "null";
      if (value instanceof ContextString) return quoteString(value.text);
      if (value instanceof NixPath) return shownPath(value.path);
      if (value instanceof NixFloat) return printFloat(value.value);
      return undefined;
  }
};

/** Lists up to this length lie inside their cell in C++ Nix, so a copy of one counts as another list. */
const sharedLength = 2;

/** `nix-instantiate --eval`'s form: thunks are `<CODE>`, what was met before is `«repeated»`. */
export function printAmbiguous(slot: Slot): string {
  const out: string[] = [];
  const seen = new Set<Slot>();
  const text = (part: string): TextPart => new TextPart(part);
  const queue: (Slot | TextPart)[] = [slot];
  while (queue.length > 0) {
    const item = queue.pop()!;
    if (item instanceof TextPart) {
      out.push(item.text);
      continue;
    }
    const value = peek(item);
    if (value === undefined) {
      out.push("<CODE>");
      continue;
    }
    const simple = scalar(value);
    if (simple !== undefined) out.push(simple);
    else if (value instanceof Attrs) {
      if (value.size > 0 && seen.has(value)) out.push(angled("repeated"));
      else {
        seen.add(value);
        out.push("{ ");
        queue.push(text("}"));
        for (let i = value.size - 1; i >= 0; i--) {
          queue.push(text("; "), value.values[i]!, text(`${printName(value.keys.names[i]!)} = `));
        }
      }
    } else if (Array.isArray(value)) {
      const identity = value.length <= sharedLength ? item : value;
      if (value.length > 0 && seen.has(identity)) out.push(angled("repeated"));
      else {
        seen.add(identity);
        out.push("[ ");
        queue.push(text("]"));
        for (let i = value.length - 1; i >= 0; i--) queue.push(text(" "), (value as readonly Slot[])[i]!);
      }
    } else if (value instanceof PrimOp) out.push("<PRIMOP>");
    else if (value instanceof PrimOpApp) out.push("<PRIMOP-APP>");
    else out.push("<LAMBDA>");
  }
  return out.join("");
}

class TextPart {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export interface PrintOptions {
  readonly maxDepth?: number;
  readonly maxAttrs?: number;
  readonly maxItems?: number;
  readonly maxString?: number;
  /** Print derivations as «derivation …» instead of their attributes. */
  readonly derivations?: boolean;
}

/** What error messages show of a value. */
export const briefOptions: PrintOptions = {
  maxDepth: 10,
  maxAttrs: 10,
  maxItems: 10,
  maxString: 1024,
};

interface PrintState {
  readonly options: Required<PrintOptions>;
  readonly seen: Set<Value>;
  attrs: number;
  items: number;
}

/** `nix eval`'s form, on one line. */
export function printValue(slot: Slot, options: PrintOptions = {}): string {
  const limits = {
    maxDepth: Infinity,
    maxAttrs: Infinity,
    maxItems: Infinity,
    maxString: Infinity,
    derivations: false,
  };
  return printSlot(slot, { options: { ...limits, ...options }, seen: new Set(), attrs: 0, items: 0 }, 0);
}

export const printBrief = (slot: Slot): string => printValue(slot, briefOptions);

function printSlot(slot: Slot, state: PrintState, depth: number): string {
  if (slot instanceof Thunk && slot.code === undefined && slot.value instanceof Failure) return angled("failed");
  const value = peek(slot);
  if (value === undefined) return angled("thunk");
  if (typeof value === "string") return quoteString(value, state.options.maxString);
  if (value instanceof ContextString) return quoteString(value.text, state.options.maxString);
  const simple = scalar(value);
  if (simple !== undefined) return simple;
  if (value instanceof Attrs) return printAttrs(value, state, depth);
  if (Array.isArray(value)) return printList(value, state, depth);
  return printFunction(value as Lambda | PrimOp | PrimOpApp);
}

export function printFunction(value: Lambda | PrimOp | PrimOpApp): string {
  if (value instanceof PrimOp) return angled(`primop ${value.builtin.name}`);
  if (value instanceof PrimOpApp) return angled(`partially applied primop ${value.builtin.name}`);
  const name = value.code.name === null ? "" : ` ${printName(value.code.name)}`;
  return angled(`lambda${name} @ ${printPos(value.code.pos)}`);
}

const elided = (count: number, what: string): string => angled(`${count} ${what}${count === 1 ? "" : "s"} elided`);

function printAttrs(value: Attrs, state: PrintState, depth: number): string {
  if (state.options.derivations && isDerivation(value)) return printDerivation(value);
  if (value.size > 0) {
    if (state.seen.has(value)) return angled("repeated");
    state.seen.add(value);
  }
  if (depth >= state.options.maxDepth) return "{ ... }";
  const parts: string[] = [];
  for (const i of printOrder(value, state)) {
    if (state.attrs >= state.options.maxAttrs) {
      parts.push(elided(value.size - parts.length, "attribute"));
      break;
    }
    parts.push(`${printName(value.keys.names[i]!)} = ${printSlot(value.values[i]!, state, depth + 1)};`);
    state.attrs++;
  }
  return parts.length === 0 ? "{ }" : `{ ${parts.join(" ")} }`;
}

/** By name; where attributes may be left out, those that say what the set is come first. */
function printOrder(value: Attrs, state: PrintState): number[] {
  const indices = value.keys.names.map((_name, index) => index);
  if (state.options.maxAttrs === Infinity) return indices;
  const important = indices.filter((index) => isImportant(value.keys.names[index]!));
  return important.length === 0 ? indices : [...important, ...indices.filter((index) => !important.includes(index))];
}

const isImportant = (name: string): boolean => name === "type" || name === "_type";

function printList(value: readonly Slot[], state: PrintState, depth: number): string {
  if (value.length > 0) {
    if (state.seen.has(value)) return angled("repeated");
    state.seen.add(value);
  }
  if (depth >= state.options.maxDepth) return "[ ... ]";
  const parts: string[] = [];
  for (let i = 0; i < value.length; i++) {
    if (state.items >= state.options.maxItems) {
      parts.push(elided(value.length - i, "item"));
      break;
    }
    parts.push(printSlot(value[i]!, state, depth + 1));
    state.items++;
  }
  return parts.length === 0 ? "[ ]" : `[ ${parts.join(" ")} ]`;
}

/** Is this known to be a derivation, without forcing anything? */
export function isDerivation(value: Attrs): boolean {
  const type = value.get("type");
  return type !== undefined && peek(type) === "derivation";
}

function printDerivation(value: Attrs): string {
  const slot = value.get("drvPath");
  const path = slot === undefined ? undefined : peek(slot);
  if (path instanceof ContextString) return angled(`derivation ${path.text}`);
  return typeof path === "string" ? angled(`derivation ${path}`) : angled("derivation");
}

/** "an integer: 1", as in "expected a set but found an integer: 1". */
export const describeValue = (value: Value): string => `${describeType(value)}: ${printBrief(value)}`;
