/**
 * `nix-instantiate` over an evaluator: what to evaluate and how to print it. Pure: argv in, text and an exit code out.
 */
import { toJson } from "#engine/builtins/json.ts";
import type { Routine } from "#engine/builtins/record.ts";
import { splitNixPath } from "#engine/builtins/search-path.ts";
import { NIX_VERSION } from "#engine/builtins/time.ts";
import { XmlPrinter } from "#engine/builtins/xml.ts";
import { printExpr } from "#engine/syntax/print.ts";
import { fileSource, stdinSource, stringSource, type Source } from "#engine/syntax/source.ts";
import { canonPath } from "./canon-path.ts";
import { coerceToString } from "./coerce.ts";
import { NixError, addTrace } from "./error.ts";
import { createEvaluator, type Evaluator } from "./evaluator.ts";
import { peek } from "./force.ts";
import { findDerivations } from "./find-derivations.ts";
import type { Io } from "./io.ts";
import { resolveExprPath, shownPath } from "./paths.ts";
import { attributePos } from "./positions.ts";
import { printAmbiguous, printName } from "./print.ts";
import { reportError } from "./report.ts";
import type { ArgumentSlots } from "./select-path.ts";
import { applySetting, applySettingFlag, parseConfig, settingArity } from "./setting-text.ts";
import { defaultSettings, type Settings } from "./settings.ts";
import { Attrs, isList, textOf, type Slot, type Value } from "./value.ts";

export interface InstantiateArguments {
  readonly mode: "instantiate" | "eval" | "parse" | "find-file" | "version" | "help";
  readonly format: "plain" | "json" | "xml" | "raw";
  readonly strict: boolean;
  readonly location: boolean;
  readonly expressions: boolean;
  readonly stdin: boolean;
  readonly files: readonly string[];
  readonly attributes: readonly string[];
  readonly args: readonly { readonly name: string; readonly text: string; readonly isString: boolean }[];
  readonly settings: Settings;
  readonly roots: readonly string[];
}

/** The world of a run: where relative files are, what variables are set, where output goes. */
export interface InstantiateWorld {
  /** The name that messages give: `nix-build` instantiates too, and says nothing of roots, for its links are some. */
  readonly program?: "nix-instantiate" | "nix-build";
  readonly io: Io;
  readonly cwd: string;
  readonly env: (name: string) => string | undefined;
  readonly stdin: () => string;
  /** Settings the host imposes (`system`, `directDepth`, …) below those of NIX_CONFIG and the command line. */
  readonly settings?: Partial<Settings>;
  readonly print: (text: string) => void;
  readonly error: (text: string) => void;
  /** Makes a link that keeps a store path, once the run is over; without it the paths themselves are printed. */
  readonly addRoot?: (link: string, target: string) => void;
}

const usage = (message: string): NixError => new NixError("usage", message, { data: { usage: true } });

