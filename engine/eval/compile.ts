/**
 * The tier-1 compiler: syntax tree to closures, with variables resolved to cells of frames.
 *
 * Bodies of functions and of thunks are compiled when they first run, for most of a package set never does. Compilation itself never
 * nests deeply: past a few levels an expression is compiled when it is met (codes/control.ts, checkpoints).
 */
import type {
  Antiquote,
  Apply,
  Assert,
  AttrName,
  AttrSet,
  Binary,
  Expr,
  Lambda,
  Select,
  Source,
  Str,
} from "#engine/syntax/ast.ts";
import { printExpr } from "#engine/syntax/print.ts";
import { constantCode, leafCode, type Code } from "./code.ts";
import { applyCode } from "./codes/application.ts";
import {
  assertCode,
  assertEqualCode,
  checkpointCode,
  ifCode,
  lazyCode,
  logicalCode,
  notCode,
} from "./codes/control.ts";
import { arithmeticCode, concatCode, equalCode, lessCode, updateCode, type UpdateOperand } from "./codes/operators.ts";
import { hasAttrCode, selectCode, selectOneCode, type NameCode } from "./codes/selection.ts";
import { interpolationCode, plusCode, type Part } from "./codes/strings.ts";
import {
  lambdaExprCode,
  letCode,
  listCode,
  recursiveSetCode,
  setCode,
  type AttrPart,
  type SetParts,
} from "./codes/structures.ts";
import { globalCode, localCode, withBodyCode, withCode } from "./codes/variables.ts";
import type { LambdaCode } from "./lambda.ts";
import type { Pos } from "./positions.ts";
import { positionSet } from "./position-value.ts";
import { cellNames, frameScope, resolve, type Scope } from "./scope.ts";
import { NixFloat, NixPath, PrimOp } from "./value.ts";

/** Levels of nesting that are compiled, and run, at one go. */
const maxLevel = 12;

/** Compiles a checked expression of a source for frames of a scope. */
export const compile = (expr: Expr, source: Source, scope: Scope): Code => new Compiler(source).expr(expr, scope, 0);

class Compiler {
  private readonly source: Source;
  private readonly withPositions = new Map<Scope, Pos>();

  constructor(source: Source) {
    this.source = source;
  }

  private pos(offset: number): Pos {
    return { source: this.source, offset };
  }

  /** One level down. */
  private child(expr: Expr, scope: Scope, level: number): Code {
    return level < maxLevel ? this.expr(expr, scope, level + 1) : checkpointCode(() => this.expr(expr, scope, 0));
  }

  /** An expression that may never be evaluated: only constants and variables are looked at now. */
  private delayed(expr: Expr, scope: Scope): Code {
    switch (expr.kind) {
      case "int":
      case "float":
      case "string":
      case "path":
      case "var":
        return this.expr(expr, scope, 0);
      case "list":
        if (expr.elements.length === 0) return this.expr(expr, scope, 0);
        return lazyCode(() => this.expr(expr, scope, 0));
      default:
        return lazyCode(() => this.expr(expr, scope, 0));
    }
  }

