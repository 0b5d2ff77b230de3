/**
 * `builtins.outputOf`: the output of a derivation that may itself be the output of a derivation (dynamic derivations).
 */
import type { EvalContext } from "#engine/eval/context.ts";
import { NixError } from "#engine/eval/error.ts";
import { outputElement, parseContextElement } from "#engine/eval/string-context.ts";
import { ContextString, contextOf, textOf } from "#engine/eval/value.ts";
import type { NixString, Slot } from "#engine/eval/value.ts";
import { dynamicPlaceholder, downstreamPlaceholder, parseDerivation } from "#engine/store/format/derivation.ts";
import { baseNameOf } from "#engine/store/format/store-path.ts";
import { demand } from "./demand.ts";
import { arg, builtin } from "./record.ts";
import type { BuiltinFamily, Routine } from "./record.ts";

const FIRST = "while evaluating the first argument to builtins.outputOf";
const SECOND = "while evaluating the second argument to builtins.outputOf";

const error = (message: string): NixError => new NixError("eval", message);

/** A derivation of the store, and the outputs to follow from it: `[]` is the derivation itself. */
interface DerivedPath {
  readonly drvPath: string;
  readonly outputs: readonly string[];
}

/** What the only element of a string's context refers to. */
function derivedPath(encoded: string, text: string): DerivedPath {
  const element = parseContextElement(encoded);
  if (element.kind === "path") return { drvPath: element.path, outputs: [] };
  if (element.kind === "all") {
    throw error(
      `string '${text}' has a context which refers to a complete source and binary closure. This is not supported at this time`,
    );
  }
  const inner = element.path.startsWith("!") ? derivedPath(element.path, text) : { drvPath: element.path, outputs: [] };
  return { drvPath: inner.drvPath, outputs: [...inner.outputs, element.output] };
}

/** The text that stands for a derived path: its store path where that is known, else a placeholder. */
function textFor({ drvPath, outputs }: DerivedPath, context: EvalContext): string {
  if (outputs.length === 0) return drvPath;
  if (outputs.length > 1) return dynamicPlaceholder(drvPath, outputs);
  return staticOutput(drvPath, outputs[0]!, context) ?? downstreamPlaceholder(drvPath, outputs[0]!);
}

function staticOutput(drvPath: string, output: string, context: EvalContext): string | undefined {
  const written = context.derivations.get(drvPath);
  if (written === undefined && !context.io.isValidPath(drvPath)) {
    throw new NixError("io", `derivation '${drvPath}' is not valid`);
  }
  const derivation = parseDerivation(written?.text ?? context.io.readDerivation(drvPath));
  const found = derivation.outputs.get(output);
  if (found === undefined) throw error(`derivation '${drvPath}' does not have output '${output}'`);
  return written?.outputs[output] || undefined;
}

function singleDerivedPath(string: NixString, context: EvalContext): DerivedPath {
  const text = textOf(string);
  const elements = [...contextOf(string)];
  if (elements.length !== 1) {
    throw error(
      `string '${text}' has ${elements.length} entries in its context. It should only have exactly one entry`,
    ).within(FIRST);
  }
  const path = derivedPath(elements[0]!, text);
  const expected = textFor(path, context);
  if (text === expected) return path;
  const output = path.outputs.at(-1);
  const message =
    output === undefined
      ? `path string '${text}' has context with the different path '${expected}'`
      : `string '${text}' has context with the output '${output}' from derivation '${baseNameOf(path.drvPath)}', but the string is not the right placeholder for this derivation output. It should be '${expected}'`;
  throw error(message).within(FIRST);
}

function* outputOf(slot: Slot, output: Slot, context: EvalContext): Routine<NixString> {
  const drv = singleDerivedPath(yield* demand(slot, "string", FIRST), context);
  const name = yield* demand(output, "plain", SECOND);
  const whole: DerivedPath = { drvPath: drv.drvPath, outputs: [...drv.outputs, name] };
  const encoded = whole.outputs.reduce((inner, part) => outputElement(inner, part), whole.drvPath);
  return new ContextString(textFor(whole, context), new Set([encoded]));
}

export const outputOfBuiltins: BuiltinFamily = [
  builtin({
    name: "outputOf",
    feature: "dynamic-derivations",
    args: [arg("derivation-reference", "lazy"), arg("output-name", "lazy")],
    doc: "The path of an output of a derivation that need not exist yet: *derivation-reference* may be the output of another derivation. The result is a placeholder until it is built.",
    *routine([slot, output], context) {
      return yield* outputOf(slot, output, context);
    },
  }),
];
