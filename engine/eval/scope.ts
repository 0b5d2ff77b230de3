/**
 * Static scopes: what is known about variables before anything runs. Each scope but the outermost has one frame at run time.
 */
import type { Slot } from "./value.ts";

export type Scope = GlobalScope | FrameScope | WithScope;

/** The builtins: no frame, the slots are known. */
export interface GlobalScope {
  readonly kind: "globals";
  readonly names: ReadonlyMap<string, Slot>;
  readonly up: null;
}

/** Variables of a `let`, `rec`, lambda or `scopedImport`: cell of the frame by name. */
export interface FrameScope {
  readonly kind: "frame";
  readonly names: ReadonlyMap<string, number>;
  readonly up: Scope;
}

/** `with`: cell 1 of the frame is the set. */
export interface WithScope {
  readonly kind: "with";
  readonly up: Scope;
}

export type Resolution =
  | { readonly kind: "local"; readonly depth: number; readonly cell: number }
  | { readonly kind: "global"; readonly slot: Slot }
  /** How many frames up each enclosing `with` is, innermost first. */
  | { readonly kind: "with"; readonly depths: readonly number[] };

/** Where a variable is found, undefined when nothing can define it. Lexical scopes win over every `with`. */
export function resolve(scope: Scope, name: string): Resolution | undefined {
  const depths: number[] = [];
  let depth = 0;
  for (let current: Scope = scope; ; current = current.up) {
    if (current.kind === "globals") {
      const slot = current.names.get(name);
      if (slot !== undefined) return { kind: "global", slot };
      return depths.length === 0 ? undefined : { kind: "with", depths };
    }
    if (current.kind === "frame") {
      const cell = current.names.get(name);
      if (cell !== undefined) return { kind: "local", depth, cell };
    } else if (current.kind === "with") {
      depths.push(depth);
    }
    depth++;
  }
}

export const frameScope = (names: ReadonlyMap<string, number>, up: Scope): FrameScope => ({ kind: "frame", names, up });

/** Names of a frame in order, from cell 1. */
export const cellNames = (names: readonly string[]): Map<string, number> =>
  new Map(names.map((name, index) => [name, index + 1] as const));
