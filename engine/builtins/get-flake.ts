/**
 * `builtins.getFlake`, and calling a flake whose inputs are pinned: its outputs, with the results of its inputs as their arguments. A lock
 * file is never written here; under pure evaluation everything must already be pinned.
 */
import type { EvalContext } from "#engine/eval/context.ts";
import { NixError } from "#engine/eval/error.ts";
import { Keys } from "#engine/eval/keys.ts";
import { Attrs } from "#engine/eval/value.ts";
import type { Slot } from "#engine/eval/value.ts";
import { demand } from "./demand.ts";
import { treeSet } from "./fetch.ts";
import type { FetchedTree } from "./fetch.ts";
import { isRelative, splitDir } from "./flake-file.ts";
import { describeLockChange, findInput } from "./flake-lock.ts";
import type { LockNode } from "./flake-lock.ts";
import { type LockedFlake, lockFlake } from "./flake-locking.ts";
import { inputSet, requireSchemeFeature } from "./flake.ts";
import { isLocked, parseFlakeRef, printFlakeRef } from "./flake-ref.ts";
import type { InputAttr, InputAttrs } from "./flake-ref.ts";
import { attrsOf } from "./json-parse.ts";
import { arg, builtin, call } from "./record.ts";
import type { BuiltinFamily, Routine } from "./record.ts";

/** Calls every node's outputs with the results of its inputs. Its argument is `{ root, nodes }`; see `nodeSet`. */
const CALLER = `
{ root, nodes }:
let
  sourceOf = node:
    node.sourceInfo or (
      if node ? relative then results.\${node.relative.parent}.sourceInfo else builtins.fetchTree node.locked
    );
  resultOf = key: node:
    let
      sourceInfo = sourceOf node;
      base = if node ? relative then results.\${node.relative.parent}.outPath else sourceInfo.outPath;
      outPath = if node.dir == "" then base else base + "/" + node.dir;
      flake = import (outPath + "/flake.nix");
      inputs = builtins.mapAttrs (name: target: results.\${target}) node.inputs;
      outputs = flake.outputs (inputs // { self = result; });
      result = outputs // sourceInfo // {
        inherit inputs outputs outPath sourceInfo;
        _type = "flake";
      };
    in
    if node.isFlake then
      assert builtins.isFunction flake.outputs;
      result
    else
      sourceInfo // { inherit outPath sourceInfo; };
  results = builtins.mapAttrs resultOf nodes;
in
results.\${root}
`;

const graphKeys = new Keys(["nodes", "root"]);

/** A node as the caller takes it. */
function nodeSet(key: string, node: LockNode, { flake, lock, places, isModified }: LockedFlake): Attrs {
  const inputs = [...node.inputs].map(([name, edge]): [string, Slot] => [
    name,
    typeof edge === "string" ? edge : findInput(lock, edge),
  ]);
  const members = new Map<string, Slot>([
    ["inputs", attrsOf(new Map(inputs))],
    ["isFlake", node.isFlake],
  ]);
  const place = key === lock.root ? flake : places.get(key);
  const { input, dir } = splitDir(node.locked ?? new Map());
  if (place !== undefined) {
    const tree = key === lock.root && isModified === true ? withoutVersion(place.tree) : place.tree;
    members.set("sourceInfo", treeSet(tree, false));
    members.set("dir", place.dir);
  } else if (isRelative(input)) {
    const parent = findInput(lock, node.parent ?? []);
    members.set("relative", attrsOf(new Map<string, Slot>([["parent", parent]])));
    members.set("dir", String(input.get("path")));
  } else {
    members.set("locked", inputSet(input));
    members.set("dir", dir);
  }
  return attrsOf(members);
}

/** A tree that is not the commit it came from. */
function withoutVersion(tree: FetchedTree): FetchedTree {
  const attrs = new Map<string, InputAttr>(tree.attrs);
  for (const name of ["rev", "revCount"]) attrs.delete(name);
  return { ...tree, attrs };
}

/** The result of a flake: its outputs with `inputs`, `outputs`, `sourceInfo` and what is known of its version. */
export function* callFlake(locked: LockedFlake, context: EvalContext): Routine<Slot> {
  const { lock } = locked;
  const members = [...lock.nodes].map(([key, node]): [string, Slot] => [key, nodeSet(key, node, locked)]);
  const caller = yield* context.evaluateText(CALLER, "\xc2\xabflakes-internal\xc2\xbb/call-flake.nix", "/");
  return yield call(caller, [new Attrs(graphKeys, [attrsOf(new Map(members)), lock.root])]);
}

function* getFlake(ref: InputAttrs, context: EvalContext): Routine<Slot> {
  const { pureEval, useRegistries } = context.settings;
  const locked = yield* lockFlake(ref, context, {
    allowUnlocked: !pureEval,
    updateAll: false,
    updates: new Set<string>(),
    overrides: new Map<string, InputAttrs>(),
    registries: { top: !pureEval && useRegistries ? "all" : "none", inputs: useRegistries ? "inputs" : "none" },
  });
  const change = describeLockChange(locked.before, locked.lock).trimEnd();
  if (change === "") return yield* callFlake(locked, context);
  context.warn(`not writing modified lock file of flake '${printFlakeRef(ref)}':\n${change}`);
  return yield* callFlake({ ...locked, isModified: true }, context);
}

export const getFlakeBuiltins: BuiltinFamily = [
  builtin({
    name: "getFlake",
    args: [arg("flake-ref", "lazy")],
    doc: 'Fetches a flake and gives its outputs, with `inputs`, `sourceInfo` and others beside them: `(getFlake "github:a/b/REV").packages`. Needs the experimental feature `flakes`; under pure evaluation the reference must be locked.',
    *routine([slot], context) {
      const text = yield* demand(slot, "plain", "while evaluating the argument passed to builtins.getFlake");
      const ref = parseFlakeRef(text);
      requireSchemeFeature(ref, context);
      if (context.settings.pureEval && !isLocked(ref)) {
        const where = "\xc2\xabnone\xc2\xbb:0";
        const message = `cannot call 'getFlake' on unlocked flake reference '${text}', at ${where} (use --impure to override)`;
        throw new NixError("restricted", message);
      }
      return yield* getFlake(ref, context);
    },
  }),
];