  expr(expr: Expr, scope: Scope, level: number): Code {
    const pos = this.pos(expr.start);
    switch (expr.kind) {
      case "int":
      case "string":
        return constantCode(expr.kind === "int" ? expr.value : expr.text);
      case "float":
        return constantCode(new NixFloat(expr.value));
      case "path":
        return constantCode(new NixPath(expr.value));
      case "interpolation":
        return interpolationCode(this.parts(expr.parts, scope, level));
      case "path-interpolation": {
        const [path, ...rest] = expr.parts;
        const first = { code: constantCode(new NixPath(path.value)), pos: this.pos(path.start) };
        return plusCode([first, ...this.parts(rest, scope, level)], pos);
      }
      case "search-path":
        return this.searchPath(expr.text, scope, expr.start);
      case "cur-pos":
        return leafCode(() => positionSet(pos));
      case "var":
        return this.variable(expr.name, scope, expr.start);
      case "select": {
        const target = this.child(expr.target, scope, level);
        const path = expr.path.map((name) => this.attrName(name, scope, level));
        const where = this.isLegacyLet(expr) ? undefined : pos;
        const fallback = expr.fallback === null ? null : this.delayed(expr.fallback, scope);
        const [only] = path;
        if (path.length === 1 && typeof only === "string" && fallback === null)
          return selectOneCode(target, only, where);
        return selectCode(target, path, fallback, where);
      }
      case "has-attr": {
        const target = this.child(expr.target, scope, level);
        return hasAttrCode(
          target,
          expr.path.map((name) => this.attrName(name, scope, level)),
        );
      }
      case "attr-set":
        return this.attrSet(expr, scope);
      case "let": {
        const inner = frameScope(cellNames(expr.attrs.attrs.map(({ name }) => name)), scope);
        return letCode(this.setParts(expr.attrs, scope, inner), this.child(expr.body, inner, level));
      }
      case "list":
        if (expr.elements.length === 0) return constantCode([]);
        return listCode(expr.elements.map((element) => this.delayed(element, scope)));
      case "lambda":
        return lambdaExprCode(this.lambda(expr, scope));
      case "apply": {
        const { func, args, start } = wholeCall(expr);
        const fn = this.child(func, scope, level);
        return applyCode(
          fn,
          args.map((argument) => this.delayed(argument, scope)),
          this.pos(start),
        );
      }
      case "if":
        return ifCode(
          this.child(expr.condition, scope, level),
          this.child(expr.then, scope, level),
          this.child(expr.otherwise, scope, level),
          pos,
        );
      case "with": {
        const inner: Scope = { kind: "with", up: scope };
        this.withPositions.set(inner, pos);
        return withBodyCode(this.delayed(expr.scope, scope), this.child(expr.body, inner, level));
      }
      case "assert":
        if (expr.condition.kind === "binary" && expr.condition.op === "==")
          return this.assertEqual(expr, expr.condition, scope);
        return assertCode(
          this.child(expr.condition, scope, level),
          this.child(expr.body, scope, level),
          () => printExpr(expr.condition),
          pos,
        );
      case "not":
        return notCode(this.child(expr.operand, scope, level), this.ownPos(expr.operand));
      case "negate": {
        const operand = this.argument(expr.operand, scope, level);
        if (this.isBuiltin("__sub", scope)) return arithmeticCode("-", constantCode(0), operand, pos);
        return applyCode(this.variable("__sub", scope, expr.start), [constantCode(0), operand], pos);
      }
      case "binary":
        return this.binary(expr, scope, level);
      case "missing":
        throw new Error("a tree with syntax errors was compiled");
    }
  }

  /** The legacy `let { … }` is a selection that was not written, so it has no position. */
  private isLegacyLet(expr: Select): boolean {
    return this.source.text.startsWith("let", expr.start);
  }

  /** The position C++ Nix's tree keeps for an expression; literals and some operators have none. */
  private ownPos(expr: Expr): Pos | undefined {
    switch (expr.kind) {
      case "int":
      case "float":
      case "string":
      case "path":
      case "let":
        return undefined;
      case "list":
        return expr.elements.length === 0 ? undefined : this.ownPos(expr.elements[0]!);
      case "has-attr":
        return this.ownPos(expr.target);
      case "select":
        return this.isLegacyLet(expr) ? undefined : this.pos(expr.start);
      case "not":
        return this.ownPos(expr.operand);
      case "binary":
        return expr.op === "==" || expr.op === "!=" ? undefined : this.pos(expr.opPos);
      default:
        return this.pos(expr.start);
    }
  }

  private parts(parts: readonly (Str | Antiquote)[], scope: Scope, level: number): Part[] {
    return parts.map((part) => ({
      code: part.kind === "string" ? constantCode(part.text) : this.child(part.expr, scope, level),
      pos: this.pos(part.start),
    }));
  }

  private attrName(name: AttrName, scope: Scope, level: number): NameCode {
    return name.kind === "static-name" ? name.name : this.child(name.expr, scope, level);
  }

  /** An operand that C++ Nix passes to a builtin, which reports no position for its recursion. */
  private argument(expr: Expr, scope: Scope, level: number): Code {
    const found = expr.kind === "var" ? resolve(scope, expr.name) : undefined;
    return found?.kind === "local" ? localCode(found.depth, found.cell, undefined) : this.child(expr, scope, level);
  }

