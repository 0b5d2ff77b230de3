/**
 * The files an evaluator has read: parsed once a content, evaluated once until something they depend on changes.
 *
 * A file's value is closed: what it can depend on is its own text, the paths written in it and what those files depend on in turn. So
 * a changed file makes stale every file with a path literal that is the changed file, or a directory above it, and what leads there.
 */
import type { Expr, Source } from "#engine/syntax/ast.ts";
import { fileSource } from "#engine/syntax/source.ts";
import { parse } from "#engine/syntax/parser.ts";
import { checkVariables } from "./check-variables.ts";
import type { Code } from "./code.ts";
import { compile } from "./compile.ts";
import type { EvalContext } from "./context.ts";
import { NixError } from "./error.ts";
import type { Io } from "./io.ts";
import { literalPaths } from "./literal-paths.ts";
import { reportWarning } from "./report.ts";
import type { Scope } from "./scope.ts";
import { Thunk } from "./value.ts";

/** A text that was parsed and checked. */
export interface Parsed {
  readonly source: Source;
  readonly ast: Expr;
}

interface FileEntry {
  readonly parsed: Parsed;
  readonly literals: readonly string[];
  value: Thunk | undefined;
}

type ParseContext = Pick<EvalContext, "settings" | "io" | "symbols" | "shownTrees">;

/** Parses a source or throws the first syntax error as Nix words it; warnings go to the log. */
export function parseOrThrow(source: Source, { settings, io, symbols }: ParseContext): Expr {
  const { ast, diagnostics, warnings } = parse(source, {
    home: io.getEnv("HOME") ?? "/homeless-shelter",
    pure: settings.pureEval,
    pipeOperators: settings.experimentalFeatures.has("pipe-operators"),
    lintUrlLiterals: settings.lintUrlLiterals,
    lintShortPathLiterals: settings.lintShortPathLiterals,
    lintAbsolutePathLiterals: settings.lintAbsolutePathLiterals,
  });
  for (const { message, start, positioned } of warnings) {
    io.log(reportWarning(message, positioned === false ? undefined : { source, offset: start }));
  }
  const [first] = diagnostics;
  if (first === undefined) {
    symbols.internAll(ast);
    return ast;
  }
  throw new NixError("syntax", first.message, {
    pos: first.positioned === false ? undefined : { source, offset: first.start },
    data: { diagnostics: diagnostics.map(({ code, message, start, end }) => ({ code, message, start, end })) },
  });
}

export class FileCache {
  private readonly entries = new Map<string, FileEntry>();
  private readonly context: ParseContext;
  private readonly io: Io;
  private readonly scope: Scope;

  constructor(context: ParseContext, scope: Scope) {
    this.context = context;
    this.io = context.io;
    this.scope = scope;
  }

  /** The thunk of a file's value. `path` is a file's, links resolved. */
  value(path: string): Thunk {
    const entry = this.entry(path);
    entry.value ??= new Thunk(this.compile(entry.parsed, this.scope), []);
    return entry.value;
  }

  /** The file, parsed and checked in another scope than the builtins alone. */
  compileIn(path: string, scope: Scope): Code {
    const source = this.source(path);
    const ast = parseOrThrow(source, this.context);
    checkVariables(ast, source, scope, this.context.symbols);
    return this.compile({ source, ast }, scope);
  }

  private compile(parsed: Parsed, scope: Scope): Code {
    return compile(parsed.ast, parsed.source, scope);
  }

  private source(path: string): Source {
    const { shownTrees } = this.context;
    const text = this.io.readFile(path);
    for (const [tree, folder] of shownTrees) {
      if (path.startsWith(`${tree}/`)) return fileSource(path, text, `${folder}${path.slice(tree.length)}`);
    }
    return fileSource(path, text);
  }

  private entry(path: string): FileEntry {
    const known = this.entries.get(path);
    if (known !== undefined) return known;
    const source = this.source(path);
    const ast = parseOrThrow(source, this.context);
    checkVariables(ast, source, this.scope, this.context.symbols);
    const entry: FileEntry = { parsed: { source, ast }, literals: literalPaths(ast), value: undefined };
    this.entries.set(path, entry);
    return entry;
  }

  /** Files whose text is no longer what was read. */
  changed(): string[] {
    return [...this.entries]
      .filter(([path, entry]) => this.textNow(path) !== entry.parsed.source.text)
      .map(([path]) => path);
  }

  private textNow(path: string): string | undefined {
    return this.io.lstat(path) === undefined ? undefined : this.io.readFile(path);
  }

  /** Forgets what depends on these paths; files with the same text keep their tree. */
  invalidate(paths: readonly string[]): void {
    const stale = new Set(paths);
    for (const path of paths) this.entries.delete(path);
    for (let grown = true; grown;) {
      grown = false;
      for (const [path, entry] of this.entries) {
        if (stale.has(path) || !entry.literals.some((literal) => reaches(literal, stale))) continue;
        stale.add(path);
        entry.value = undefined;
        grown = true;
      }
    }
  }

  clear(): void {
    this.entries.clear();
  }

  /** How many files are held. */
  get size(): number {
    return this.entries.size;
  }
}

/** Does a literal name one of the paths or a directory above it (or the path without an extension of it)? */
function reaches(literal: string, paths: ReadonlySet<string>): boolean {
  for (const path of paths) if (path === literal || literal === "/" || path.startsWith(`${literal}/`)) return true;
  return false;
}
