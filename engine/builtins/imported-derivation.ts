/**
 * What importing a valid `.drv` of the store gives: the set that `derivation` gave, as far as the file tells.
 */
import type { EvalContext } from "#engine/eval/context.ts";
import { settle } from "#engine/eval/force.ts";
import { Keys, compareNames } from "#engine/eval/keys.ts";
import { Attrs, ContextString, Thunk, type Slot } from "#engine/eval/value.ts";
import { downstreamPlaceholder, parseDerivation } from "#engine/store/format/derivation.ts";
import { isInStore } from "#engine/store/format/store-path.ts";

/** The set of the derivation's first output; undefined for a path that is no valid derivation. */
export function importedDerivation(path: string, { io, settings }: EvalContext): Attrs | undefined {
  if (!path.endsWith(".drv") || !isInStore(path, settings.storeDir) || !io.isValidPath(path)) return undefined;
  const { outputs, env } = parseDerivation(io.readDerivation(path));
  const all: Slot[] = [];
  const list = new Thunk(undefined, []);
  settle(list, all);
  const common = new Map<string, Slot>([
    ["all", list],
    ["drvPath", new ContextString(path, new Set([`=${path}`]))],
    ["name", env.get("name") ?? ""],
    ["type", "derivation"],
  ]);
  const fill: (() => void)[] = [];
  for (const [outputName, output] of outputs) {
    const text = output.path === "" ? downstreamPlaceholder(path, outputName) : output.path;
    const own: [string, Slot][] = [
      ["outPath", new ContextString(text, new Set([`!${outputName}!${path}`]))],
      ["outputName", outputName],
    ];
    const names = [...new Set([...outputs.keys(), ...common.keys(), "outPath", "outputName"])].sort(compareNames);
    const set = new Attrs(new Keys(names), []);
    all.push(set);
    common.set(outputName, set);
    fill.push(() => {
      const members = new Map([...common, ...own]);
      for (const name of names) set.values.push(members.get(name)!);
    });
  }
  // The sets hold each other.
  for (const finish of fill) finish();
  return all[0] as Attrs;
}
