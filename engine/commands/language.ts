/**
 * The programs of the language, as the evaluator runs them: `nix-instantiate`, `nix eval`, `nix flake …`, and what `nix build` and
 * `nix-build` need to know before they realise anything. Synchronous and pure, argv in, text and an exit code out.
 *
 * Invariant: a run that lacks something throws `NeedsIO`; called again with the same session it goes on, says nothing twice, and keeps
 * what was evaluated.
 */
import { NixError } from "../eval/error.ts";
import { type Evaluator, createEvaluator } from "../eval/evaluator.ts";
import { type InstantiateSession, type InstantiateWorld, instantiate } from "../eval/instantiate.ts";
import { reportError } from "../eval/report.ts";
import { NIX_FLAKE_CHECK } from "./flake-check.ts";
import { FLAKE_SOURCES } from "./flake-sources.ts";
import { NIX_EVAL } from "./nix-eval.ts";
import { NIX_FLAKE } from "./nix-flake.ts";
import { NIX_PROGRAMS } from "./nix-program.ts";
import { NIX_REGISTRY } from "./nix-registry.ts";
import { NIX_SEARCH } from "./nix-search.ts";
import { NIX_INSTALLABLES } from "./installables.ts";
import { type LanguageFlags, type LanguageOptions, parseLanguageOptions } from "./language-options.ts";

/** The world of a run, and where it may write files (`flake.lock`, templates); without that nothing is written. */
export interface LanguageWorld extends InstantiateWorld {
  readonly writeFile?: (path: string, contents: string, executable?: boolean) => void;
  /** Makes Git see a new file of a repository; with a message it is committed. @throws NixError */
  readonly trackFile?: (repository: string, name: string, message: string | undefined) => void;
  /** Makes a working copy of a Git repository. @throws NixError */
  readonly cloneRepository?: (url: string, folder: string, ref: string | undefined, rev: string | undefined) => void;
}

/** What a run keeps while a `NeedsIO` of it is fulfilled. */
export interface LanguageSession extends InstantiateSession {
  /** What was computed under a name, or what `make` gives. */
  remember<T>(key: string, make: () => T): T;
  /** Does something unless it was done. */
  once(key: string, effect: () => void): void;
}

export interface LanguageRun {
  readonly evaluator: Evaluator;
  readonly flags: LanguageOptions;
  readonly session: LanguageSession;
  readonly world: LanguageWorld;
}

/** One record a program or verb. */
export interface LanguageProgram {
  /** The first words of the command line. */
  readonly words: string;
  readonly flags: LanguageFlags;
  run(run: LanguageRun): number;
}

const PROGRAMS: readonly LanguageProgram[] = [
  NIX_EVAL,
  NIX_INSTALLABLES,
  NIX_SEARCH,
  NIX_FLAKE_CHECK,
  ...NIX_PROGRAMS,
  ...FLAKE_SOURCES,
  ...NIX_FLAKE,
  ...NIX_REGISTRY,
];

export function newLanguageSession(): LanguageSession {
  const known = new Map<string, unknown>();
  return {
    slots: new Map(),
    printed: 0,
    derivations: 0,
    warned: false,
    remember<T>(key: string, make: () => T): T {
      if (!known.has(key)) known.set(key, make());
      return known.get(key) as T;
    },
    once(key, effect) {
      if (known.has(key)) return;
      known.set(key, true);
      effect();
    },
  };
}

/** Runs a program by its command line. Throws NeedsIO; call again with the same session to go on. */
export function runLanguage(
  argv: readonly string[],
  world: LanguageWorld,
  session: LanguageSession = newLanguageSession(),
): number {
  const program = PROGRAMS.find(({ words }) => words.split(" ").every((word, index) => word === argv[index]));
  if (program === undefined) return instantiate(argv.slice(1), named(world, argv[0]), session);
  let showTrace = false;
  try {
    const rest = argv.slice(program.words.split(" ").length);
    const flags = session.remember("flags", () => parseLanguageOptions(rest, program.flags, world));
    showTrace = flags.settings.showTrace;
    session.evaluator ??= createEvaluator({ io: world.io, settings: flags.settings });
    return program.run({ evaluator: session.evaluator, flags, session, world });
  } catch (thrown) {
    if (!(thrown instanceof NixError)) throw thrown;
    world.error(reportError(thrown, { showTrace }));
    if (thrown.data["usage"] === true) world.error("Try 'nix --help' for more information.\n");
    return thrown.status;
  }
}

const named = (world: LanguageWorld, program: string | undefined): LanguageWorld =>
  program === "nix-build" ? { ...world, program } : world;
