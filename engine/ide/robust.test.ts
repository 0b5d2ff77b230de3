import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { codeActions } from "./actions.ts";
import { completeAt } from "./completion.ts";
import { definitionAt, referencesAt, rename, renameSpan } from "./definition.ts";
import { EMPTY_WORKSPACE, openDocument } from "./document.ts";
import { formatDocument } from "./format.ts";
import { hoverAt } from "./hover.ts";
import { problemsOf } from "./problems.ts";
import { documentSymbols, foldingRanges, selectionRanges } from "./structure.ts";
import { semanticTokens } from "./tokens.ts";

const goldens = JSON.parse(
  readFileSync(new URL("../testdata/syntax/parse.json", import.meta.url), "utf8"),
) as readonly { text: string }[];

/** Every tenth golden: enough for a test, and quick. */
const texts = goldens.filter((_, index) => index % 10 === 0).map(({ text }) => text);

/** Asks everything at an offset, and checks that every span lies in the text. */
function askAll(text: string, offset: number): void {
  const document = openDocument("/w/a.nix", text);
  const action = codeActions(document, { start: offset, end: offset }, [], EMPTY_WORKSPACE);
  const renamed = rename(document, offset, "renamed");
  const spans = [
    ...completeAt(document, offset, EMPTY_WORKSPACE).map((item) => item.replace),
    ...definitionAt(document, offset).filter((location) => location.path === "/w/a.nix"),
    ...referencesAt(document, offset),
    ...(renamed.ok ? renamed.edits : []),
    ...action.flatMap((one) => one.edits),
    ...problemsOf(document),
    ...semanticTokens(document),
    ...foldingRanges(document),
    ...selectionRanges(document, offset),
    ...documentSymbols(document),
    ...[hoverAt(document, offset, EMPTY_WORKSPACE), renameSpan(document, offset)].filter((one) => one !== null),
  ];
  for (const { start, end } of spans) {
    if (!(start >= 0 && start <= end && end <= text.length))
      throw new Error(`${JSON.stringify(text)}: ${start}–${end}`);
  }
  formatDocument(document);
}

describe("any text", () => {
  it("has answers at any place", () => {
    for (const text of texts) for (const part of [0, 0.4, 0.8, 1]) askAll(text, Math.floor(text.length * part));
  });
  it("has answers if it is not ASCII", () => {
    for (const text of texts) askAll(`"é😀" + ${text}`, 7 + (text.length >> 1));
  });
  const deep = 5000;
  it("has answers if it is deep", () => {
    askAll("{a=".repeat(deep), deep);
    askAll(`${"(x: ".repeat(deep)}x${")".repeat(deep)}`, 5);
    askAll(`${"[".repeat(deep)}${"]".repeat(deep)}`, deep);
  });
  it("adjacent tokens do not overlap", () => {
    for (const text of texts) {
      const tokens = semanticTokens(openDocument("/w/a.nix", text));
      tokens.slice(1).forEach((token, index) => expect(token.start).toBeGreaterThanOrEqual(tokens[index]!.end));
    }
  });
});
