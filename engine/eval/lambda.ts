/**
 * `LambdaCode`: a function expression, compiled when it is first called.
 */
import type { Lambda } from "#engine/syntax/ast.ts";
import type { Code } from "./code.ts";
import type { Pos } from "./positions.ts";

/** One formal of `{ a, b ? 1 }`, in the order written. */
export interface FormalCode {
  readonly name: string;
  readonly pos: Pos;
  readonly fallback: Code | null;
}

export interface LambdaCode {
  /** The attribute or variable the function was defined as, null for an anonymous one. */
  readonly name: string | null;
  readonly pos: Pos;
  /** The name of a simple parameter or of `args@`, null without. */
  readonly param: string | null;
  readonly formals: readonly FormalCode[] | null;
  /** Names of the formals, for membership. */
  readonly formalNames: ReadonlyMap<string, number> | null;
  readonly ellipsis: boolean;
  readonly body: Code;
  /** Frame cells of a call: the frame above, the parameter if named, the formals. */
  readonly frameSize: number;
  readonly expr: Lambda;
}
