/** Coloured text in pieces. */
import { expect, test } from "vitest";
import { ansiPieces } from "./ansi.ts";

test.each([
  ["", []],
  ["plain\n", [{ text: "plain\n", color: null }]],
  [
    "\u001b[36;1m2\u001b[0m\n",
    [
      { text: "2", color: "36" },
      { text: "\n", color: null },
    ],
  ],
  [
    'a = \u001b[35;1m"x"\u001b[0m;',
    [
      { text: "a = ", color: null },
      { text: '"x"', color: "35" },
      { text: ";", color: null },
    ],
  ],
])("%j", (text, pieces) => expect(ansiPieces(text)).toEqual(pieces));
