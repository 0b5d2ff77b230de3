/**
 * The formatter: Nix code in the style of RFC 166, for an editor's "format" action.
 *
 * Invariants: the result parses to the same tree and has the same comments, else the text comes back as it was; formatting
 * twice is formatting once.
 */
import type { Apply, AttrSet, Binary, Binding, Expr, If, Lambda, List, Source } from "../ast.ts";
import { childrenOf, isLegacyLet } from "../children.ts";
import { commentsOf, lexemesOf } from "../lexemes.ts";
import { parse } from "../parser.ts";
import type { ParseOptions } from "../options.ts";
import { printExpr } from "../print.ts";
import { Token } from "../token.ts";
import { indentedStringLayout } from "./indented-string.ts";
import {
  blankLine,
  group,
  hardLine,
  ifBroken,
  type Layout,
  line,
  nest,
  printLayout,
  softLine,
  verbatim,
} from "./layout.ts";
import { TokenStream } from "./tokens.ts";

const WIDTH = 100;

/** Trees deeper than this are left as they are: nobody wrote them. */
const DEEPEST = 400;

/** The formatted text (a byte string); the same text if it has errors or cannot be formatted safely. */
export function format(source: Source, options: Partial<ParseOptions> = {}): string {
  const { ast, diagnostics } = parse(source, options);
  if (diagnostics.length > 0 || source.text.includes("\0") || isDeeperThan(ast, DEEPEST)) return source.text;
  const formatter = new Formatter(source);
  const text = `${printLayout(formatter.file(ast), WIDTH).trimEnd()}\n`;
  return isSame(source, { ...source, text }, options) ? text : source.text;
}

/** Whether two texts mean the same and say the same beside. */
function isSame(before: Source, after: Source, options: Partial<ParseOptions>): boolean {
  const result = parse(after, options);
  if (result.diagnostics.length > 0 || printExpr(result.ast) !== printExpr(parse(before, options).ast)) return false;
  const comments = (source: Source): string =>
    commentsOf(source.text, lexemesOf(source))
      .map(({ start, end }) => source.text.slice(start, end).replace(/\s+/g, ""))
      .sort()
      .join("\n");
  return comments(before) === comments(after);
}

function isDeeperThan(root: Expr, most: number): boolean {
  let level: readonly Parameters<typeof childrenOf>[0][] = [root];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > most) return true;
    level = level.flatMap(childrenOf);
  }
  return false;
}

class Formatter {
  private readonly source: Source;
  private readonly tokens: TokenStream;

  constructor(source: Source) {
    this.source = source;
    this.tokens = new TokenStream(source);
  }

  file(ast: Expr): Layout {
    const body = this.expr(ast);
    return [body, hardLine, this.tokens.comments()];
  }

  /** An expression with the parentheses around it. */
  private expr(node: Expr): Layout {
    if (this.tokens.terminal === Token.PAREN_OPEN && this.tokens.start < node.start) return this.parenthesis(node);
    switch (node.kind) {
      case "attr-set":
        return this.attrSet(node);
      case "list":
        return this.list(node);
      case "let":
        return this.letIn(node.attrs, node.body);
      case "lambda":
        return this.lambda(node);
      case "apply":
        return this.apply(node);
      case "if":
        return group(this.conditional(node));
      case "with":
        return this.prefixed(node.scope, node.body);
      case "assert":
        return this.prefixed(node.condition, node.body);
      case "not":
      case "negate":
        return [this.tokens.take(), this.expr(node.operand)];
      case "binary":
        return this.binary(node);
      case "select":
        return isLegacyLet(node) ? [this.tokens.take(), " ", this.attrSet(node.target as AttrSet)] : this.select(node);
      case "has-attr":
        return [this.expr(node.target), " ", this.tokens.take(), " ", this.attrPath(node.path)];
      default:
        return this.literal(node);
    }
  }