  private variable(name: string, scope: Scope, offset: number): Code {
    const pos = this.pos(offset);
    const found = resolve(scope, name);
    if (found === undefined) throw new Error(`unchecked variable ${name}`);
    switch (found.kind) {
      case "local":
        return localCode(found.depth, found.cell, pos);
      case "global":
        return globalCode(found.slot, pos);
      case "with":
        return withCode(name, found.depths, pos, this.withsAround(scope));
    }
  }

  /** Positions of the enclosing `with`s, innermost first. */
  private withsAround(scope: Scope): Pos[] {
    const positions: Pos[] = [];
    for (let current: Scope | null = scope; current !== null; current = current.up) {
      if (current.kind === "with") positions.push(this.withPositions.get(current) ?? this.pos(0));
    }
    return positions;
  }

  private searchPath(text: string, scope: Scope, offset: number): Code {
    const findFile = this.variable("__findFile", scope, offset);
    return applyCode(findFile, [this.variable("__nixPath", scope, offset), constantCode(text)], this.pos(offset));
  }

  /** Does this name mean the builtin here? Operators are looked up in scope. */
  private isBuiltin(name: string, scope: Scope): boolean {
    const found = resolve(scope, name);
    return found?.kind === "global" && found.slot instanceof PrimOp;
  }

  private lambda(expr: Lambda, scope: Scope): LambdaCode {
    const formals = expr.formals?.formals ?? null;
    const cells = [...(expr.param === null ? [] : [expr.param.name]), ...(formals ?? []).map(({ name }) => name)];
    if (expr.param === null && formals === null) cells.push("");
    const inner = frameScope(cellNames(cells), scope);
    return {
      name: expr.name,
      pos: this.pos(expr.start),
      param: expr.param?.name ?? null,
      formals:
        formals?.map(({ name, start, fallback }) => ({
          name,
          pos: this.pos(start),
          fallback: fallback === null ? null : this.delayed(fallback, inner),
        })) ?? null,
      formalNames: formals === null ? null : new Map(formals.map(({ name }, i) => [name, i] as const)),
      ellipsis: expr.formals?.ellipsis ?? false,
      body: lazyCode(() => this.expr(expr.body, inner, 0)),
      frameSize: cells.length + 1,
      expr,
    };
  }

  private attrSet(expr: AttrSet, scope: Scope): Code {
    if (!expr.recursive) return setCode(this.setParts(expr, scope, scope));
    const inner = frameScope(cellNames(expr.attrs.map(({ name }) => name)), scope);
    return recursiveSetCode(this.setParts(expr, scope, inner));
  }

  private setParts(expr: AttrSet, outer: Scope, inner: Scope): SetParts {
    return {
      pos: this.pos(expr.start),
      attrs: expr.attrs.map((attr): AttrPart => {
        const pos = this.pos(attr.pos);
        if (attr.kind === "inherit-from") {
          const source = this.pos(expr.inheritFrom[attr.from]!.start);
          const code = selectOneCode(localCode(0, attr.from + 1, source), attr.name, pos);
          return { name: attr.name, pos, code, where: "from" };
        }
        if (attr.kind === "inherit")
          return { name: attr.name, pos, code: this.delayed(attr.value, outer), where: "outer" };
        return { name: attr.name, pos, code: this.delayed(attr.value, inner), where: "inner" };
      }),
      dynamic: expr.dynamic.map((attr) => ({
        name: this.delayed(attr.name, inner),
        pos: this.pos(attr.pos),
        value: this.delayed(attr.value, inner),
      })),
      from: expr.inheritFrom.map((source) => this.delayed(source, inner)),
    };
  }

