/**
 * `nix flake check`, as far as evaluation goes: every output is what its name promises. What is to be built besides is printed as one
 * JSON value, for the command that builds it.
 */
import { callFlake } from "../builtins/get-flake.ts";
import { type Routine } from "../builtins/record.ts";
import { coerceToString } from "../eval/coerce.ts";
import { isDerivationForced } from "../eval/equality.ts";
import { NixError, addTrace, typeError } from "../eval/error.ts";
import { attributePos, type Pos } from "../eval/positions.ts";
import { describeValue, printPos } from "../eval/print.ts";
import { reportError } from "../eval/report.ts";
import { evaluationOrder } from "../eval/symbols.ts";
import { Attrs, Lambda, NixPath, describeType, isFunction, isString, textOf, type Slot } from "../eval/value.ts";
import { computed, lockArgument, parseFlakeArgument } from "./flakes.ts";
import type { LanguageProgram, LanguageRun } from "./language.ts";
import { SOURCE_FLAGS } from "./language-options.ts";

/** What `nix flake check` has still to do: build, and tell. */
export interface CheckPlan {
  /** Derivations by their attribute paths. */
  readonly builds: readonly { readonly attribute: string; readonly drvPath: string }[];
  /** Systems that were left out. */
  readonly omitted: readonly string[];
}

export const NIX_FLAKE_CHECK: LanguageProgram = {
  words: "nix flake check",
  flags: {
    flags: { ...SOURCE_FLAGS, "--no-build": 0, "--all-systems": 0, "--keep-going": 0 },
    short: { "-k": "--keep-going" },
    most: 1,
  },
  run: (run) => new Checker(run).check(),
};

/** One attribute of a flake: its value, its path, and where it is written. */
interface Item {
  readonly slot: Slot;
  readonly path: string;
  readonly name: string;
  readonly pos: Pos | undefined;
}

type Check = (item: Item) => void;

const DEPRECATED: Readonly<Record<string, string>> = {
  defaultPackage: "packages.<system>.default",
  defaultApp: "apps.<system>.default",
  defaultTemplate: "templates.default",
  defaultBundler: "bundlers.<system>.default",
  overlay: "overlays.default",
  devShell: "devShells.<system>.default",
  nixosModule: "nixosModules.default",
};

/** Outputs that others than Nix give a meaning. */
const COMMUNITY =
  "lib darwinConfigurations darwinModules flakeModule flakeModules herculesCI homeConfigurations homeModule homeModules nixopsConfigurations".split(
    " ",
  );

class Checker {
  readonly #run: LanguageRun;
  readonly #omitted = new Set<string>();
  readonly #builds: { attribute: string; drvPath: string }[] = [];
  #hasErrors = false;

  constructor(run: LanguageRun) {
    this.#run = run;
  }

  check(): number {
    const { evaluator, flags, session, world } = this.#run;
    const { ref } = parseFlakeArgument(this.#run, flags.args[0] ?? "");
    const locked = lockArgument(this.#run, ref);
    this.#say("evaluating flake...");
    const flake = session.remember("checked flake", () => evaluator.run((context) => callFlake(locked, context)));
    const outputs = this.#items(this.#attribute(flake, "outputs"), "");
    const jobs = outputs.filter(({ name }) => name === "hydraJobs");
    for (const output of [...jobs, ...outputs.filter((item) => !jobs.includes(item))]) this.#output(output);
    if (this.#hasErrors) throw new NixError("eval", "some errors were encountered during the evaluation");
    const plan: CheckPlan = { builds: flags.has("--no-build") ? [] : this.#builds, omitted: [...this.#omitted].sort() };
    world.print(JSON.stringify(plan));
    return 0;
  }

  /** Says something once, however often the check is begun again. */
  #say(text: string, key = text): void {
    this.#run.session.once(`said ${key}`, () => this.#run.world.error(`${text}\n`));
  }

  #attribute(slot: Slot, name: string): Slot {
    return (this.#run.evaluator.force(slot) as Attrs).get(name)!;
  }

  /** A set's attributes in the order in which C++ Nix goes through them. @throws NixError when it is no set */
  #items(slot: Slot, path: string): Item[] {
    const set = this.#set(slot);
    const order = this.#run.evaluator.run((context) => computed(() => evaluationOrder(set, context.symbols)));
    return order.map((index) => {
      const name = set.keys.names[index]!;
      const pos = attributePos(set.positions, set.keys, name);
      return { slot: set.values[index]!, path: path === "" ? name : `${path}.${name}`, name, pos };
    });
  }

  #set(slot: Slot): Attrs {
    const value = this.#run.evaluator.force(slot);
    if (value instanceof Attrs) return value;
    throw typeError(`expected a set but found ${describeValue(value)}`);
  }

  /** Does something; what goes wrong is told at the end of the check's part, or at once with `--keep-going`. */
  #guarded(what: string, { path, pos }: Item, work: () => void): void {
    try {
      work();
    } catch (thrown) {
      if (!(thrown instanceof NixError)) throw thrown;
      this.#report(addTrace(thrown, `while checking ${what} '${path}'`, pos) as NixError);
    }
  }