  private parenthesis(node: Expr): Layout {
    const open = this.tokens.take();
    const hugs = isAbsorbable(node) || node.kind === "apply" || (node.kind === "lambda" && this.absorbs(node));
    const inner = this.expr(node);
    const close = [...this.tokens.comments(), this.tokens.take()];
    return hugs ? [open, inner, close] : group(open, nest(softLine, inner), softLine, close);
  }

  /** Strings, paths, numbers and names as they are written; indented strings move with the code around them. */
  private literal(node: Expr): Layout {
    const text = this.source.text.slice(node.start, node.end);
    const moved = text.startsWith("''") ? indentedStringLayout(text, node) : null;
    return this.tokens.takeSpan(node.end, moved ?? verbatim(text));
  }

  private attrSet(set: AttrSet, isOpen = false): Layout {
    const rec = this.tokens.terminal === Token.REC ? [this.tokens.take(), " "] : [];
    const open = this.tokens.take();
    const isExpanded = isOpen || this.tokens.startsLine;
    if (set.bindings.length === 0 && !this.tokens.hasComments()) return [rec, open, " ", this.tokens.take()];
    const items = set.bindings.map((binding) => (): Layout => this.binding(binding));
    return [rec, this.items(open, items, isExpanded)];
  }

  private list(node: List): Layout {
    const open = this.tokens.take();
    const isExpanded = this.tokens.startsLine;
    if (node.elements.length === 0 && !this.tokens.hasComments()) return [open, " ", this.tokens.take()];
    const items = node.elements.map((element) => (): Layout => this.expr(element));
    return this.items(open, items, isExpanded);
  }

  /** What stands between brackets, one below another if they did or if it is too long for a line. */
  private items(open: Layout, items: readonly (() => Layout)[], isExpanded: boolean): Layout {
    const content = this.lines(items);
    const dangling = this.dangling(items.length > 0);
    const close = this.tokens.take();
    const end = isExpanded ? hardLine : line;
    return group(open, nest(end, content, dangling), end, close);
  }

  /** Items on lines, with the empty lines between them that the text has (one at most). */
  private lines(items: readonly (() => Layout)[]): Layout[] {
    return items.map((item, index) => {
      const before = index === 0 ? [] : [this.tokens.blankBefore ? blankLine : line];
      return [...before, ...this.tokens.comments(), item()];
    });
  }

  /** Comments before a closing bracket. */
  private dangling(afterItems: boolean): Layout {
    if (!this.tokens.hasComments()) return [];
    const before = afterItems ? [this.tokens.blankBefore ? blankLine : hardLine] : [];
    const comments = this.tokens.comments();
    return [...before, comments.slice(0, -1)];
  }

  private binding(binding: Binding): Layout {
    if (binding.kind === "inherit-binding") return this.inherit(binding);
    const path = this.attrPath(binding.path);
    const equals = this.tokens.take();
    const hasComment = this.tokens.hasComments();
    const absorbs = !hasComment && this.absorbs(binding.value);
    const value = this.value(binding.value);
    const semicolon = this.tokens.take();
    return absorbs
      ? [path, " ", equals, " ", value, semicolon]
      : group(path, " ", equals, nest(line, value), semicolon);
  }

  /** A set that is a binding's whole value is always open, unless it only inherits something once. */
  private value(node: Expr): Layout {
    const isBare = node.kind === "attr-set" && this.tokens.start === node.start;
    const isLong = isBare && (node.bindings.length > 1 || node.bindings[0]?.kind === "path-binding");
    return isLong ? this.attrSet(node, true) : this.expr(node);
  }

  private inherit(binding: Extract<Binding, { kind: "inherit-binding" }>): Layout {
    const keyword = this.tokens.take();
    const from = binding.from === null ? [] : [" ", this.tokens.take(), this.expr(binding.from), this.tokens.take()];
    const names = binding.names.map((name) => [line, this.tokens.takeSpan(name.end, this.slice(name))]);
    const semicolon = this.tokens.take();
    return group(keyword, from, nest(names, names.length > 0 ? softLine : [], semicolon));
  }

