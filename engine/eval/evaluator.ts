/**
 * The evaluator as its users see it: one object that keeps parsed files and their values between evaluations.
 *
 * Invariant: evaluation is synchronous; it ends with a value, a `NixError`, or a `NeedsIO` of the `Io` (fulfil the request and ask
 * again: what was evaluated stays evaluated). To cancel, terminate the worker.
 *
 * Callers take a `Slot` from `expression` or `file`, `autoCall` and `select` on it, and end with `force`, `forceDeep` or a printer.
 */
import type { Expr, Source } from "#engine/syntax/ast.ts";
import { stringSource } from "#engine/syntax/source.ts";
import { withInternalFiles } from "#engine/builtins/internal-files.ts";
import { baseScope } from "#engine/builtins/table.ts";
import type { Routine } from "#engine/builtins/record.ts";
import { checkVariables } from "./check-variables.ts";
import { compile } from "./compile.ts";
import type { EvalContext, DerivationTable } from "./context.ts";
import { drive } from "./call.ts";
import { NixError, addTrace } from "./error.ts";
import { FileCache, parseOrThrow } from "./files.ts";
import { force } from "./force.ts";
import { forceDeep } from "./force-deep.ts";
import type { Io } from "./io.ts";
import { noKeys } from "./keys.ts";
import { installMachine } from "./machine.ts";
import { resumableIo, type ResumableIo } from "./resumable-io.ts";
import { runtime } from "./runtime.ts";
import { internalSource } from "./positions.ts";
import { resolveExprPath, shownPath } from "./paths.ts";
import { autoCallRoutine, selectPath, type ArgumentSlots } from "./select-path.ts";
import { frameScope, cellNames, type GlobalScope } from "./scope.ts";
import { defaultSettings, type Settings } from "./settings.ts";
import { SymbolTable } from "./symbols.ts";
import { Attrs, Thunk, type Env, type Slot, type Value } from "./value.ts";

export interface EvaluatorOptions {
  readonly io: Io;
  readonly settings?: Partial<Settings>;
}

export interface Evaluator {
  readonly settings: Settings;
  readonly derivations: DerivationTable;
  /** Parses and checks a text and gives its value, unevaluated. Throws NixError for syntax errors and undefined variables. */
  expression(source: Source | string, scope?: Readonly<Record<string, Slot>>): Slot;
  /** Parses a source and checks its variables, as --parse does. */
  parse(source: Source): Expr;
  /** The value of a file (or a directory's default.nix), unevaluated, kept until it changes. */
  file(path: string): Slot;
  force(slot: Slot): Value;
  /** Forces everything inside, as --strict does. */
  forceDeep(slot: Slot): Value;
  /** Calls a function with formals (or a functor) with what it asks for of these arguments, as --arg does; else the value itself. */
  autoCall(slot: Slot, args: ArgumentSlots): Value;
  /** Selects an attribute path as -A does, calling functions on the way. */
  select(slot: Slot, path: string, args: ArgumentSlots): Value;
  /** Runs a routine: for callers that print, coerce, compare. */
  run<T>(routine: (context: EvalContext) => Routine<T>): T;
  /** Forgets what depends on changed paths. */
  invalidate(paths: readonly string[]): void;
  /** Reads again every file read so far and forgets what depends on changed ones; returns those. */
  refresh(): string[];
  /** Forgets everything. */
  reset(): void;
}

export function createEvaluator(options: EvaluatorOptions): Evaluator {
  installMachine();
  return new PersistentEvaluator(withInternalFiles(options.io), { ...defaultSettings, ...options.settings });
}

/** The value of a file; what goes wrong in it is said to be of that file, where it goes wrong first. */
function* evaluatedFile(thunk: Thunk, file: string): Routine<Value> {
  const isNew = thunk.value === undefined;
  try {
    return yield thunk;
  } catch (thrown) {
    throw isNew ? addTrace(thrown, `while evaluating the file '${shownPath(file)}':`) : thrown;
  }
}

class PersistentEvaluator implements Evaluator {
  readonly settings: Settings;
  readonly derivations: DerivationTable = new Map();
  private readonly context: EvalContext;
  private readonly globals: GlobalScope;
  private readonly files: FileCache;

  private readonly io: ResumableIo;

  constructor(outside: Io, settings: Settings) {
    this.settings = settings;
    const io = resumableIo(outside);
    this.io = io;
    const warned = new Set<string>();
    const context: { -readonly [K in keyof EvalContext]: EvalContext[K] } = {
      io,
      settings,
      builtins: new Attrs(noKeys, []),
      importFile: (path, scope) => this.importFile(path, scope),
      evaluateText: (text, name, base) => this.evaluateText(text, name, base),
      warn: (message) => {
        if (warned.has(message)) return;
        warned.add(message);
        io.log(`warning: ${message}`);
      },
      requireFeature: (feature, reason) => {
        if (!settings.experimentalFeatures.has(feature)) throw featureError(feature, reason);
      },
      derivations: this.derivations,
      symbols: new SymbolTable(),
      copiedPaths: new Map(),
      shownTrees: new Map(),
    };
    this.context = context;
    const { scope, builtins } = baseScope(context, (text, names) => this.internal(text, names));
    context.builtins = builtins;
    this.globals = scope;
    this.files = new FileCache(context, scope);
  }