/** Reads the command line; throws NixError of kind usage. */
export function parseInstantiateArguments(argv: readonly string[], world: InstantiateWorld): InstantiateArguments {
  const warn = (message: string): void => world.error(`warning: ${message}\n`);
  let settings: Settings = { ...defaultSettings, ...world.settings };
  if (/^(1|yes|true)$/.test(world.env("NIX_ABORT_ON_WARN") ?? "")) settings = { ...settings, abortOnWarn: true };
  for (const [name, value] of parseConfig(world.env("NIX_CONFIG") ?? ""))
    settings = applySetting(settings, name, value, warn);
  const includes: string[] = [];
  const result = {
    mode: "instantiate" as InstantiateArguments["mode"],
    format: "plain" as InstantiateArguments["format"],
    strict: false,
    location: true,
    expressions: false,
    stdin: false,
    files: [] as string[],
    attributes: [] as string[],
    args: [] as { name: string; text: string; isString: boolean }[],
    roots: [] as string[],
  };
  let readWrite = false;
  const rest = argv.flatMap(separateFlags);
  const take = (flag: string, count: number): string[] => {
    if (rest.length < count)
      throw usage(`flag '${flag}' requires ${count} argument(s), but only ${rest.length} were given`);
    return rest.splice(0, count);
  };
  while (rest.length > 0) {
    const flag = rest.shift()!;
    switch (flag) {
      case "--eval":
      case "--eval-only":
        result.mode = "eval";
        break;
      case "--parse":
      case "--parse-only":
        result.mode = "parse";
        break;
      case "--find-file":
        result.mode = "find-file";
        break;
      case "--version":
        result.mode = "version";
        break;
      case "--help":
        result.mode = "help";
        break;
      case "--strict":
        result.strict = true;
        break;
      case "--json":
      case "--xml":
      case "--raw":
        result.format = flag.slice(2) as InstantiateArguments["format"];
        break;
      case "--no-location":
        result.location = false;
        break;
      case "-E":
      case "--expr":
        result.expressions = true;
        break;
      case "-":
        result.stdin = true;
        break;
      case "-A":
      case "--attr":
        result.attributes.push(...take(flag, 1));
        break;
      case "--arg":
      case "--argstr": {
        const [name, text] = take(flag, 2) as [string, string];
        result.args.push({ name, text, isString: flag === "--argstr" });
        break;
      }
      case "-I":
      case "--include":
        includes.push(...take(flag, 1));
        break;
      case "--add-root":
        result.roots.push(...take(flag, 1));
        break;
      case "--read-write-mode":
        readWrite = true;
        break;
      case "--indirect":
      case "--dry-run":
      case "-v":
      case "--verbose":
      case "--quiet":
        break;
      case "--option": {
        const [name, value] = take(flag, 2) as [string, string];
        settings = applySetting(settings, name, value, warn);
        break;
      }
      case "--log-format":
        take(flag, 1);
        break;
      default: {
        const changed = settingFlag(flag, settings, take, warn);
        if (changed !== undefined) settings = changed;
        else if (!flag.startsWith("-")) result.files.push(flag);
        else throw usage(`unrecognised flag '${flag}'`);
      }
    }
  }
  const nixPath = [
    ...includes,
    ...(settings.nixPath.length > 0 ? settings.nixPath : splitNixPath(world.env("NIX_PATH") ?? "")),
  ];
  const readOnly = result.mode === "eval" && !readWrite;
  const storeDir = world.env("NIX_STORE_DIR") ?? settings.storeDir;
  return { ...result, settings: { ...settings, nixPath, readOnly, storeDir, directory: world.cwd } };
}

/** Short flags may be written as one word, the last with a number: `-vj3`. */
function separateFlags(word: string): string[] {
  if (!/^-[a-zA-Z]./s.test(word)) return [word];
  const [, letters, tail] = /^-([a-zA-Z]+)([^]*)$/.exec(word)!;
  return [...[...letters!].map((letter) => `-${letter}`), ...(tail === "" ? [] : [tail!])];
}

/** Settings are flags too: `--show-trace`, `--no-pure-eval`, `--max-call-depth 100`. Undefined for a flag that is none. */
export function settingFlag(
  flag: string,
  settings: Settings,
  take: (flag: string, count: number) => string[],
  warn: (message: string) => void,
): Settings | undefined {
  if (flag === "--impure") return applySetting(settings, "pure-eval", "false", warn);
  if (!flag.startsWith("--")) return undefined;
  const name = flag.slice(2);
  const arity = settingArity(name);
  if (arity === 1) return applySettingFlag(settings, name, take(flag, 1)[0]!, warn);
  if (arity === 0) return applySettingFlag(settings, name, "true", warn);
  const off = name.replace(/^no-/, "");
  return off !== name && settingArity(off) === 0 ? applySettingFlag(settings, off, "false", warn) : undefined;
}

/** What a run keeps while a `NeedsIO` of it is fulfilled, so that it goes on instead of beginning again. */
export interface InstantiateSession {
  evaluator?: Evaluator;
  /** Values of the texts given, by their place. */
  readonly slots: Map<string, Slot>;
  /** Lines of output that are written already. */
  printed: number;
  /** Derivations of this attempt so far. */
  derivations: number;
  /** Has it been said that the results are not kept? */
  warned: boolean;
}

export const newSession = (): InstantiateSession => ({ slots: new Map(), printed: 0, derivations: 0, warned: false });