  private slice({ start, end }: { start: number; end: number }): Layout {
    return verbatim(this.source.text.slice(start, end));
  }

  private attrPath(path: readonly { start: number; end: number }[]): Layout {
    return path.map((name, index) => [
      index > 0 ? this.tokens.take() : [],
      this.tokens.takeSpan(name.end, this.slice(name)),
    ]);
  }

  private letIn(attrs: AttrSet, body: Expr): Layout {
    const keyword = this.tokens.take();
    const items = attrs.bindings.map((binding) => (): Layout => this.binding(binding));
    const hasContent = items.length > 0 || this.tokens.hasComments();
    const content = this.lines(items);
    const dangling = this.dangling(items.length > 0);
    const inKeyword = this.tokens.take();
    return [
      keyword,
      hasContent ? nest(hardLine, content, dangling) : [],
      hardLine,
      inKeyword,
      hardLine,
      this.expr(body),
    ];
  }

  private lambda(node: Lambda): Layout {
    const head = this.lambdaHead(node);
    const colon = this.tokens.take();
    const isPlain = node.formals === null;
    const hugs = isPlain && !this.tokens.hasComments() && (node.body.kind === "lambda" || this.absorbs(node.body));
    const body = this.expr(node.body);
    return hugs ? [head, colon, " ", body] : group(head, colon, line, body);
  }

  private lambdaHead({ param, formals }: Lambda): Layout {
    if (formals === null) return this.tokens.take();
    if (param === null) return this.formals(formals);
    if (param.start < formals.start) return [this.tokens.take(), this.tokens.take(), this.formals(formals)];
    return [this.formals(formals), this.tokens.take(), this.tokens.take()];
  }

  private formals({ formals, ellipsis }: NonNullable<Lambda["formals"]>): Layout {
    const open = this.tokens.take();
    const end = this.tokens.startsLine && formals.length > 0 ? hardLine : line;
    const entries: Layout[] = formals.map((formal, index) => {
      const isLast = index === formals.length - 1 && !ellipsis;
      const comments = this.tokens.comments();
      const name = this.tokens.take();
      const fallback = formal.fallback === null ? [] : [" ", this.tokens.take(), " ", this.expr(formal.fallback)];
      const comma = this.tokens.terminal === Token.COMMA ? this.tokens.take(isLast ? "" : ",") : [];
      return [comments, name, fallback, comma, isLast ? ifBroken(",") : line];
    });
    if (ellipsis) entries.push([this.tokens.comments(), this.tokens.take()]);
    if (entries.length === 0 && !this.tokens.hasComments()) return [open, " ", this.tokens.take()];
    const dangling = this.dangling(entries.length > 0);
    return group(open, nest(end, entries, dangling), end, this.tokens.take());
  }

  /** A call; a last argument in brackets starts on the line of the function. */
  private apply(node: Apply): Layout {
    const last = node.args.at(-1)!;
    const head: Layout[] = [this.expr(node.func)];
    const hugs = isHuggedArgument(last) && node.args.slice(0, -1).every((arg) => !isBig(arg));
    for (const arg of node.args.slice(0, -1)) head.push(nest(line, this.arg(node, arg)));
    const isCommented = this.tokens.hasComments();
    const tail = this.arg(node, last);
    return hugs && !isCommented ? [group(head), " ", tail] : group(head, nest(line, tail));
  }

  /** `f or` has its argument's place at the call's. */
  private arg(node: Apply, arg: Expr): Layout {
    return arg.kind === "var" && arg.start === node.start ? this.tokens.take() : this.expr(arg);
  }

