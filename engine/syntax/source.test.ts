import { expect, it } from "vitest";
import { lineText, offsetAt, positionAt, stringSource } from "./source.ts";

const check = (text: string, offset: number, line: number, column: number): void => {
  const source = stringSource(text);
  expect(positionAt(source, offset)).toEqual({ line, column });
  expect(offsetAt(source, { line, column })).toBe(offset);
};

it("the start", () => check("abc", 0, 1, 1));
it("the end", () => check("abc", 3, 1, 4));
it("after LF", () => check("a\nb", 2, 2, 1));
it("after CR LF", () => check("a\r\nb", 3, 2, 1));
it("after a lone CR", () => check("a\rb", 2, 2, 1));
it("after empty lines", () => check("\n\n\nb", 3, 4, 1));
it("columns count bytes", () => check("\u00c3\u00a9b", 2, 1, 3));
it("a line's text has no line end", () => expect(lineText(stringSource("a\r\nb\n"), 1)).toBe("a"));
it("there is no line 0", () => expect(lineText(stringSource("a"), 0)).toBeUndefined());
