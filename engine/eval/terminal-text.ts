/**
 * Messages as C++ Nix writes them where no terminal is: without colours and other escape sequences, with tabs as spaces up to the next
 * multiple of eight columns, counted from the begin of the whole message, line ends having no width.
 */
import { decodeCodePoint } from "#engine/store/format/bytes.ts";

const ESC = "\u001b";
const BEL = "\u0007";
/** ESC [ … final, ESC ] … BEL or ESC \, ESC and a letter, ESC alone. */
const ESCAPE_SEQUENCES = new RegExp(
  `${ESC}\\[[0-?]*[ -/]*[@-~]?|${ESC}\\][^${BEL}${ESC}]*(?:${BEL}|${ESC}\\\\)?|${ESC}[@-_]?|[\\r${BEL}]`,
  "g",
);

/** A byte string as it is logged. */
export function terminalText(text: string): string {
  const isPlain = !text.includes(ESC) && !text.includes("\r") && !text.includes(BEL);
  const plain = isPlain ? text : text.replace(ESCAPE_SEQUENCES, "");
  return plain.includes("\t") ? expandTabs(plain) : plain;
}

function expandTabs(text: string): string {
  let out = "";
  let column = 0;
  for (let at = 0; at < text.length;) {
    const [point, length] = decodeCodePoint(text, at);
    const spaces = point === 9 ? 8 - (column % 8) : 0;
    out += point === 9 ? " ".repeat(spaces) : text.slice(at, at + length);
    column += point === 9 ? spaces : widthOf(point);
    at += length;
  }
  return out;
}

/** Columns of a character on a terminal. */
function widthOf(code: number): number {
  if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return 0;
  if (code < 0x300) return code === 0xad ? 0 : 1;
  if (NARROWEST.test(String.fromCodePoint(code))) return 0;
  return WIDE.some(([first, last]) => code >= first && code <= last) ? 2 : 1;
}

/** Marks that are drawn over the character before them, and what formats without being drawn. */
const NARROWEST = /^[\p{Mn}\p{Me}\p{Cf}]$/u;

/** Ranges of East Asian and pictographic characters, which take two columns. */
const WIDE: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1f64f],
  [0x1f680, 0x1f6ff],
  [0x1f900, 0x1f9ff],
  [0x20000, 0x3fffd],
];
