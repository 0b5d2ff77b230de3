/** Errors of evaluation as plain data for the page: in the one place where exceptions become data. */
import { NixError } from "#engine/eval/error.ts";
import type { Pos } from "#engine/eval/positions.ts";
import { explain } from "#engine/ide/explain.ts";
import { decodeUtf8 } from "#engine/store/format/bytes.ts";
import type { Diagnostic } from "#engine/syntax/diagnostic.ts";
import { type Source, lineText, positionAt } from "#engine/syntax/source.ts";
import type { Place, Problem, ProblemFrame } from "../api.ts";
import { CONFIGURATION } from "./files.ts";

const OWN = `${CONFIGURATION}/`;

/** A byte offset as an editor's place. Columns count UTF-16 units, while the source counts bytes. */
export function placeOf(source: Source, offset: number): Place {
  const { line, column } = positionAt(source, offset);
  const before = (lineText(source, line) ?? "").slice(0, column - 1);
  const path = source.origin.type === "file" ? source.origin.path : "";
  const name = path.startsWith(OWN) ? path.slice(OWN.length) : path;
  return { path: decodeUtf8(name), line, column: decodeUtf8(before).length + 1 };
}

const placeOfPos = (pos: Pos | undefined): Place | null => (pos === undefined ? null : placeOf(pos.source, pos.offset));

const isOwn = (pos: Pos | undefined): boolean =>
  pos !== undefined && pos.source.origin.type === "file" && pos.source.origin.path.startsWith(OWN);

/**
 * A thrown thing as a problem. Its place is the error's own when that is in the user's files, else the innermost frame there: what a
 * module of the channel complains about is shown where the user wrote it.
 */
export function problemOf(thrown: unknown, print: (error: NixError) => string): Problem {
  if (!(thrown instanceof NixError)) throw thrown;
  const frames: ProblemFrame[] = thrown.trace.map(({ message, pos }) => ({
    message: decodeUtf8(message),
    at: placeOfPos(pos),
  }));
  const own = [thrown.pos, ...thrown.trace.map(({ pos }) => pos)].find(isOwn);
  return {
    kind: thrown.kind,
    message: decodeUtf8(thrown.message),
    at: placeOfPos(own) ?? definedIn(thrown.message),
    end: null,
    frames: [{ message: "", at: placeOfPos(thrown.pos) }, ...frames].filter(
      ({ message, at }) => message !== "" || at !== null,
    ),
    suggestions: thrown.suggestions.map(decodeUtf8),
    explanation: explain(decodeUtf8(thrown.message)),
    fixes: [],
    text: decodeUtf8(print(thrown)),
  };
}

/** Errors about options name the defining file in their text: "… defined in `/etc/nixos/configuration.nix'". */
function definedIn(message: string): Place | null {
  const match = /[`'"]?\/etc\/nixos\/([A-Za-z0-9_.+/-]+\.nix)['"]?(?::(\d+)(?::(\d+))?)?/.exec(message);
  if (match === null) return null;
  return { path: match[1], line: Number(match[2] ?? 1), column: Number(match[3] ?? 1) };
}

/** A parser's diagnostic as a problem. */
export function problemOfDiagnostic(diagnostic: Diagnostic, source: Source): Problem {
  const at = placeOf(source, diagnostic.start);
  const message = decodeUtf8(diagnostic.message);
  return {
    kind: "syntax",
    message,
    at,
    end: diagnostic.end > diagnostic.start ? placeOf(source, diagnostic.end) : null,
    frames: [],
    suggestions: [],
    explanation: explain(message),
    fixes: [],
    text: `error: ${message}\n       at /etc/nixos/${at.path}:${at.line}:${at.column}:`,
  };
}
