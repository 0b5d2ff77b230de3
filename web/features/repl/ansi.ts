/** Text with a terminal's colours, cut into pieces of one look. Only what the repl prints is known: one colour, bold, and their end. */
export interface Piece {
  readonly text: string;
  /** A terminal's colour code ("36"), or null for plain text. */
  readonly color: string | null;
}

/** The pieces of a text, empty ones left out. */
export function ansiPieces(text: string): Piece[] {
  const pieces: Piece[] = [];
  let color: string | null = null;
  let at = 0;
  // oxlint-disable-next-line no-control-regex -- escape sequences begin with a control character
  for (const match of text.matchAll(/\u001b\[([0-9;]*)m/g)) {
    if (match.index > at) pieces.push({ text: text.slice(at, match.index), color });
    color = /(?:^|;)(3[1-6])(?:;|$)/.exec(match[1])?.[1] ?? null;
    at = match.index + match[0].length;
  }
  if (at < text.length) pieces.push({ text: text.slice(at), color });
  return pieces;
}
