/** What `nix run` and `nix fmt` run: the program of an app, or the main program of a package, and what has to be built for it. */
import { parseDrvName } from "../builtins/versions.ts";
import type { Routine } from "../builtins/record.ts";
import { coerceToString } from "../eval/coerce.ts";
import { NixError } from "../eval/error.ts";
import { describeType } from "../eval/value.ts";
import { parseContextElement } from "../eval/string-context.ts";
import { Attrs, contextOf, isString, textOf, type Slot } from "../eval/value.ts";
import { type Candidates, flakeAttribute, parseFlakeArgument } from "./flakes.ts";
import { type Buildable, buildablesOf, installableValue } from "./installables.ts";
import type { LanguageProgram, LanguageRun } from "./language.ts";
import { SOURCE_FLAGS } from "./language-options.ts";

/** What is to be run, and what has to be there for it. */
export interface RunPlan {
  readonly program: string;
  readonly builds: readonly Buildable[];
}

export const NIX_PROGRAMS: readonly LanguageProgram[] = [
  {
    words: "nix run",
    flags: { flags: SOURCE_FLAGS, short: { "-f": "--file" }, most: 1 },
    run: (run) => plan(run, run.flags.args[0] ?? "", appCandidates(run.flags.settings.system)),
  },
  {
    words: "nix fmt",
    flags: { flags: SOURCE_FLAGS, most: 0 },
    run: (run) => plan(run, "", { prefixes: [], defaults: [`formatter.${run.flags.settings.system}`] }),
  },
  {
    words: "nix develop",
    flags: { flags: SOURCE_FLAGS, short: { "-f": "--file" }, most: 1 },
    run(run) {
      const candidates = shellCandidates(run.flags.settings.system);
      const [found] = buildablesOf(run, run.flags.args[0] ?? "", candidates);
      if (found === undefined || !("drvPath" in found)) {
        throw new NixError("eval", "'nix develop' requires a single derivation");
      }
      run.world.print(JSON.stringify(found.drvPath));
      return 0;
    },
  },
];

const appCandidates = (system: string): Candidates => ({
  prefixes: [`apps.${system}.`, `packages.${system}.`, `legacyPackages.${system}.`],
  defaults: [
    `apps.${system}.default`,
    `defaultApp.${system}`,
    `packages.${system}.default`,
    `defaultPackage.${system}`,
  ],
});

const shellCandidates = (system: string): Candidates => ({
  prefixes: [`devShells.${system}.`, `packages.${system}.`, `legacyPackages.${system}.`],
  defaults: [
    `devShells.${system}.default`,
    `devShell.${system}`,
    `packages.${system}.default`,
    `defaultPackage.${system}`,
  ],
});

function plan(run: LanguageRun, argument: string, candidates: Candidates): number {
  const { evaluator, flags, world } = run;
  const isSource = flags.has("--expr") || flags.has("--file");
  const found = isSource
    ? { slot: installableValue(run, argument).slot, path: argument }
    : flakeAttribute(run, parseFlakeArgument(run, argument), candidates);
  const planned = evaluator.run((context) => planOf(found.slot, found.path, context.settings.storeDir));
  world.print(JSON.stringify(planned));
  return 0;
}

function* planOf(slot: Slot, path: string, storeDir: string): Routine<RunPlan> {
  const value = yield slot;
  const type = value instanceof Attrs ? yield* textAt(value, "type") : undefined;
  if (!(value instanceof Attrs) || type === undefined) {
    throw new NixError("eval", `attribute '${path}.type' does not exist`);
  }
  const wanted = /^(apps|defaultApp)\./.test(path) ? "app" : "derivation";
  if (type !== wanted) throw new NixError("eval", `attribute '${path}' should have type '${wanted}'`);
  if (type === "app") return yield* appPlan(value, storeDir);
  return yield* packagePlan(value);
}

function* textAt(set: Attrs, name: string): Routine<string | undefined> {
  const slot = set.get(name);
  const value = slot === undefined ? undefined : yield slot;
  return value !== undefined && isString(value) ? textOf(value) : undefined;
}

function* appPlan(app: Attrs, storeDir: string): Routine<RunPlan> {
  const value = yield app.get("program") ?? null;
  if (!isString(value)) throw new NixError("type", `expected a string but found ${describeType(value)}`);
  const program = textOf(value);
  if (!program.startsWith(`${storeDir}/`)) {
    throw new NixError("eval", `app program '${program}' is not in the Nix store`);
  }
  const builds = [...contextOf(value)].map((text): Buildable => {
    const element = parseContextElement(text);
    if (element.kind === "path") return { path: element.path };
    return { drvPath: element.path, outputs: element.kind === "output" ? [element.output] : ["*"] };
  });
  return { program, builds };
}

/** The program that a package says is its main one, or the one that is called as it is. */
function* packagePlan(set: Attrs): Routine<RunPlan> {
  const meta = set.get("meta");
  const info = meta === undefined ? undefined : yield meta;
  const main = info instanceof Attrs ? yield* textAt(info, "mainProgram") : undefined;
  const named = main ?? (yield* textAt(set, "pname")) ?? parseDrvName((yield* textAt(set, "name")) ?? "").name;
  const outPath = textOf(yield* coerceToString(set.get("outPath") ?? null, { context: "" }));
  const drvPath = textOf(yield* coerceToString(set.get("drvPath") ?? null, { context: "" }));
  const output = (yield* textAt(set, "outputName")) ?? "out";
  return { program: `${outPath}/bin/${named}`, builds: [{ drvPath, outputs: [output] }] };
}