/** Runs `nix-instantiate`. Throws NeedsIO when the `Io` does; call again with the same session to go on. */
export function instantiate(
  argv: readonly string[],
  world: InstantiateWorld,
  session: InstantiateSession = newSession(),
): number {
  let showTrace = false;
  try {
    const settingsWorld = session.evaluator === undefined ? world : { ...world, error: () => undefined };
    const options = parseInstantiateArguments(argv, settingsWorld);
    showTrace = options.settings.showTrace;
    session.evaluator ??= createEvaluator({ io: world.io, settings: options.settings });
    return run(options, session.evaluator, session, printingOnce(world, session));
  } catch (thrown) {
    if (!(thrown instanceof NixError)) throw thrown;
    world.error(reportError(thrown, { showTrace }));
    if (thrown.data["usage"] === true) world.error(`Try '${programName(world)} --help' for more information.\n`);
    return thrown.status;
  }
}

const programName = ({ program }: InstantiateWorld): string => program ?? "nix-instantiate";

/** The same world, with what an earlier attempt has printed left out. */
function printingOnce(world: InstantiateWorld, session: InstantiateSession): InstantiateWorld {
  let count = 0;
  const print = (text: string): void => {
    if (++count <= session.printed) return;
    session.printed = count;
    world.print(text);
  };
  return { ...world, print };
}

function run(
  options: InstantiateArguments,
  evaluator: Evaluator,
  session: InstantiateSession,
  world: InstantiateWorld,
): number {
  switch (options.mode) {
    case "version":
      world.print(`${programName(world)} (Nix) ${NIX_VERSION}\n`);
      return 0;
    case "help":
      world.print(
        "Usage: nix-instantiate [--eval|--parse|--find-file] [--strict] [--json|--xml|--raw] [-A ATTR] [-E EXPR | FILES | -]\n",
      );
      return 0;
    case "find-file":
      for (const file of options.files) world.print(`${findFile(evaluator, file)}\n`);
      return 0;
    default:
  }
  const args = commandLineArguments(evaluator, options, session, world);
  session.derivations = 0;
  sources(options, world).forEach((source, place) => {
    if (options.mode === "parse") {
      world.print(`${printExpr(evaluator.parse(source()))}\n`);
      return;
    }
    const slot = remembered(session, `source ${place}`, () => valueOf(evaluator, source()));
    process(evaluator, options, args, slot, world, session);
  });
  return 0;
}

function findFile(evaluator: Evaluator, name: string): string {
  try {
    const value = evaluator.force(evaluator.expression("__findFile __nixPath name", { name }));
    const { path } = value as { readonly path: string };
    if (shownPath(path) !== path) throw new NixError("eval", `'${shownPath(path)}' has no physical path`);
    return path;
  } catch (thrown) {
    if (thrown instanceof NixError) thrown.trace.length = 0;
    throw thrown;
  }
}

/** A text to work on, read when its turn comes. */
type LazySource = () => Source;

function sources(options: InstantiateArguments, world: InstantiateWorld): LazySource[] {
  if (options.stdin) return [() => stdinSource(world.stdin(), world.cwd)];
  if (options.expressions) return options.files.map((text) => () => stringSource(text, world.cwd));
  const files = options.files.length === 0 ? ["./default.nix"] : options.files;
  return files.map((file) => () => {
    const path = resolveExprPath(world.io, absoluteFile(file, options, world));
    return fileSource(path, world.io.readFile(path));
  });
}

function absoluteFile(file: string, options: InstantiateArguments, world: InstantiateWorld): string {
  if (!/^<.*>$/.test(file)) return canonPath(file.startsWith("/") ? file : `${world.cwd}/${file}`);
  return findFile(createEvaluator({ io: world.io, settings: options.settings }), file.slice(1, -1));
}

function remembered(session: InstantiateSession, key: string, make: () => Slot): Slot {
  const known = session.slots.get(key);
  if (known !== undefined) return known;
  const slot = make();
  session.slots.set(key, slot);
  return slot;
}

const valueOf = (evaluator: Evaluator, source: Source): Slot =>
  source.origin.type === "file" ? evaluator.file(source.origin.path) : evaluator.expression(source);

