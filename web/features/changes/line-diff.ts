/** The lines two texts differ in, with a little of what stands around them. */

export interface DiffLine {
  kind: "same" | "added" | "removed" | "gap";
  text: string;
}

const context = 2;
/** Beyond this many lines the texts are shown one after the other: the table below grows with the product. */
const mostLines = 1500;

export function diffLines(before: string, after: string): DiffLine[] {
  const a = lines(before);
  const b = lines(after);
  if (a.length + b.length > mostLines) return [...marked(a, "removed"), ...marked(b, "added")];
  return shorten(align(a, b));
}

const lines = (text: string): string[] => (text === "" ? [] : text.replace(/\n$/, "").split("\n"));

const marked = (texts: string[], kind: DiffLine["kind"]): DiffLine[] => texts.map((text) => ({ kind, text }));

/** By the longest common subsequence: `common[i][j]` is its length for `a` from i on and `b` from j on. */
function align(a: string[], b: string[]): DiffLine[] {
  const common = a.map(() => new Uint16Array(b.length + 1));
  common.push(new Uint16Array(b.length + 1));
  const at = (i: number, j: number): number => common[i]?.[j] ?? 0;
  for (let i = a.length - 1; i >= 0; i -= 1)
    for (let j = b.length - 1; j >= 0; j -= 1)
      common[i]![j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  const found: DiffLine[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      found.push({ kind: "same", text: a[i] ?? "" });
      i += 1;
      j += 1;
    } else if (i < a.length && (j >= b.length || at(i + 1, j) >= at(i, j + 1))) {
      found.push({ kind: "removed", text: a[i] ?? "" });
      i += 1;
    } else {
      found.push({ kind: "added", text: b[j] ?? "" });
      j += 1;
    }
  }
  return found;
}

/** Leaves out what is the same, but for the lines next to a difference. */
function shorten(all: DiffLine[]): DiffLine[] {
  const near = (index: number): boolean =>
    all.slice(Math.max(0, index - context), index + context + 1).some((line) => line.kind !== "same");
  const found: DiffLine[] = [];
  for (const [index, line] of all.entries()) {
    if (near(index)) found.push(line);
    else if (found.at(-1)?.kind !== "gap") found.push({ kind: "gap", text: "" });
  }
  return found;
}
