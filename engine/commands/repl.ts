/**
 * `nix repl`: a line in, text out, over a scope that grows. Synchronous like every program of the language: a line that lacks something
 * throws `NeedsIO`, prints nothing, and is given again. What it asks for beyond evaluation (a build, a log) is its answer.
 */
import { builtinTable } from "../builtins/table.ts";
import { NIX_VERSION } from "../builtins/time.ts";
import { coerceToString } from "../eval/coerce.ts";
import { isDerivationForced } from "../eval/equality.ts";
import { NixError } from "../eval/error.ts";
import { type Evaluator, createEvaluator } from "../eval/evaluator.ts";
import { type ForcedPrintOptions, printForced } from "../eval/print-forced.ts";
import { describeValue, printPos } from "../eval/print.ts";
import { reportError } from "../eval/report.ts";
import { evaluationOrder } from "../eval/symbols.ts";
import { Attrs, Lambda, NixPath, PrimOp, Thunk, describeType, isString, textOf } from "../eval/value.ts";
import type { Slot, Value } from "../eval/value.ts";
import { commentAbove } from "../ide/docs.ts";
import { GLOBAL_NAMES } from "../ide/globals.ts";
import { encodeUtf8 } from "../store/format/bytes.ts";
import type { Expr } from "../syntax/ast.ts";
import { type Source, positionAt, stringSource } from "../syntax/source.ts";
import { type Routine, call } from "../builtins/record.ts";
import { computed, flakeAttribute, flakeValue, parseFlakeArgument } from "./flakes.ts";
import { commandLineArguments, filePath, installableValue, sourceValue } from "./installables.ts";
import { type LanguageRun, type LanguageSession, type LanguageWorld, newLanguageSession } from "./language.ts";
import { SOURCE_FLAGS, parseLanguageOptions } from "./language-options.ts";
import { printFlakeRef } from "../builtins/flake-ref.ts";

/** What the caller does after a line; `incomplete` wants the next line added to it, `failed` is the end before the first. */
export type ReplAnswer =
  | { readonly kind: "done" | "incomplete" | "quit" | "failed" }
  | { readonly kind: "build" | "build-link" | "install" | "log" | "shell"; readonly drvPath: string }
  | { readonly kind: "edit"; readonly file: string; readonly line: number };

export interface Repl {
  /** Loads what the command line names; told as it is done. */
  start(): ReplAnswer;
  line(text: string): ReplAnswer;
  /** Names that the last word of a line may become, each whole. */
  complete(text: string): string[];
}

const DONE: ReplAnswer = { kind: "done" };

const SHALLOW: ForcedPrintOptions = { maxDepth: 1, indent: 2, errors: "throw-top-level", colors: true };
const DEEP: ForcedPrintOptions = { maxDepth: Infinity, indent: 2, errors: "throw-top-level", colors: true };

/** Something loaded, to be loaded again by `:r`. */
interface Loaded {
  readonly label: string;
  readonly load: () => Slot;
}

/** @throws NixError of kind usage */
export function createRepl(argv: readonly string[], world: LanguageWorld): Repl {
  const flags = parseLanguageOptions(
    argv,
    { flags: SOURCE_FLAGS, short: { "-f": "--file" }, most: Infinity, impure: true },
    world,
  );
  const evaluator = createEvaluator({ io: world.io, settings: flags.settings });
  return new ReplState({ evaluator, flags, session: newLanguageSession(), world });
}

class ReplState implements Repl {
  readonly #base: LanguageRun;
  readonly #evaluator: Evaluator;
  #session: LanguageSession = newLanguageSession();
  #scope: Record<string, Slot> = {};
  #loaded: Loaded[] = [];
  #last: readonly string[] = [];
  #showTrace: boolean;
  #out = "";

  constructor(run: LanguageRun) {
    this.#base = run;
    this.#evaluator = run.evaluator;
    this.#showTrace = run.flags.settings.showTrace;
  }

  get #run(): LanguageRun {
    return { ...this.#base, session: this.#session };
  }