  private conditional(node: If): Layout {
    const head = [
      this.tokens.take(),
      " ",
      this.expr(node.condition),
      " ",
      this.tokens.take(),
      nest(line, this.expr(node.then)),
    ];
    const otherwise = this.tokens.take();
    const isChain =
      node.otherwise.kind === "if" && this.tokens.start === node.otherwise.start && !this.tokens.hasComments();
    if (isChain) return [head, line, otherwise, " ", this.conditional(node.otherwise as If)];
    return [head, line, otherwise, nest(line, this.expr(node.otherwise))];
  }

  /** `with x; body` and `assert x; body`. */
  private prefixed(subject: Expr, body: Expr): Layout {
    const keyword = this.tokens.take();
    const head = [keyword, " ", this.expr(subject), this.tokens.take()];
    const hugs = isAbsorbable(body) && !this.tokens.hasComments();
    return hugs ? [head, " ", this.expr(body)] : group(head, line, this.expr(body));
  }

  /** Operands of one operator below each other, operators first; a last set or list stays beside its operator. */
  private binary(node: Binary): Layout {
    const operands = this.flatten(node);
    const first = this.expr(operands[0]!);
    const rest: Layout[] = [];
    let last: Layout = [];
    operands.slice(1).forEach((operand, index) => {
      const operator = this.tokens.take();
      const hugs = index === operands.length - 2 && isAbsorbable(operand) && !this.tokens.hasComments();
      if (hugs) last = [" ", operator, " ", this.expr(operand)];
      else rest.push([line, operator, " ", this.expr(operand)]);
    });
    return [group(first, rest), last];
  }

  /** The operands of a chain of the same operator without parentheses. */
  private flatten(node: Binary): Expr[] {
    const operands: Expr[] = [];
    let current: Expr = node;
    if (isRightAssociative(node.op)) {
      for (; current.kind === "binary" && current.op === node.op && current.end === node.end; current = current.right)
        operands.push(current.left);
      return [...operands, current];
    }
    for (; current.kind === "binary" && current.op === node.op && current.start === node.start; current = current.left)
      operands.push(current.right);
    return [...operands, current].reverse();
  }

  private select(node: Extract<Expr, { kind: "select" }>): Layout {
    const target = this.expr(node.target);
    const path = [this.tokens.take(), this.attrPath(node.path)];
    if (node.fallback === null) return [target, path];
    return group(target, path, nest(line, this.tokens.take(), " ", this.expr(node.fallback)));
  }

  /** Whether a value starts on its binding's line even if it is long. */
  private absorbs(value: Expr): boolean {
    return (this.tokens.terminal === Token.PAREN_OPEN && this.tokens.start < value.start) || continuesBelow(value);
  }
}

/** Whether an expression reads well when it starts in the middle of a line and ends in brackets some lines below. */
function continuesBelow(value: Expr): boolean {
  switch (value.kind) {
    case "lambda":
      return value.formals === null && continuesBelow(value.body);
    case "apply":
      return isHuggedArgument(value.args.at(-1)!) && value.args.slice(0, -1).every((arg) => !isBig(arg));
    case "with":
      return isAbsorbable(value.body);
    case "binary":
      return value.op === "//" && isAbsorbable(value.right) && !isBig(value.left);
    default:
      return isAbsorbable(value);
  }
}

const isRightAssociative = (op: Binary["op"]): boolean => op === "++" || op === "//" || op === "->" || op === "<|";

/** What may start in the middle of a line and go on below: sets, lists and strings. */
function isAbsorbable(node: Expr): boolean {
  if (node.kind === "attr-set") return node.bindings.length > 0;
  if (node.kind === "list") return node.elements.length > 0;
  return node.kind === "string" || node.kind === "interpolation";
}

const isHuggedArgument = (node: Expr): boolean => isAbsorbable(node) || node.kind === "lambda";

/** What makes more than a name or a number of a line. */
function isBig(node: Expr): boolean {
  return isAbsorbable(node) || ["lambda", "let", "if", "with", "assert"].includes(node.kind);
}
