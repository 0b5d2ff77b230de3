/** The tokens of a text with its comments, in order: what highlighting, folding and formatting read. */
import type { Source } from "./ast.ts";
import { Lexer } from "./lexer.ts";
import { Token } from "./token.ts";

export interface Lexeme {
  readonly terminal: number;
  readonly start: number;
  readonly end: number;
}

export interface Comment {
  readonly start: number;
  readonly end: number;
}

/** Every token up to, not including, the end of the text; path ends have no width. */
export function lexemesOf(source: Source): Lexeme[] {
  const lexer = new Lexer(source.text, () => {});
  const lexemes: Lexeme[] = [];
  for (let terminal = lexer.next(); terminal !== Token.END; terminal = lexer.next()) {
    const atEnd = terminal === Token.PATH_END;
    lexemes.push({ terminal, start: atEnd ? lexer.offset : lexer.begin, end: lexer.offset });
  }
  return lexemes;
}

/** The comments between two offsets that no token lies between. */
export function commentsBetween(text: string, start: number, end: number): Comment[] {
  const comments: Comment[] = [];
  const pattern = /#[^\r\n]*|\/\*[^]*?\*\//g;
  pattern.lastIndex = start;
  for (let match = pattern.exec(text); match !== null && match.index < end; match = pattern.exec(text)) {
    comments.push({ start: match.index, end: pattern.lastIndex });
  }
  return comments;
}

/** The comments of a text whose tokens these are. */
export function commentsOf(text: string, lexemes: readonly Lexeme[]): Comment[] {
  const comments: Comment[] = [];
  let offset = 0;
  for (const { start, end } of [...lexemes, { start: text.length, end: text.length }]) {
    if (start > offset) comments.push(...commentsBetween(text, offset, start));
    offset = Math.max(offset, end);
  }
  return comments;
}