  private binary(expr: Binary, scope: Scope, level: number): Code {
    const { op } = expr;
    const pos = this.pos(expr.opPos);
    const left = (): Code => this.child(expr.left, scope, level);
    const right = (): Code => this.child(expr.right, scope, level);
    switch (op) {
      case "+":
        return plusCode(
          [
            { code: left(), pos: this.pos(expr.start) },
            { code: right(), pos: this.pos(this.operandStart(expr)) },
          ],
          pos,
        );
      case "-":
      case "*":
      case "/": {
        const builtin = { "-": "__sub", "*": "__mul", "/": "__div" }[op];
        if (this.isBuiltin(builtin, scope)) {
          return arithmeticCode(
            op,
            this.argument(expr.left, scope, level),
            this.argument(expr.right, scope, level),
            pos,
          );
        }
        return this.callBinary(builtin, [expr.left, expr.right], expr, scope);
      }
      case "<":
      case ">":
      case "<=":
      case ">=": {
        const swapped = op === ">" || op === "<=";
        const [first, second] = swapped ? [expr.right, expr.left] : [expr.left, expr.right];
        const less = this.isBuiltin("__lessThan", scope)
          ? lessCode(this.argument(first, scope, level), this.argument(second, scope, level), pos)
          : this.callBinary("__lessThan", [first, second], expr, scope);
        return op === "<=" || op === ">=" ? notCode(less, pos) : less;
      }
      case "==":
      case "!=":
        return equalCode(left(), right(), op === "!=", pos);
      case "++":
        return concatCode(left(), right(), pos);
      case "//":
        return updateCode(left(), right(), pos, [this.updateOperand(expr.right), this.updateOperand(expr.left)]);
      case "&&":
      case "||":
      case "->":
        return logicalCode(op, left(), right(), pos);
      case "|>":
        return this.piped(expr.right, expr.left, expr, scope, level);
      case "<|":
        return this.piped(expr.left, expr.right, expr, scope, level);
    }
  }

  /** `a |> f b` is the call `f b a`. */
  private piped(func: Expr, argument: Expr, { end, opPos }: Binary, scope: Scope, level: number): Code {
    const call: Apply = { kind: "apply", start: opPos, end, func, args: [argument] };
    return this.expr(call, scope, level);
  }

  private assertEqual(expr: Assert, { left, right }: Binary, scope: Scope): Code {
    const body = this.delayed(expr.body, scope);
    const text = (): string => printExpr(expr.condition);
    return assertEqualCode(this.delayed(left, scope), this.delayed(right, scope), body, text, this.pos(expr.start));
  }

  private updateOperand(operand: Expr): UpdateOperand {
    return { nested: operand.kind === "binary" && operand.op === "//", pos: this.ownPos(operand) };
  }

  private callBinary(builtin: string, args: readonly Expr[], expr: Binary, scope: Scope): Code {
    const fn = this.variable(builtin, scope, expr.opPos);
    return applyCode(
      fn,
      args.map((argument) => this.delayed(argument, scope)),
      this.pos(expr.opPos),
    );
  }

  /** Where the right operand's text starts, parentheses included. */
  private operandStart(expr: Binary): number {
    const { text } = this.source;
    const trivia = /(?:[ \t\r\n]|#[^\r\n]*|\/\*[^]*?\*\/)*/y;
    trivia.lastIndex = expr.opPos + expr.op.length;
    trivia.exec(text);
    return trivia.lastIndex === 0 ? expr.right.start : trivia.lastIndex;
  }
}

/**
 * A call with the arguments of the calls in parentheses that it calls: `(f a) b` is `f a b` to Nix. Its place is that of the innermost
 * call, also of one that an operator stands for, as in `(1 - 2) 3`.
 */
function wholeCall({ func, args, start }: Apply): { func: Expr; args: readonly Expr[]; start: number } {
  if (func.kind === "apply") {
    const inner = wholeCall(func);
    return { func: inner.func, args: [...inner.args, ...args], start: inner.start };
  }
  return { func, args, start: operatorCallStart(func) ?? start };
}

/** Where Nix places the call that an operator stands for. */
function operatorCallStart(expr: Expr): number | undefined {
  if (expr.kind === "negate") return expr.start;
  if (expr.kind !== "binary") return undefined;
  if (CALLED_OPERATORS.has(expr.op)) return expr.opPos;
  if (expr.op === "|>" && expr.right.kind === "apply") return wholeCall(expr.right).start;
  if (expr.op === "<|" && expr.left.kind === "apply") return wholeCall(expr.left).start;
  return expr.op === "|>" || expr.op === "<|" ? expr.opPos : undefined;
}

/** Operators that are calls of a builtin. */
const CALLED_OPERATORS: ReadonlySet<string> = new Set(["-", "*", "/", "<", ">"]);