  start(): ReplAnswer {
    return this.#guarded({ kind: "failed" }, () => {
      const { flags } = this.#base;
      const fromSource = flags.has("--expr") || flags.has("--file");
      const names = fromSource && flags.args.length === 0 ? [""] : flags.args;
      if (fromSource) this.#evaluator.force(sourceValue(this.#run));
      const all = names.map((name): Loaded => (fromSource ? this.#installable(name) : this.#flakeInstallable(name)));
      for (const item of all) this.#add(item, true);
      return DONE;
    });
  }

  line(text: string): ReplAnswer {
    const trimmed = text.trim();
    if (trimmed === "") return DONE;
    return this.#guarded(DONE, () => {
      const answer = trimmed.startsWith(":") ? this.#command(trimmed) : this.#statement(trimmed);
      if (answer.kind !== "incomplete" && answer.kind !== "quit") this.#session = newLanguageSession();
      return answer;
    });
  }

  complete(text: string): string[] {
    if (/^\s*:\S*$/.test(text)) {
      const start = text.trim();
      return COMMANDS.flatMap(({ names }) => names).filter((name) => name.startsWith(start));
    }
    const word = /[^\s()[\]{};:,+*/=!<>&|?"']*$/.exec(text)![0];
    const dot = word.lastIndexOf(".");
    const names = dot < 0 ? [...GLOBAL_NAMES, ...Object.keys(this.#scope)] : this.#attributesOf(word.slice(0, dot));
    const start = dot < 0 ? "" : word.slice(0, dot + 1);
    const wanted = word.slice(dot + 1);
    return [...new Set(names)]
      .filter((name) => name.startsWith(wanted))
      .sort()
      .map((name) => `${start}${name}`);
  }

  #attributesOf(text: string): readonly string[] {
    try {
      const value = this.#evaluator.force(this.#expression(stringSource(text)));
      return value instanceof Attrs ? value.keys.names : [];
    } catch (thrown) {
      if (thrown instanceof NixError) return [];
      throw thrown;
    }
  }

  /** Tells errors; what was printed before one stands, what was printed before a NeedsIO does not. */
  #guarded(failed: ReplAnswer, work: () => ReplAnswer): ReplAnswer {
    this.#out = "";
    const { world } = this.#base;
    try {
      const answer = work();
      world.print(this.#out);
      return answer;
    } catch (thrown) {
      if (!(thrown instanceof NixError)) throw thrown;
      this.#session = newLanguageSession();
      if (isIncomplete(thrown)) return { kind: "incomplete" };
      world.error(reportError(thrown, { showTrace: this.#showTrace }));
      world.print(this.#out);
      return failed;
    }
  }

  #print(text: string): void {
    this.#out += text;
  }

  /** What is said of loading goes to standard error. */
  #tell(text: string): void {
    this.#base.world.error(text);
  }

  #expression(source: Source): Slot {
    return this.#evaluator.expression({ ...source, basePath: this.#base.world.cwd }, this.#scope);
  }

  /** An expression, evaluated once however often its line is given again. */
  #slot(text: string): Slot {
    return this.#session.remember(`expression ${text}`, () => this.#expression(stringSource(text)));
  }

  #statement(text: string): ReplAnswer {
    const binding = /^([a-zA-Z_][a-zA-Z0-9_'-]*)(\s*=)(?!=)(?=\s*\S)/.exec(text);
    if (binding !== null && !isKeyword(binding[1]!)) {
      try {
        this.#scope = { ...this.#scope, [binding[1]!]: this.#bound(text, binding[1]!, binding[0].length) };
        return DONE;
      } catch (thrown) {
        // What is no whole binding is told of as an expression, one with a stray "=".
        if (!(thrown instanceof NixError) || thrown.kind !== "syntax") throw thrown;
      }
    }
    try {
      this.#printValue(this.#slot(text), SHALLOW);
    } catch (thrown) {
      const bindings = thrown instanceof NixError && thrown.kind === "syntax" ? this.#bindings(text) : undefined;
      if (bindings === undefined) throw thrown;
      this.#scope = { ...this.#scope, ...bindings };
    }
    return DONE;
  }

  /** The value of `name = expression`: the expression, at its own place in the line. */
  #bound(text: string, name: string, start: number): Slot {
    const source: { -readonly [K in keyof Source]: Source[K] } = {
      ...stringSource(" ".repeat(start) + text.slice(start)),
      basePath: this.#base.world.cwd,
    };
    const slot = this.#evaluator.expression(source, this.#scope);
    source.text = text;
    nameFunction(slot, name);
    return slot;
  }

  /** What `a.b = 1` or `inherit x` bind; undefined when the text is nothing like that. */
  #bindings(text: string): Record<string, Slot> | undefined {
    try {
      const value = this.#evaluator.force(this.#expression(stringSource(`{ ${text.replace(/;$/, "")}; }`)));
      return value instanceof Attrs ? slotsOf(value) : undefined;
    } catch (thrown) {
      if (thrown instanceof NixError && thrown.kind === "syntax") return undefined;
      throw thrown;
    }
  }

  #printValue(slot: Slot, options: ForcedPrintOptions): void {
    this.#evaluator.run(() => printForced(slot, options, (piece) => this.#print(piece)));
    this.#print("\n");
  }

  #command(text: string): ReplAnswer {
    const [, name, argument] = /^(:\S*)\s*([^]*)$/.exec(text)!;
    const command = COMMANDS.find(({ names }) => names.includes(name!));
    if (command === undefined) throw new NixError("usage", `unknown command '${name!}'`);
    return command.run(this, argument!);
  }

  // What the commands do.

  help(): ReplAnswer {
    const rows = COMMANDS.map(({ names, takes, doc }): [string, string] => [`${names.join(", ")} ${takes}`, doc]);
    rows.unshift(["EXPRESSION", "evaluate and print"], ["NAME = EXPRESSION", "give a value a name"]);
    this.#print(
      `The following commands are available:\n\n${rows.map(([left, doc]) => `  ${left.padEnd(28)} ${doc}\n`).join("")}`,
    );
    return DONE;
  }

  load(file: string): ReplAnswer {
    const label = `"${file}"`;
    this.#add({ label, load: () => this.#evaluator.file(filePath(this.#run, file)) }, false);
    return DONE;
  }

  loadFlake(text: string): ReplAnswer {
    this.#addNames(flakeValue(this.#run, parseFlakeArgument(this.#run, text).ref));
    return DONE;
  }

  addSet(text: string): ReplAnswer {
    this.#addNames(this.#slot(text));
    return DONE;
  }

  lastLoaded(): ReplAnswer {
    this.#print(this.#last.map((name) => `${name}\n`).join(""));
    return DONE;
  }

  reload(): ReplAnswer {
    this.#evaluator.refresh();
    this.#loadAgain();
    return DONE;
  }

  /** What the command line named, and then the files that were loaded; what fails ends it, and is the last that is kept. */
  #loadAgain(): void {
    const again = this.#session.remember("loaded", () => this.#loaded);
    this.#scope = {};
    this.#loaded = [];
    for (const item of again) this.#add(item, true);
  }

  printDeep(text: string): ReplAnswer {
    const value = this.#evaluator.force(this.#slot(text));
    if (isString(value)) this.#print(`${textOf(value)}\n`);
    else this.#printValue(value, DEEP);
    return DONE;
  }

  typeOf(text: string): ReplAnswer {
    this.#print(`${describeType(this.#evaluator.force(this.#slot(text)))}\n`);
    return DONE;
  }

  showTrace(text: string): ReplAnswer {
    if (!["", "true", "false"].includes(text)) throw new NixError("usage", `unexpected argument '${text}' to :te`);
    this.#showTrace = text === "" ? !this.#showTrace : text === "true";
    this.#print(`${this.#showTrace ? "" : "not "}showing error traces\n`);
    return DONE;
  }

  doc(text: string): ReplAnswer {
    const shown = documentation(this.#evaluator.force(this.#slot(text)));
    if (shown === undefined) throw new NixError("eval", "value does not have documentation");
    this.#print(shown);
    return DONE;
  }

  derivation(text: string, kind: "build" | "build-link" | "install" | "log" | "shell"): ReplAnswer {
    const slot = this.#slot(text);
    return { kind, drvPath: this.#evaluator.run(() => drvPathOf(slot)) };
  }

  /** An environment in which a derivation has been built, and is at hand. */
  shellWith(text: string): ReplAnswer {
    const slot = this.#slot(text);
    const wrapped = this.#session.remember("wrapped", () => this.#expression(stringSource(WITH_PACKAGE)));
    const shell = this.#evaluator.run(() => applied(wrapped, slot));
    return { kind: "shell", drvPath: this.#evaluator.run(() => drvPathOf(shell)) };
  }

  /** The file of a value, for an editor; afterwards everything is loaded again. */
  edit(text: string): ReplAnswer {
    const value = this.#evaluator.force(this.#slot(text));
    if (value instanceof NixPath) return { kind: "edit", file: value.path, line: 1 };
    if (!(value instanceof Lambda) || value.code.pos.source.origin.type !== "file") {
      throw new NixError("eval", "this value was not written in a file");
    }
    const { source, offset } = value.code.pos;
    return { kind: "edit", file: value.code.pos.source.origin.path, line: positionAt(source, offset).line };
  }

  #installable(name: string): Loaded {
    return { label: `installable '${name}'`, load: () => installableValue(this.#run, name).slot };
  }

  #flakeInstallable(name: string): Loaded {
    const { ref, fragment } = parseFlakeArgument(this.#run, name);
    const candidates = { prefixes: [], defaults: [""] };
    return {
      label: `installable '${printFlakeRef(ref)}#${fragment}'`,
      load: () => flakeAttribute(this.#run, { ref, fragment }, candidates).slot,
    };
  }

  #add(item: Loaded, told: boolean): void {
    if (told) this.#session.once(`loading ${item.label}`, () => this.#tell(`Loading ${item.label}...\n`));
    this.#loaded = [...this.#loaded.filter(({ label }) => label !== item.label), item];
    const args = commandLineArguments(this.#run);
    this.#addNames(this.#evaluator.autoCall(item.load(), args));
  }

  #addNames(slot: Slot): void {
    const value = this.#evaluator.force(slot);
    if (!(value instanceof Attrs)) {
      const what = "while evaluating an attribute set to be merged in the global scope";
      throw new NixError("type", `expected a set but found ${describeValue(value)}`).within(what);
    }
    this.#scope = { ...this.#scope, ...slotsOf(value) };
    const { names } = value.keys;
    const order = this.#evaluator.run((context) => computed(() => evaluationOrder(value, context.symbols)));
    this.#last = order.map((index) => names[index]!);
    const shown = names.slice(0, MOST_NAMES);
    const more = this.#last.length - shown.length;
    this.#tell(
      `Added ${value.size} variables.\n${shown.join(", ")}${more > 0 ? `\n... and ${more} more; view with :ll` : ""}\n`,
    );
  }
}

/** A function has the name that it is bound to, and so has what it gives when that is written as a function too. */
function nameFunction(slot: Slot, name: string): void {
  const lambda: { name: string | null; readonly expr: Expr } | undefined =
    slot instanceof Thunk ? slot.code?.lambda : undefined;
  if (lambda === undefined) return;
  lambda.name = name;
  for (let expr = lambda.expr; expr.kind === "lambda"; expr = expr.body) (expr as { name: string | null }).name = name;
}

/** Names that are listed when a set is added. */
const MOST_NAMES = 20;

const isIncomplete = (error: NixError): boolean =>
  error.kind === "syntax" &&
  error.pos?.source.origin.type === "string" &&
  error.message.includes("unexpected end of file");

const isKeyword = (name: string): boolean =>
  ["if", "then", "else", "assert", "with", "let", "in", "rec", "inherit"].includes(name);

const slotsOf = (set: Attrs): Record<string, Slot> =>
  Object.fromEntries(set.keys.names.map((name, index) => [name, set.values[index]!]));

/** What `:u` enters: an environment with one package. */
const WITH_PACKAGE = 'drv: (import <nixpkgs> {}).runCommand "shell" { buildInputs = [ drv ]; } ""';

function* applied(fn: Slot, argument: Slot): Routine<Value> {
  return yield call(fn, [argument]);
}

function* drvPathOf(slot: Slot): Routine<string> {
  const value = yield slot;
  const drvPath = value instanceof Attrs && (yield* isDerivationForced(value)) ? value.get("drvPath") : undefined;
  if (drvPath === undefined) {
    throw new NixError("eval", "expression does not evaluate to a derivation, so I can't build it");
  }
  return textOf(yield* coerceToString(drvPath, { context: "" }));
}

/** What is known of a function: of a builtin by its record, of a lambda where it is and the comment above. */
function documentation(value: Value): string | undefined {
  if (value instanceof PrimOp) {
    const record = builtinTable.find(({ name }) => name === value.builtin.name);
    if (record === undefined || !("args" in record)) return undefined;
    const args = record.args.map(({ name }) => ` ${name}`).join("");
    return `Synopsis: builtins.${record.name}${args}\n\n${encodeUtf8(record.doc)}\n`;
  }
  if (!(value instanceof Lambda)) return undefined;
  const { name, pos } = value.code;
  const lineStart = pos.source.text.lastIndexOf("\n", pos.offset - 1) + 1;
  const comment = commentAbove(pos.source.text, lineStart);
  const where = `Function${name === null ? "" : ` ${name}`}\n\xe2\x80\xa6 defined at ${printPos(pos)}\n`;
  return comment === null ? where : `${where}\n${encodeUtf8(comment)}\n`;
}

/** One record a command. */
interface ReplCommand {
  readonly names: readonly string[];
  readonly takes: string;
  readonly doc: string;
  run(repl: ReplState, argument: string): ReplAnswer;
}

const COMMANDS: readonly ReplCommand[] = [
  {
    names: [":a", ":add"],
    takes: "EXPRESSION",
    doc: "name everything in a set",
    run: (repl, text) => repl.addSet(text),
  },
  {
    names: [":b"],
    takes: "EXPRESSION",
    doc: "build a derivation",
    run: (repl, text) => repl.derivation(text, "build"),
  },
  {
    names: [":bl"],
    takes: "EXPRESSION",
    doc: "build a derivation, with links here that keep it",
    run: (repl, text) => repl.derivation(text, "build-link"),
  },
  {
    names: [":e", ":edit"],
    takes: "EXPRESSION",
    doc: "open the file of a function in $EDITOR",
    run: (repl, text) => repl.edit(text),
  },
  {
    names: [":i"],
    takes: "EXPRESSION",
    doc: "build a derivation and install it in the profile",
    run: (repl, text) => repl.derivation(text, "install"),
  },
  {
    names: [":l", ":load"],
    takes: "FILE",
    doc: "name everything in a file's set",
    run: (repl, text) => repl.load(text),
  },
  {
    names: [":lf", ":load-flake"],
    takes: "REFERENCE",
    doc: "name everything in a flake",
    run: (repl, text) => repl.loadFlake(text),
  },
  {
    names: [":ll", ":last-loaded"],
    takes: "",
    doc: "the names that were added last",
    run: (repl) => repl.lastLoaded(),
  },
  {
    names: [":p", ":print"],
    takes: "EXPRESSION",
    doc: "print a value to its depth, strings as they are",
    run: (repl, text) => repl.printDeep(text),
  },
  { names: [":q", ":quit"], takes: "", doc: "leave", run: () => ({ kind: "quit" }) },
  { names: [":r", ":reload"], takes: "", doc: "load all files again", run: (repl) => repl.reload() },
  {
    names: [":sh"],
    takes: "EXPRESSION",
    doc: "a shell with what a derivation needs",
    run: (repl, text) => repl.derivation(text, "shell"),
  },
  { names: [":u"], takes: "EXPRESSION", doc: "a shell with a package", run: (repl, text) => repl.shellWith(text) },
  { names: [":t"], takes: "EXPRESSION", doc: "say what a value is", run: (repl, text) => repl.typeOf(text) },
  { names: [":doc"], takes: "EXPRESSION", doc: "what is known of a function", run: (repl, text) => repl.doc(text) },
  {
    names: [":log"],
    takes: "EXPRESSION",
    doc: "the log of a derivation's build",
    run: (repl, text) => repl.derivation(text, "log"),
  },
  {
    names: [":te", ":trace-enable"],
    takes: "[true|false]",
    doc: "show the traces of errors whole, or not",
    run: (repl, text) => repl.showTrace(text),
  },
  { names: [":?", ":help"], takes: "", doc: "this list", run: (repl) => repl.help() },
];

export const REPL_BANNER = `Nix ${NIX_VERSION}\nType :? for help.\n`;
