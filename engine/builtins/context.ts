/**
 * String contexts: what a string needs from the store, looked at and changed.
 */
import { NixError } from "#engine/eval/error.ts";
import { coerceToString } from "#engine/eval/coerce.ts";
import { Keys, compareNames } from "#engine/eval/keys.ts";
import { attributePos } from "#engine/eval/positions.ts";
import { printName } from "#engine/eval/print.ts";
import { parseContextElement } from "#engine/eval/string-context.ts";
import { namesInOrder } from "#engine/eval/symbols.ts";
import { Attrs, contextOf, makeString, textOf } from "#engine/eval/value.ts";
import type { NixString, Slot } from "#engine/eval/value.ts";
import { demand, demandAttribute } from "./demand.ts";
import { arg, builtin, type BuiltinFamily, type Routine } from "./record.ts";

interface ContextInfo {
  path: boolean;
  allOutputs: boolean;
  outputs: string[];
}

/** A context by store path, as `getContext` shows it. */
function contextInfos(string: NixString): Map<string, ContextInfo> {
  const infos = new Map<string, ContextInfo>();
  for (const encoded of contextOf(string)) {
    const element = parseContextElement(encoded);
    const info = infos.get(element.path) ?? { path: false, allOutputs: false, outputs: [] };
    infos.set(element.path, info);
    if (element.kind === "path") info.path = true;
    else if (element.kind === "all") info.allOutputs = true;
    else info.outputs.push(element.output);
  }
  return infos;
}

function infoSet({ path, allOutputs, outputs }: ContextInfo): Attrs {
  const entries: [string, Slot][] = [];
  if (allOutputs) entries.push(["allOutputs", true]);
  if (outputs.length > 0) entries.push(["outputs", [...outputs].sort(compareNames)]);
  if (path) entries.push(["path", true]);
  return new Attrs(
    new Keys(entries.map(([name]) => name)),
    entries.map(([, slot]) => slot),
  );
}

/** The context elements that one attribute of `appendContext`'s set stands for. */
function* elementsOf(path: string, info: Attrs, pos: ReturnType<typeof attributePos>): Routine<string[]> {
  const elements: string[] = [];
  const flag = function* (name: string): Routine<boolean> {
    const context = `while evaluating the \`${name}\` attribute of a string context`;
    return info.has(name) && (yield* demandAttribute(info, name, "bool", context));
  };
  if (yield* flag("path")) elements.push(path);
  if (yield* flag("allOutputs")) {
    if (!path.endsWith(".drv")) throw notDerivation("all-outputs", path, pos);
    elements.push(`=${path}`);
  }
  const outputs = info.get("outputs");
  if (outputs === undefined) return elements;
  const where = attributePos(info.positions, info.keys, "outputs");
  const context = "while evaluating the `outputs` attribute of a string context";
  const names = yield* demand(outputs, "list", context, where);
  if (names.length > 0 && !path.endsWith(".drv")) throw notDerivation("derivation output", path, pos);
  for (const name of names) {
    elements.push(
      `!${yield* demand(name, "plain", "while evaluating an output name within a string context")}!${path}`,
    );
  }
  return elements;
}

const notDerivation = (what: string, path: string, pos: ReturnType<typeof attributePos>): NixError =>
  new NixError("eval", `tried to add ${what} context of ${printName(path)}, which is not a derivation, to a string`, {
    pos,
  });

export const contextBuiltins: BuiltinFamily = [
  builtin({
    name: "hasContext",
    args: [arg("s", "string", "while evaluating the argument passed to builtins.hasContext")],
    doc: "Returns `true` if the string *s* refers to something in the store.",
    impl: ([s]) => contextOf(s).size > 0,
  }),
  builtin({
    name: "getContext",
    args: [arg("s", "string", "while evaluating the argument passed to builtins.getContext")],
    doc: "Returns the context of a string: a set from store path to `{ path; allOutputs; outputs; }`, as far as they apply.",
    impl: ([s]) => {
      const infos = contextInfos(s);
      const paths = [...infos.keys()].sort(compareNames);
      return new Attrs(
        new Keys(paths),
        paths.map((path) => infoSet(infos.get(path)!)),
      );
    },
  }),
  builtin({
    name: "appendContext",
    args: [
      arg("s", "string", "while evaluating the first argument passed to builtins.appendContext"),
      arg("context", "attrs", "while evaluating the second argument passed to builtins.appendContext"),
    ],
    doc: "Adds context, in the form that `getContext` returns, to a string.",
    *routine([s, additions], context) {
      const elements = new Set(contextOf(s));
      for (const path of namesInOrder(additions, context.symbols)) {
        const pos = attributePos(additions.positions, additions.keys, path);
        if (!path.startsWith(`${context.settings.storeDir}/`)) {
          throw new NixError("eval", `context key '${printName(path)}' is not a store path`, { pos });
        }
        const info = yield* demand(additions.get(path)!, "attrs", "while evaluating the value of a string context");
        for (const element of yield* elementsOf(path, info, pos)) elements.add(element);
      }
      return makeString(textOf(s), elements);
    },
  }),
  builtin({
    name: "unsafeDiscardStringContext",
    args: [arg("s", "lazy")],
    doc: "Returns the string without its context: what it mentions need not exist or be built.",
    *routine([s]) {
      const context = "while evaluating the argument passed to builtins.unsafeDiscardStringContext";
      return textOf(yield* coerceToString(s, { context, copy: true }));
    },
  }),
  builtin({
    name: "unsafeDiscardOutputDependency",
    args: [arg("s", "lazy")],
    doc: "Turns references to a derivation with all its outputs into references to the `.drv` file alone.",
    *routine([s]) {
      const context = "while evaluating the argument passed to builtins.unsafeDiscardOutputDependency";
      const string = yield* coerceToString(s, { context, copy: true });
      const elements = [...contextOf(string)].map((element) => (element.startsWith("=") ? element.slice(1) : element));
      return makeString(textOf(string), new Set(elements));
    },
  }),
  builtin({
    name: "addDrvOutputDependencies",
    args: [arg("s", "lazy")],
    doc: "Turns the reference to a `.drv` file, the only element of the string's context, into one to the derivation with all its outputs.",
    *routine([s]) {
      const coercion = {
        context: "while evaluating the argument passed to builtins.addDrvOutputDependencies",
        copy: true,
      };
      const string = yield* coerceToString(s, coercion);
      const elements = [...contextOf(string)];
      if (elements.length !== 1) {
        const message = `context of string '${textOf(string)}' must have exactly one element, but has ${elements.length}`;
        throw new NixError("eval", message);
      }
      return makeString(textOf(string), new Set([allOutputsOf(elements[0]!)]));
    },
  }),
];

function allOutputsOf(encoded: string): string {
  const element = parseContextElement(encoded);
  if (element.kind === "all") return encoded;
  if (element.kind === "output") {
    const message = `\`addDrvOutputDependencies\` can only act on derivations, not on a derivation output such as '${element.output}'`;
    throw new NixError("eval", message);
  }
  if (element.path.endsWith(".drv")) return `=${element.path}`;
  throw new NixError("eval", `path '${element.path}' is not a derivation`);
}
