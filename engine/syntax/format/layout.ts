/**
 * Layouts: texts with places where a line may break, and the printer that chooses.
 *
 * Invariant: a group is printed on one line if it fits and holds nothing that must break; otherwise all its own lines break
 * and its inner groups choose for themselves.
 */

export type Layout = string | readonly Layout[] | Line | Nest | Group | IfBroken | Suffix | OwnLine | Verbatim;

/** A break: a space (`soft`: nothing) if the group around it is on one line, unless it is `hard`. `blank` adds an empty line. */
export interface Line {
  readonly type: "line";
  readonly soft: boolean;
  readonly hard: boolean;
  readonly blank: boolean;
}

/** Lines inside are indented one step more. */
export interface Nest {
  readonly type: "nest";
  readonly content: Layout;
}

export interface Group {
  readonly type: "group";
  readonly content: Layout;
  readonly breaks: boolean;
}

/** Text only where the group around it is broken. */
export interface IfBroken {
  readonly type: "ifBroken";
  readonly text: string;
}

/** A comment that waits for the end of the line it is on; a line after it breaks. */
export interface Suffix {
  readonly type: "suffix";
  readonly text: string;
}

/** Starts a new line unless one has just been started. */
export interface OwnLine {
  readonly type: "ownLine";
}

/** Text whose line ends are its own. */
export interface Verbatim {
  readonly type: "verbatim";
  readonly text: string;
}

const lineOf = (soft: boolean, hard: boolean, blank: boolean): Line => ({ type: "line", soft, hard, blank });
export const line = lineOf(false, false, false);
export const softLine = lineOf(true, false, false);
export const hardLine = lineOf(false, true, false);
export const blankLine = lineOf(false, true, true);
export const ownLine: OwnLine = { type: "ownLine" };

export const nest = (...content: readonly Layout[]): Nest => ({ type: "nest", content });
export const group = (...content: readonly Layout[]): Group => ({ type: "group", content, breaks: mustBreak(content) });
export const ifBroken = (text: string): IfBroken => ({ type: "ifBroken", text });
export const suffix = (text: string): Suffix => ({ type: "suffix", text });
export const verbatim = (text: string): Verbatim => ({ type: "verbatim", text });

/** Whether a layout cannot be printed on one line: something in it must break, or a line follows a comment that ends its own. */
export function mustBreak(layout: Layout): boolean {
  return scan(layout, { afterSuffix: false });
}

function scan(layout: Layout, state: { afterSuffix: boolean }): boolean {
  if (typeof layout === "string") return false;
  if (!("type" in layout)) return layout.some((one) => scan(one, state));
  switch (layout.type) {
    case "line":
      return layout.hard || state.afterSuffix;
    case "group":
      return layout.breaks || scan(layout.content, state);
    case "nest":
      return scan(layout.content, state);
    case "suffix":
      state.afterSuffix = true;
      return false;
    case "ownLine":
      return true;
    case "verbatim":
      return layout.text.includes("\n");
    case "ifBroken":
      return false;
  }
}

const INDENT = 2;

interface Item {
  readonly layout: Layout;
  readonly indent: number;
  readonly broken: boolean;
}

/** Prints a layout in lines of `width` where possible. */
export function printLayout(root: Layout, width: number): string {
  return new Printer(width).print(root);
}

class Printer {
  private readonly width: number;
  private output = "";
  private column = 0;
  private suffixes = "";
  /** A space is written when text follows it on the line. */
  private space = false;
  private readonly pending: Item[] = [];

  constructor(width: number) {
    this.width = width;
  }

  print(root: Layout): string {
    this.pending.push({ layout: root, indent: 0, broken: true });
    for (let item = this.pending.pop(); item !== undefined; item = this.pending.pop()) this.item(item);
    this.flushSuffixes();
    return this.output;
  }

  private item({ layout, indent, broken }: Item): void {
    if (typeof layout === "string") {
      this.text(layout, indent);
      return;
    }
    if (!("type" in layout)) {
      for (let index = layout.length - 1; index >= 0; index--)
        this.pending.push({ layout: layout[index]!, indent, broken });
      return;
    }
    switch (layout.type) {
      case "nest":
        this.pending.push({ layout: layout.content, indent: indent + INDENT, broken });
        return;
      case "group":
        this.pending.push({
          layout: layout.content,
          indent,
          broken: layout.breaks || this.suffixes !== "" || !this.fits(layout.content, indent),
        });
        return;
      case "line":
        if (broken || layout.hard || this.suffixes !== "") this.newLine(layout.blank);
        else if (!layout.soft) this.text(" ", indent);
        return;
      case "ifBroken":
        if (broken) this.text(layout.text, indent);
        return;
      case "suffix":
        this.suffixes += layout.text;
        return;
      case "ownLine":
        if (this.column > 0) this.newLine(false);
        return;
      case "verbatim":
        this.text(layout.text, indent);
        if (layout.text.includes("\n")) this.column = layout.text.length - layout.text.lastIndexOf("\n") - 1;
    }
  }

  private text(text: string, indent: number): void {
    if (text === "") return;
    if (text === " ") {
      this.space = this.column > 0;
      return;
    }
    const before = this.column === 0 ? " ".repeat(indent) : this.space ? " " : "";
    this.output += before + text;
    this.column += before.length + text.length;
    this.space = false;
  }

  private newLine(blank: boolean): void {
    this.flushSuffixes();
    this.output += blank ? "\n\n" : "\n";
    this.column = 0;
    this.space = false;
  }

  private flushSuffixes(): void {
    this.output += this.suffixes;
    this.suffixes = "";
  }

  /** Whether a layout on one line, and what follows it up to the next possible break, fits the rest of the line. */
  private fits(content: Layout, indent: number): boolean {
    let room = this.width - (this.column === 0 ? indent : this.column) - (this.space ? 1 : 0);
    const work: Item[] = [{ layout: content, indent: 0, broken: false }];
    let rest = this.pending.length;
    while (room >= 0) {
      const item = work.pop() ?? (rest > 0 ? this.pending[--rest]! : null);
      if (item === null) return true;
      const { layout } = item;
      if (typeof layout === "string") room -= layout.length;
      else if (!("type" in layout)) {
        for (let index = layout.length - 1; index >= 0; index--) work.push({ ...item, layout: layout[index]! });
      } else if (layout.type === "line") {
        if (item.broken || layout.hard) return true;
        if (!layout.soft) room--;
      } else if (layout.type === "nest") work.push({ ...item, layout: layout.content });
      else if (layout.type === "group")
        work.push({ ...item, layout: layout.content, broken: layout.breaks || item.broken });
      else if (layout.type === "verbatim") {
        const newline = layout.text.indexOf("\n");
        if (newline >= 0) return room >= newline;
        room -= layout.text.length;
      } else if (layout.type === "ownLine") return true;
    }
    return false;
  }
}
