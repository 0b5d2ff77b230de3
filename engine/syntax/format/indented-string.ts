/** Indented strings in formatted code: their lines move with the code, which changes nothing of what they mean. */
import type { Expr } from "../ast.ts";
import { hardLine, type Layout, nest, verbatim } from "./layout.ts";

/** The layout of `''…''`; null if its lines must stay where they are. */
export function indentedStringLayout(text: string, node: Expr): Layout | null {
  const lines = text.split("\n");
  const first = lines[0]!;
  const last = lines.at(-1)!;
  if (lines.length < 3 || !/^'' *$/.test(first) || !/^ *''$/.test(last) || text.includes("\r")) return null;
  const spansLines =
    node.kind === "interpolation" &&
    node.parts.some((part) => part.kind === "antiquote" && hasNewline(text, node, part));
  if (spansLines) return null;
  const content = lines.slice(1, -1);
  const indentation = Math.min(...content.filter((one) => /[^ ]/.test(one)).map((one) => /^ */.exec(one)![0].length));
  if (!Number.isFinite(indentation)) return null;
  const moved = content.flatMap((one): Layout[] => {
    const rest = one.slice(indentation);
    return rest === "" ? [hardLine] : [hardLine, verbatim(rest)];
  });
  return ["''", nest(moved), hardLine, "''"];
}

function hasNewline(text: string, node: Expr, part: { start: number; end: number }): boolean {
  return text.slice(part.start - node.start, part.end - node.start).includes("\n");
}
