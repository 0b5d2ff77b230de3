/** Plain sentences and safe repairs beside Nix's own messages. One record a kind of mistake; the first that matches speaks. */
import type { Problem } from "#workers/api.ts";
import type { DiagnosticFix, TextEdit } from "../model.ts";

interface Explanation {
  matches: RegExp;
  says(match: RegExpExecArray, problem: Problem): string;
  fixes?(match: RegExpExecArray, problem: Problem, text: string): DiagnosticFix[];
}

const EXPLANATIONS: readonly Explanation[] = [
  {
    matches: /^syntax error, unexpected (.+?), expecting ';'/,
    says: () => "The definition before this place does not end: a semicolon is missing.",
    fixes: (_, problem, text) => [insertBefore("Insert the missing ;", problem, text, ";")],
  },
  {
    matches: /^syntax error, unexpected end of file/,
    says: () => "The file ends too early: a bracket, a quote or a semicolon is still open.",
  },
  {
    matches: /^syntax error, unexpected (.+?)(?:, expecting (.+))?$/,
    says: ([, found]) => `Nix did not expect ${found} here. Look at what stands just before it.`,
  },
  {
    matches: /^undefined variable '(.+)'$/,
    says: ([, name], { suggestions }) =>
      suggestions.length > 0
        ? `Nothing called ${name} is in scope. Did you mean ${suggestions.join(" or ")}?`
        : `Nothing called ${name} is in scope: it is no argument of this file, no \`let\`, and no \`with\` brings it.`,
    fixes: ([, name], problem) =>
      problem.suggestions.map((suggestion) => replaceWord(`Change to ${suggestion}`, problem, name, suggestion)),
  },
  {
    matches: /^The option `(.+)' does not exist/,
    says: ([, name], { suggestions }) =>
      suggestions.length > 0
        ? `No module declares ${name}. Did you mean ${suggestions[0]}?`
        : `No module declares an option of this name. Its spelling may be off.`,
  },
  {
    matches: /^A definition for option `(.+)' is not of type `(.+)'/,
    says: ([, name, type]) => `${name} takes a ${type}; what is written here is something else.`,
  },
  {
    matches: /^The option `(.+)' has conflicting definition values/,
    says: ([, name]) =>
      `${name} is defined twice with different values. Remove one, or wrap the one that should win in lib.mkForce.`,
  },
  {
    matches: /^infinite recursion encountered/,
    says: () => "To know this value, Nix needs this very value. Follow the trace to see where it comes back to itself.",
  },
  {
    matches: /^cannot coerce (.+?) to a string/,
    says: ([, what]) => `A string is needed here, and ${what} is none. toString turns numbers and paths into strings.`,
  },
  {
    matches: /^attribute '(.+)' missing/,
    says: ([, name], { suggestions }) =>
      suggestions.length > 0
        ? `This set has no ${name}. Did you mean ${suggestions[0]}?`
        : `This set has no attribute called ${name}.`,
    fixes: ([, name], problem) =>
      problem.suggestions.map((suggestion) => replaceWord(`Change to ${suggestion}`, problem, name, suggestion)),
  },
];

/** What to say about a problem beyond Nix's message, and what could repair it. */
export function explain(problem: Problem, text: string): { explanation: string | null; fixes: DiagnosticFix[] } {
  for (const record of EXPLANATIONS) {
    const match = record.matches.exec(problem.message);
    if (match) return { explanation: record.says(match, problem), fixes: record.fixes?.(match, problem, text) ?? [] };
  }
  return { explanation: null, fixes: [] };
}

const edit = (path: string, line: number, column: number, length: number, text: string): TextEdit => ({
  path,
  range: { start: { line, column }, end: { line, column: column + length } },
  text,
});

/** Puts a sign right after the last text before the problem's place. */
function insertBefore(title: string, problem: Problem, text: string, sign: string): DiagnosticFix {
  const at = problem.at ?? { path: "", line: 1, column: 1 };
  const lines = text.split("\n");
  const before = [...lines.slice(0, at.line - 1), (lines[at.line - 1] ?? "").slice(0, at.column - 1)];
  let line = before.length;
  while (line > 1 && withoutComment(before[line - 1]).trim() === "") line--;
  const column = withoutComment(before[line - 1]).trimEnd().length + 1;
  return { title, edits: [edit(at.path, line, column, 0, sign)] };
}

const withoutComment = (line: string): string => line.replace(/(^|\s)#.*$/, "$1");

function replaceWord(title: string, problem: Problem, word: string, replacement: string): DiagnosticFix {
  const at = problem.at ?? { path: "", line: 1, column: 1 };
  return { title, edits: [edit(at.path, at.line, at.column, word.length, replacement)] };
}