function commandLineArguments(
  evaluator: Evaluator,
  options: InstantiateArguments,
  session: InstantiateSession,
  world: InstantiateWorld,
): ArgumentSlots {
  const slots = new Map<string, Slot>();
  for (const { name, text, isString } of options.args) {
    const make = (): Slot => (isString ? text : evaluator.expression(stringSource(text, world.cwd)));
    slots.set(name, remembered(session, `argument ${name}`, make));
  }
  return slots;
}

function process(
  evaluator: Evaluator,
  options: InstantiateArguments,
  args: ArgumentSlots,
  whole: Slot,
  world: InstantiateWorld,
  session: InstantiateSession,
): void {
  for (const attribute of options.attributes.length === 0 ? [""] : options.attributes) {
    const selected = evaluator.select(whole, attribute, args);
    if (options.mode === "eval") {
      world.print(
        printResult(evaluator, options, args.size === 0 ? selected : evaluator.autoCall(selected, args), world),
      );
    } else printDerivations(evaluator, options, selected, args, world, session);
  }
}

function printResult(
  evaluator: Evaluator,
  options: InstantiateArguments,
  value: Value,
  world: InstantiateWorld,
): string {
  switch (options.format) {
    case "raw":
      return evaluator.run(() => rawText(value));
    case "json":
      return evaluator.run(() => jsonText(value, options.strict));
    case "xml":
      return xmlText(evaluator, value, options, world);
    case "plain":
      if (options.strict) evaluator.forceDeep(value);
      return `${printAmbiguous(value)}\n`;
  }
}

function* rawText(value: Value): Routine<string> {
  return textOf(yield* coerceToString(value, { copy: true, context: "while generating the nix-instantiate output" }));
}

function* jsonText(value: Value, strict: boolean): Routine<string> {
  if (!strict) refuseThunks(value, undefined);
  return `${textOf(yield* toJson(value, true))}\n`;
}

/** An error leaves what was printed before it. */
function xmlText(
  evaluator: Evaluator,
  value: Value,
  { strict, location }: InstantiateArguments,
  world: InstantiateWorld,
): string {
  const printer = new XmlPrinter({ strict, location });
  try {
    return textOf(evaluator.run(() => printer.print(value)));
  } catch (thrown) {
    if (thrown instanceof NixError) world.print(printer.unfinished());
    throw thrown;
  }
}

/** Without --strict, JSON output is of what is evaluated already. */
function refuseThunks(slot: Slot, pos: ReturnType<typeof attributePos>): void {
  const value = peek(slot);
  if (value === undefined) throw new NixError("type", `cannot convert a thunk to JSON`, { pos });
  if (value instanceof Attrs) {
    value.keys.names.forEach((name, i) => {
      const where = attributePos(value.positions, value.keys, name);
      try {
        refuseThunks(value.values[i]!, where);
      } catch (thrown) {
        throw addTrace(thrown, `while evaluating attribute '${printName(name)}'`, where);
      }
    });
  } else if (isList(value)) {
    value.forEach((element, i) => {
      try {
        refuseThunks(element, undefined);
      } catch (thrown) {
        throw addTrace(thrown, `while evaluating list element at index ${i}`);
      }
    });
  }
}

function printDerivations(
  evaluator: Evaluator,
  options: InstantiateArguments,
  value: Value,
  args: ArgumentSlots,
  world: InstantiateWorld,
  session: InstantiateSession,
): void {
  const root = world.addRoot === undefined ? undefined : options.roots.at(-1);
  for (const { drvPath, outputName } of evaluator.run(() => findDerivations(value, args))) {
    const output = outputName === "out" ? "" : `!${outputName}`;
    session.derivations++;
    if (root === undefined) {
      warnOfRoots(options, world, session);
      world.print(`${drvPath}${output}\n`);
      continue;
    }
    const number = session.derivations === 1 ? "" : `-${session.derivations}`;
    const link = canonPath(`${root.startsWith("/") ? root : `${world.cwd}/${root}`}${number}`);
    world.addRoot?.(link, drvPath);
    world.print(`${link}${output}\n`);
  }
}

function warnOfRoots(options: InstantiateArguments, world: InstantiateWorld, session: InstantiateSession): void {
  if (session.warned || options.roots.length > 0 || world.program === "nix-build") return;
  session.warned = true;
  world.error("warning: you did not specify '--add-root'; the result might be removed by the garbage collector\n");
}