  #report(error: NixError): void {
    const { flags, session, world } = this.#run;
    if (!flags.has("--keep-going")) throw error;
    const text = reportError(error, { showTrace: flags.settings.showTrace });
    session.once(`error ${text}`, () => world.error(text));
    this.#hasErrors = true;
  }

  #output(output: Item): void {
    const { name } = output;
    this.#say(`checking flake output '${name}'...`);
    this.#guarded("flake output", output, () => {
      this.#run.evaluator.force(output.slot);
      const better = DEPRECATED[name];
      if (better !== undefined) {
        this.#say(`warning: flake output attribute '${name}' is deprecated; use '${better}' instead`);
      }
      const check = this.#checks[name];
      if (check !== undefined) check(output);
      else if (!COMMUNITY.includes(name)) this.#say(`warning: unknown flake output '${name}'`);
    });
  }

  /** For every system that is to be looked at. */
  #systems(check: Check): Check {
    return ({ slot, path }) => {
      for (const item of this.#items(slot, path)) if (this.#isWanted(item)) check(item);
    };
  }

  #isWanted({ name, pos }: Item): boolean {
    const { flags } = this.#run;
    if (!name.includes("-")) {
      const where = pos === undefined ? "\xc2\xabnone\xc2\xbb:0" : printPos(pos);
      this.#report(new NixError("eval", `'${name}' is not a valid system type, at ${where}`));
    }
    if (flags.has("--all-systems") || name === flags.settings.system) return true;
    this.#omitted.add(name);
    return false;
  }

  #each(check: Check): Check {
    return ({ slot, path }) => this.#items(slot, path).forEach(check);
  }

  readonly #derivation: Check = (item) => {
    this.#say(`checking derivation ${item.path}...`);
    this.#guarded("the derivation", item, () => {
      const drvPath = this.#run.evaluator.run(() => drvPathOf(item));
      this.#say(`derivation evaluated to ${drvPath}`, `derivation ${item.path}`);
      if (item.path.startsWith(`checks.${this.#run.flags.settings.system}.`)) {
        this.#builds.push({ attribute: item.path, drvPath });
      }
    });
  };

  readonly #app: Check = (item) => {
    this.#say(`checking app '${item.path}'...`);
    this.#guarded("the app definition", item, () => {
      const { evaluator } = this.#run;
      const app = this.#set(item.slot);
      for (const name of ["type", "program"]) {
        const slot = app.get(name);
        if (slot === undefined) throw new NixError("eval", `app '${item.path}' lacks attribute '${name}'`);
        const value = evaluator.force(slot);
        if (!isString(value)) throw typeError(`expected a string but found ${describeValue(value)}`);
      }
      const meta = app.get("meta");
      if (meta === undefined) this.#say(`warning: app '${item.path}' lacks attribute 'meta'`);
      else if (this.#set(meta).get("description") === undefined) {
        this.#say(`warning: app '${item.path}' lacks attribute 'meta.description'`);
      }
      this.#refuseOthers("app", item, ["type", "program", "meta"]);
    });
  };

  #refuseOthers(what: string, { slot, path }: Item, known: readonly string[]): void {
    const other = this.#items(slot, path).find(({ name }) => !known.includes(name));
    if (other !== undefined) {
      throw new NixError("eval", `${what} '${path}' has unsupported attribute '${other.name}'`);
    }
  }

  readonly #overlay: Check = (item) => {
    this.#say(`checking overlay '${item.path}'...`);
    this.#guarded("the overlay", item, () => {
      const value = this.#run.evaluator.force(item.slot);
      if (!(value instanceof Lambda)) {
        throw new NixError("type", `overlay is not a function, but ${describeType(value)} instead`);
      }
      const { formals, param } = value.code;
      const takesFinal = formals === null && param !== null && /^(final|_|_final)$/.test(param);
      if (!takesFinal) throw new NixError("eval", "overlay does not take an argument named 'final'");
    });
  };

  readonly #module: Check = (item) => {
    this.#say(`checking NixOS module '${item.path}'...`);
    this.#guarded("the NixOS module", item, () => this.#run.evaluator.force(item.slot));
  };

  readonly #configuration: Check = (item) => {
    this.#say(`checking NixOS configuration '${item.path}'...`);
    this.#guarded("the NixOS configuration", item, () => {
      const { evaluator } = this.#run;
      const top = evaluator.select(item.slot, "config.system.build.toplevel", new Map());
      if (evaluator.run(() => isDerivation(top))) return;
      throw new NixError("eval", "attribute 'config.system.build.toplevel' is not a derivation");
    });
  };

  readonly #jobs: Check = (item) => {
    this.#say(`checking Hydra job '${item.path}'...`);
    this.#guarded("the Hydra jobset", item, () => {
      const { evaluator } = this.#run;
      const isJob = (slot: Slot): boolean => evaluator.run(() => isDerivation(slot));
      this.#set(item.slot);
      if (isJob(item.slot)) throw new NixError("eval", "jobset should not be a derivation at top-level");
      for (const inner of this.#items(item.slot, item.path)) {
        this.#set(inner.slot);
        if (!isJob(inner.slot)) this.#jobs(inner);
        else {
          this.#say(`checking Hydra job '${inner.path}'...`);
          this.#derivation(inner);
        }
      }
    });
  };

  readonly #template: Check = (item) => {
    this.#say(`checking template '${item.path}'...`);
    this.#guarded("the template", item, () => {
      const { evaluator, world } = this.#run;
      const template = this.#set(item.slot);
      const lacking = ["path", "description"].find((name) => template.get(name) === undefined);
      if (lacking === "path") throw new NixError("eval", `template '${item.path}' lacks attribute 'path'`);
      const value = evaluator.force(template.get("path")!);
      const path = value instanceof NixPath ? value.path : evaluator.run(() => textFrom(template.get("path")!));
      if (world.io.lstat(path) === undefined) {
        throw new NixError("eval", `template '${item.path}' refers to a non-existent path '${path}'`);
      }
      if (lacking !== undefined) throw new NixError("eval", `template '${item.path}' lacks attribute 'description'`);
      this.#refuseOthers("template", item, ["path", "description", "welcomeText"]);
    });
  };

  readonly #bundler: Check = (item) => {
    this.#say(`checking bundler '${item.path}'...`);
    this.#guarded("the template", item, () => {
      if (!isFunction(this.#run.evaluator.force(item.slot))) throw new NixError("type", "bundler must be a function");
    });
  };

  readonly #checks: Readonly<Record<string, Check>> = {
    checks: this.#systems(this.#each(this.#derivation)),
    packages: this.#systems(this.#each(this.#derivation)),
    devShells: this.#systems(this.#each(this.#derivation)),
    formatter: this.#systems(this.#derivation),
    defaultPackage: this.#systems(this.#derivation),
    devShell: this.#systems(this.#derivation),
    apps: this.#systems(this.#each(this.#app)),
    defaultApp: this.#systems(this.#app),
    legacyPackages: this.#systems(() => undefined),
    overlay: this.#overlay,
    overlays: this.#each(this.#overlay),
    nixosModule: this.#module,
    nixosModules: this.#each(this.#module),
    nixosConfigurations: this.#each(this.#configuration),
    hydraJobs: this.#jobs,
    defaultTemplate: this.#template,
    templates: this.#each(this.#template),
    defaultBundler: this.#systems(this.#bundler),
    bundlers: this.#systems(this.#each(this.#bundler)),
  };
}

function* isDerivation(slot: Slot): Routine<boolean> {
  const value = yield slot;
  return value instanceof Attrs && (yield* isDerivationForced(value));
}

function* drvPathOf({ slot, path }: Item): Routine<string> {
  const value = yield slot;
  if (!(value instanceof Attrs) || !(yield* isDerivationForced(value))) {
    throw new NixError("eval", `flake attribute '${path}' is not a derivation`);
  }
  const context = "while evaluating the 'drvPath' attribute of a derivation";
  return textOf(yield* coerceToString(value.get("drvPath") ?? null, { context }));
}

function* textFrom(slot: Slot): Routine<string> {
  return textOf(yield* coerceToString(slot, { context: "" }));
}
