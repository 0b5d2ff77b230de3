/**
 * Errors as plain data, for what lies behind a worker: the one place where a `NixError` becomes data.
 */
import { decodeUtf8 } from "#engine/store/format/bytes.ts";
import { originName, positionAt } from "#engine/syntax/source.ts";
import type { ErrorKind, NixError } from "./error.ts";
import type { Pos } from "./positions.ts";
import { reportError } from "./report.ts";
import { suggestionLine } from "./suggest.ts";

/** A position; text is ordinary (decoded) text, line and column count from 1, `offset` and `column` in bytes. */
export interface PositionData {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly offset: number;
}

export interface FrameData {
  readonly message: string;
  readonly position: PositionData | null;
}

export interface ErrorData {
  readonly kind: ErrorKind;
  readonly message: string;
  readonly position: PositionData | null;
  /** "Did you mean …?", or null. */
  readonly hint: string | null;
  /** Innermost first, calls included. */
  readonly frames: readonly FrameData[];
  /** The innermost place in one of the user's own files, where an editor underlines; null when there is none. */
  readonly own: PositionData | null;
  /** What C++ Nix prints, without and with --show-trace. */
  readonly report: string;
  readonly fullReport: string;
  /** Diagnostics of a syntax error, missing names and the like. */
  readonly data: Readonly<Record<string, unknown>>;
}

/** More frames than this say nothing more to anybody; what is left out is in the middle. */
const maxFrames = 200;

/** `isOwn` says whether a file (as a byte string path) is the user's. */
export function errorToData(error: NixError, isOwn: (file: string) => boolean = () => true): ErrorData {
  const places = [error.pos, ...error.trace.map((frame) => frame.pos)].filter((pos) => pos !== undefined);
  const own = places.find((pos) => isOwn(originName(pos.source.origin)));
  const kept =
    error.trace.length <= maxFrames
      ? error.trace
      : [...error.trace.slice(0, maxFrames / 2), ...error.trace.slice(-maxFrames / 2)];
  const hint = suggestionLine(error.suggestions);
  return {
    kind: error.kind,
    message: decodeUtf8(error.message),
    position: error.pos === undefined ? null : positionData(error.pos),
    hint: hint === undefined ? null : decodeUtf8(hint),
    frames: kept.map(({ message, pos }) => ({
      message: decodeUtf8(message),
      position: pos === undefined ? null : positionData(pos),
    })),
    own: own === undefined ? null : positionData(own),
    report: decodeUtf8(reportError(error)),
    fullReport: decodeUtf8(reportError(error, { showTrace: true })),
    data: error.data,
  };
}

function positionData(pos: Pos): PositionData {
  const { line, column } = positionAt(pos.source, pos.offset);
  return { file: decodeUtf8(originName(pos.source.origin)), line, column, offset: pos.offset };
}
