/** Path and URL literals: where they lead, and what Nix's lint settings say about them. */
import type { Path, Source, Str } from "./ast.ts";
import type { Diagnostic, Warning } from "./diagnostic.ts";
import type { LintLevel, ParseOptions } from "./options.ts";

/** What a literal needs of the parser. */
export interface LiteralContext {
  readonly source: Source;
  readonly options: ParseOptions;
  readonly start: number;
  readonly end: number;
  report(diagnostic: Diagnostic): void;
  warn(warning: Warning): void;
}

export function uriNode(context: LiteralContext, text: string): Str {
  const advice = `Consider using a string literal "${text}" instead (lint-url-literals)`;
  const level = context.options.lintUrlLiterals;
  lint(context, level, `URL literals are ${level === "fatal" ? "disallowed" : "discouraged"}. ${advice}`);
  return { kind: "string", start: context.start, end: context.end, text };
}

/** `./a`, `a/b`, `/a`; a slash at the end (an interpolation follows) is kept. */
export function pathNode(context: LiteralContext, text: string): Path {
  const { options, source, start, end } = context;
  if (text.startsWith("/")) {
    lint(context, options.lintAbsolutePathLiterals, notPortable("absolute", text));
  } else if (!text.startsWith(".")) {
    const advice = `should be prefixed with '.' for clarity: './${text}' (lint-short-path-literals)`;
    lint(context, options.lintShortPathLiterals, `relative path literal '${text}' ${advice}`);
  }
  const value = canonicalPath(text.startsWith("/") ? text : `${source.basePath}/${text}`);
  return { kind: "path", start, end, value: text.length > 1 && text.endsWith("/") ? `${value}/` : value };
}

/** `~/a`: Nix appends to the home directory without making the result canonical. */
export function homePathNode(context: LiteralContext, text: string): Path {
  const { options, start, end } = context;
  if (options.pure) {
    const message = `the path '${text}' can not be resolved in pure mode`;
    context.report({ code: "impure-path", message, start, end, positioned: false });
  }
  lint(context, options.lintAbsolutePathLiterals, notPortable("home", text));
  return { kind: "path", start, end, value: options.home + text.slice(1) };
}

function notPortable(kind: string, text: string): string {
  const advice = `Consider replacing path literal '${text}' by a string, relative path, or parameter`;
  return `${kind} path literals are not portable. ${advice} (lint-absolute-path-literals)`;
}

function lint(context: LiteralContext, level: LintLevel, message: string): void {
  const { start, end } = context;
  if (level === "warn") context.warn({ code: "lint", message, start, end });
  else if (level === "fatal") context.report({ code: "lint", message, start, end });
}

/** An absolute path without `.`, `..`, doubled or trailing slashes. */
export function canonicalPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}
