/** The rules that a derivation sets for its outputs: `allowedReferences` and its kin, `maxSize`, `maxClosureSize`. */
import type { Derivation } from "../store/format/derivation.ts";
import type { StorePath } from "../store/format/store-path.ts";
import type { PathInfo } from "../store/path-info.ts";
import { BuildError } from "./builder.ts";
import { words } from "./environment.ts";
import type { Json } from "../store/format/json.ts";

type CheckedInfo = Pick<PathInfo, "path" | "narSize" | "references">;

interface OutputRules {
  readonly allowedReferences?: readonly string[];
  readonly allowedRequisites?: readonly string[];
  readonly disallowedReferences?: readonly string[];
  readonly disallowedRequisites?: readonly string[];
  readonly maxSize?: number;
  readonly maxClosureSize?: number;
  /** The output itself does not count among what it may refer to. */
  readonly ignoreSelfRefs?: boolean;
}

/**
 * @param outputs by output name
 * @param known infos of everything that was valid before
 * @throws BuildError "output", in Nix's words
 */
export function checkOutputs(
  drvPath: StorePath,
  derivation: Derivation,
  outputs: ReadonlyMap<string, CheckedInfo>,
  known: (path: StorePath) => CheckedInfo | undefined,
): void {
  const byPath = new Map(Array.from(outputs.values(), (info) => [info.path, info]));
  const infoOf = (path: StorePath) => byPath.get(path) ?? known(path);
  for (const [name, info] of outputs) checkOutput({ drvPath, name }, info, rulesFor(derivation, name), outputs, infoOf);
}

function checkOutput(
  { drvPath, name }: { readonly drvPath: StorePath; readonly name: string },
  info: CheckedInfo,
  rules: OutputRules,
  outputs: ReadonlyMap<string, CheckedInfo>,
  infoOf: (path: StorePath) => CheckedInfo | undefined,
): void {
  const requisites = closureOf(info, infoOf);
  const size = requisites.reduce((sum, path) => sum + (infoOf(path)?.narSize ?? 0), 0);
  if (rules.maxSize !== undefined && info.narSize > rules.maxSize) {
    refuse(`path '${info.path}' is too large at ${info.narSize} bytes; limit is ${rules.maxSize} bytes`);
  }
  if (rules.maxClosureSize !== undefined && size > rules.maxClosureSize) {
    refuse(`closure of path '${info.path}' is too large at ${size} bytes; limit is ${rules.maxClosureSize} bytes`);
  }
  const resolve = (items: readonly string[]) =>
    new Set(
      items.map((item) => {
        const known = item.startsWith("/") ? item : outputs.get(item)?.path;
        if (known !== undefined) return known;
        const valid = [...outputs.keys()].sort().join(", ");
        return refuse(
          `derivation '${drvPath}' output check for '${name}' contains output name '${item}', but this is not a valid output of this derivation. (Valid outputs are [${valid}].)`,
        );
      }),
    );
  const check = (items: readonly string[] | undefined, paths: readonly StorePath[], allowed: boolean) => {
    if (items === undefined) return;
    const listed = resolve(items);
    const bad = paths.filter((path) => listed.has(path) !== allowed);
    if (bad.length === 0) return;
    const lines = [...bad].sort().map((path) => `\n  ${path}`);
    refuse(`output '${info.path}' is not allowed to refer to the following paths:${lines.join("")}`);
  };
  const counted = (path: StorePath) => path !== info.path || rules.ignoreSelfRefs !== true;
  const references = info.references.filter(counted);
  check(rules.allowedReferences, references, true);
  check(
    rules.allowedRequisites,
    requisites.filter((path) => (path !== info.path || info.references.includes(path)) && counted(path)),
    true,
  );
  check(rules.disallowedReferences, references, false);
  check(rules.disallowedRequisites, requisites, false);
}

function closureOf(info: CheckedInfo, infoOf: (path: StorePath) => CheckedInfo | undefined): StorePath[] {
  const found = new Set([info.path]);
  for (const path of found) for (const reference of infoOf(path)?.references ?? []) found.add(reference);
  return [...found];
}

/** With structured attributes the rules stand under `outputChecks.<output>`, otherwise in the environment. */
function rulesFor(derivation: Derivation, output: string): OutputRules {
  const structured = derivation.env.get("__json");
  if (structured !== undefined) {
    const checks = (JSON.parse(structured) as { outputChecks?: Record<string, Record<string, Json>> }).outputChecks;
    return (checks?.[output] ?? {}) as OutputRules;
  }
  const list = (name: string) => {
    const text = derivation.env.get(name);
    return text === undefined ? {} : { [name]: words(text) };
  };
  return {
    ...list("allowedReferences"),
    ...list("allowedRequisites"),
    ...list("disallowedReferences"),
    ...list("disallowedRequisites"),
  };
}

function refuse(message: string): never {
  throw new BuildError("output", message, { exit: 1 });
}