  expression(source: Source | string, scope: Readonly<Record<string, Slot>> = {}): Slot {
    const text = typeof source === "string" ? stringSource(source) : source;
    const ast = parseOrThrow(text, this.context);
    const names = Object.keys(scope);
    if (names.length === 0) {
      checkVariables(ast, text, this.globals, this.context.symbols);
      return new Thunk(compile(ast, text, this.globals), []);
    }
    const inner = frameScope(cellNames(names), this.globals);
    checkVariables(ast, text, inner, this.context.symbols);
    return new Thunk(compile(ast, text, inner), [[], ...Object.values(scope)]);
  }

  parse(source: Source): Expr {
    const ast = parseOrThrow(source, this.context);
    checkVariables(ast, source, this.globals, this.context.symbols);
    return ast;
  }

  file(path: string): Slot {
    return this.enter(() => this.files.value(resolveExprPath(this.context.io, path)));
  }

  force(slot: Slot): Value {
    return this.enter(() => force(slot));
  }

  forceDeep(slot: Slot): Value {
    return this.run(function* () {
      yield* forceDeep(slot);
      return yield slot;
    });
  }

  autoCall(slot: Slot, args: ArgumentSlots): Value {
    return this.run(() => autoCallRoutine(slot, args));
  }

  select(slot: Slot, path: string, args: ArgumentSlots): Value {
    return this.run(() => selectPath(slot, path, args));
  }

  run<T>(routine: (context: EvalContext) => Routine<T>): T {
    let result: { value: T } | undefined;
    const context = this.context;
    function* whole(): Routine<Slot> {
      result = { value: yield* routine(context) };
      return null;
    }
    this.enter(() => drive(whole()));
    return result!.value;
  }

  invalidate(paths: readonly string[]): void {
    this.io.forget();
    this.files.invalidate(paths);
    for (const copied of this.context.copiedPaths.keys()) {
      if (paths.some((path) => path === copied || path.startsWith(`${copied}/`)))
        this.context.copiedPaths.delete(copied);
    }
  }

  refresh(): string[] {
    const changed = this.files.changed();
    if (changed.length > 0) this.invalidate(changed);
    return changed;
  }

  reset(): void {
    this.files.clear();
    this.context.copiedPaths.clear();
    this.derivations.clear();
  }

  /** Makes this evaluator the running one while `work` runs. */
  private enter<T>(work: () => T): T {
    const saved = { ...runtime };
    runtime.context = this.context;
    runtime.maxDepth = runtime.depth + this.settings.directDepth;
    runtime.maxCalls = this.settings.maxCallDepth;
    if (saved.context !== this.context) runtime.calls = 0;
    else runtime.maxDepth = saved.maxDepth;
    try {
      return this.withinStack(work);
    } finally {
      Object.assign(runtime, saved);
    }
  }

  /**
   * The budget of frames is a guess; should the JavaScript stack end before it does, the work is done again with a smaller one. What was
   * evaluated stays evaluated, and what was unwound has returned to unevaluated.
   */
  private withinStack<T>(work: () => T): T {
    const { depth, calls } = runtime;
    for (;;) {
      try {
        return work();
      } catch (thrown) {
        if (isAllocationFailure(thrown)) throw new NixError("overflow", "out of memory");
        if (!isStackOverflow(thrown)) throw thrown;
        const budget = (runtime.maxDepth - depth) >> 1;
        if (budget < minDepth) throw new NixError("overflow", "stack overflow (possible infinite recursion)");
        Object.assign(runtime, { depth, calls, maxDepth: depth + budget });
      }
    }
  }

  private *importFile(path: string, scope: Attrs | undefined): Routine<Value> {
    const file = resolveExprPath(this.context.io, path);
    if (scope === undefined) return yield* evaluatedFile(this.files.value(file), file);
    const inner = frameScope(cellNames(scope.keys.names), this.globals);
    const env: Env = [[], ...scope.values];
    return yield new Thunk(this.files.compileIn(file, inner), env);
  }

  private *evaluateText(text: string, name: string, base: string): Routine<Value> {
    const source: Source = { origin: { type: "file", path: name }, text, basePath: base };
    const ast = this.parse(source);
    return yield new Thunk(compile(ast, source, this.globals), []);
  }

  /** Code of the evaluator itself, in a scope of builtins only. */
  private internal(text: string, scope: GlobalScope): Slot {
    const source: Source = { origin: { type: "file", path: internalSource }, text, basePath: "/" };
    return compile(parseOrThrow(source, { ...this.context, settings: defaultSettings }), source, scope).run([]);
  }
}

const featureError = (feature: string, reason: string | undefined): NixError =>
  new NixError(
    "restricted",
    `experimental Nix feature '${feature}' is disabled${reason === undefined ? "" : ` (${reason})`}; add '--extra-experimental-features ${feature}' to enable it`,
    { data: { feature } },
  );

const minDepth = 16;

/** A string, list or table longer than JavaScript can hold. */
const isAllocationFailure = (thrown: unknown): boolean =>
  thrown instanceof RangeError && /invalid (string|array) length|allocation failed|maximum size/i.test(thrown.message);

const isStackOverflow = (thrown: unknown): boolean =>
  thrown instanceof RangeError && /call stack/i.test(thrown.message);
