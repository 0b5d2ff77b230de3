/**
 * Import from derivation: making sure that what a string refers to exists before it is read.
 */
import type { EvalContext } from "./context.ts";
import { NixError } from "./error.ts";
import { parseContextElement } from "./string-context.ts";

/** Builds every output in a context and checks plain paths. Under --eval alone nothing has been written, so nothing can be built. */
export function realiseContext(context: ReadonlySet<string>, evaluation: EvalContext): void {
  const wanted = new Map<string, string[]>();
  for (const encoded of context) {
    const element = parseContextElement(encoded);
    const { readOnly } = evaluation.settings;
    const isKnown =
      evaluation.io.isValidPath(element.path) ||
      (evaluation.derivations.has(element.path) && !(readOnly && element.kind === "output"));
    if (!isKnown) {
      throw new NixError("io", `path '${element.path.slice(element.path.lastIndexOf("/") + 1)}' is not valid`);
    }
    if (element.kind === "output") {
      const outputs = wanted.get(element.path);
      if (outputs === undefined) wanted.set(element.path, [element.output]);
      else outputs.push(element.output);
    }
  }
  for (const [drvPath, outputs] of wanted) {
    if (!evaluation.settings.allowImportFromDerivation) {
      const message = `cannot build '${drvPath}^${outputs.join(",")}' during evaluation because the option 'allow-import-from-derivation' is disabled`;
      throw new NixError("restricted", message);
    }
    evaluation.io.realise(drvPath, outputs);
  }
}
