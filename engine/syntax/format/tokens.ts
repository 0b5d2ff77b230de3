/**
 * The tokens of a text as the formatter takes them one by one, each with the comments that belong to it.
 *
 * Invariant: every token is taken once and in order, and no comment is lost: a comment on the line of the token before it
 * goes with that token, any other with the token after it.
 */
import type { Source } from "../ast.ts";
import { commentsBetween, type Lexeme, lexemesOf } from "../lexemes.ts";
import { Token } from "../token.ts";
import { blankLine, hardLine, type Layout, ownLine, suffix, verbatim } from "./layout.ts";

interface Gap {
  /** Comments at the end of the line of the token before. */
  readonly trailing: readonly string[];
  readonly leading: readonly LeadingComment[];
  /** Whether an empty line comes before the first leading comment or the token. */
  readonly blankBefore: boolean;
  /** Whether any line ends in the gap. */
  readonly hasNewline: boolean;
}

interface LeadingComment {
  readonly text: string;
  /** An empty line follows. */
  readonly blankAfter: boolean;
  /** The token follows on the same line. */
  readonly inline: boolean;
}

export class TokenStream {
  private readonly text: string;
  private readonly lexemes: Lexeme[];
  /** What lies before each token, and at last before the end. */
  private readonly gaps: Gap[];
  private readonly spoken: boolean[];
  private index = 0;

  constructor(source: Source) {
    this.text = source.text;
    this.lexemes = lexemesOf(source).filter((lexeme) => lexeme.terminal !== Token.PATH_END);
    const ends = [0, ...this.lexemes.map((lexeme) => lexeme.end)];
    this.gaps = ends.map((end, index) =>
      readGap(this.text, end, this.lexemes[index]?.start ?? this.text.length, index === 0),
    );
    this.spoken = this.gaps.map(() => false);
  }

  get terminal(): number {
    return this.lexemes[this.index]?.terminal ?? Token.END;
  }

  get start(): number {
    return this.lexemes[this.index]?.start ?? this.text.length;
  }

  /** Whether the text has an empty line before the current token and its comments. */
  get blankBefore(): boolean {
    return this.gaps[this.index]!.blankBefore;
  }

  /** Whether the current token, or a comment before it, starts a line of the text. */
  get startsLine(): boolean {
    return this.gaps[this.index]!.hasNewline;
  }

  /** The comments before the current token, each on its own line; they are not printed again. */
  comments(): Layout[] {
    const { index } = this;
    if (this.spoken[index]) return [];
    this.spoken[index] = true;
    return this.gaps[index]!.leading.flatMap(({ text, blankAfter, inline }): Layout[] => {
      if (inline) return [verbatim(text), " "];
      return [ownLine, verbatim(text), blankAfter ? blankLine : hardLine];
    });
  }

  hasComments(): boolean {
    return !this.spoken[this.index] && this.gaps[this.index]!.leading.length > 0;
  }

  /** The current token with its comments; `text` replaces what is written. */
  take(text?: string): Layout {
    const lexeme = this.lexemes[this.index]!;
    return this.takeSpan(lexeme.end, text ?? this.text.slice(lexeme.start, lexeme.end));
  }

  /** All tokens up to an offset as one text. */
  takeSpan(end: number, content: Layout): Layout {
    const comments = this.comments();
    while (this.index < this.lexemes.length && this.lexemes[this.index]!.start < end) this.index++;
    const { trailing } = this.gaps[this.index]!;
    return [...comments, content, ...trailing.map((comment) => suffix(` ${comment}`))];
  }
}

function readGap(text: string, start: number, end: number, isFirst: boolean): Gap {
  const comments = commentsBetween(text, start, end);
  const trailing: string[] = [];
  const leading: LeadingComment[] = [];
  let offset = start;
  let onLine = !isFirst;
  let firstLeading = end;
  comments.forEach((comment, index) => {
    const next = comments[index + 1]?.start ?? end;
    const content = text.slice(comment.start, comment.end).trimEnd();
    onLine &&= !text.slice(offset, comment.start).includes("\n");
    const after = text.slice(comment.end, next);
    const endsLine = after.includes("\n") || next === text.length;
    if (onLine && endsLine && !content.includes("\n")) trailing.push(content);
    else {
      if (leading.length === 0) firstLeading = comment.start;
      leading.push({ text: content, blankAfter: isBlank(after), inline: !endsLine });
    }
    offset = comment.end;
  });
  const before = text.slice(lastEnd(comments, trailing.length, start), firstLeading);
  return { trailing, leading, blankBefore: !isFirst && isBlank(before), hasNewline: /\n/.test(text.slice(start, end)) };
}

const lastEnd = (comments: readonly { end: number }[], trailing: number, start: number): number =>
  trailing === 0 ? start : comments[trailing - 1]!.end;

/** Whether white space holds an empty line. */
const isBlank = (space: string): boolean => /\n[ \t\r]*\n/.test(space);
