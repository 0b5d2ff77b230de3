/**
 * Flake registries: what an indirect reference ("nixpkgs") stands for. There are four, asked in this order: the command line's
 * (`--override-flake`), the user's, the system's and the global one. A registry's file is JSON, version 2.
 */
import type { EvalContext } from "#engine/eval/context.ts";
import { NixError } from "#engine/eval/error.ts";
import { attrsJson, sameInput } from "./flake-lock.ts";
import { checkInput, type InputAttr, type InputAttrs, parseFlakeRef, printFlakeRef } from "./flake-ref.ts";

export type RegistryKind = "flags" | "user" | "system" | "global";

export interface RegistryEntry {
  readonly from: InputAttrs;
  readonly to: InputAttrs;
  /** Only a reference that is `from` itself, not one that adds a branch to it. */
  readonly exact: boolean;
  /** Is `to` what a fetcher gave, so that nothing about it is open? */
  readonly isFinal?: boolean;
}

export interface Registry {
  readonly kind: RegistryKind;
  readonly entries: readonly RegistryEntry[];
}

/** The global registry where none can be downloaded: names whose places are commonly known. */
const BUILT_IN: Readonly<Record<string, string>> = {
  "flake-parts": "github:hercules-ci/flake-parts",
  "flake-utils": "github:numtide/flake-utils",
  "home-manager": "github:nix-community/home-manager",
  nix: "github:NixOS/nix",
  "nix-darwin": "github:nix-darwin/nix-darwin",
  "nixos-hardware": "github:NixOS/nixos-hardware",
  nixpkgs: "github:NixOS/nixpkgs/nixpkgs-unstable",
  templates: "github:NixOS/templates",
  "treefmt-nix": "github:numtide/treefmt-nix",
};

type RegistryContext = Pick<EvalContext, "io" | "settings">;

/** Where the user's registry is kept. */
export const userRegistryPath = ({ io }: Pick<EvalContext, "io">): string => {
  const config = io.getEnv("XDG_CONFIG_HOME") ?? `${io.getEnv("HOME") ?? "/homeless-shelter"}/.config`;
  return `${config}/nix/registry.json`;
};

const systemRegistryPath = ({ io }: Pick<EvalContext, "io">): string =>
  `${io.getEnv("NIX_CONF_DIR") ?? "/etc/nix"}/registry.json`;

/** All registries, in the order in which they are asked. */
export function flakeRegistries(context: RegistryContext): Registry[] {
  return [
    { kind: "flags", entries: context.settings.flakeOverrides.map(([from, to]) => entryOf(from, to)) },
    readRegistry("user", userRegistryPath(context), context),
    readRegistry("system", systemRegistryPath(context), context),
    globalRegistry(context),
  ];
}

function globalRegistry(context: RegistryContext): Registry {
  const { flakeRegistry } = context.settings;
  if (flakeRegistry.startsWith("/")) return readRegistry("global", flakeRegistry, context);
  const entries = flakeRegistry === "" ? [] : Object.entries(BUILT_IN).map(([from, to]) => entryOf(from, to));
  return { kind: "global", entries };
}

const entryOf = (from: string, to: string): RegistryEntry => ({
  from: parseFlakeRef(from),
  to: parseFlakeRef(to),
  exact: false,
});

/** A registry's file; an empty registry when there is none. */
export function readRegistry(kind: RegistryKind, path: string, { io }: Pick<EvalContext, "io">): Registry {
  if (io.lstat(path) === undefined) return { kind, entries: [] };
  const json = JSON.parse(io.readFile(path)) as { version?: unknown; flakes?: unknown };
  if (json.version !== 2) {
    throw new NixError("eval", `flake registry "${path}" has unsupported version ${String(json.version ?? "")}`);
  }
  const entries = Array.isArray(json.flakes) ? (json.flakes as Record<string, unknown>[]) : [];
  return {
    kind,
    entries: entries.map(({ from, to, exact }) => ({
      from: attrsOfJson(from),
      to: attrsOfJson(to),
      exact: exact === true,
      isFinal: Object.hasOwn(to as object, "__final"),
    })),
  };
}

/** `__final` says that a reference is what a fetcher gave; it asks for nothing. */
function attrsOfJson(json: unknown): InputAttrs {
  const attrs = new Map<string, InputAttr>();
  for (const [name, value] of Object.entries(json as Record<string, string | number | boolean>)) {
    if (name !== "__final") attrs.set(name, typeof value === "number" ? BigInt(value) : value);
  }
  return attrs;
}

/** The bytes of a registry's file. */
export function printRegistry({ entries }: Registry): string {
  const flakes = entries.map(({ from, to, exact, isFinal }) => ({
    ...(exact ? { exact } : {}),
    from: attrsJson(from),
    to: { ...(isFinal === true ? { __final: true } : {}), ...attrsJson(to) },
  }));
  return JSON.stringify({ flakes: flakes.length === 0 ? null : flakes, version: 2 }, undefined, 2);
}

/** Which registries are asked: all, for what is typed; those that others have too, for the inputs of a flake. */
export type RegistryUse = "all" | "inputs" | "none";

/** Most steps from a reference to what it stands for. */
const MOST_STEPS = 100;

/** What a reference stands for, through the registries as often as needed. @throws NixError when none knows it */
export function resolveIndirect(ref: InputAttrs, use: RegistryUse, context: RegistryContext): InputAttrs {
  if (use === "none" || !context.settings.useRegistries) {
    if (ref.get("type") !== "indirect") return ref;
    const message = `'${printFlakeRef(ref)}' is an indirect flake reference, but registry lookups are not allowed`;
    throw new NixError("eval", message);
  }
  const registries = flakeRegistries(context).filter(
    ({ kind }) => use === "all" || kind === "flags" || kind === "global",
  );
  const entries = registries.flatMap((registry) => registry.entries);
  let current = ref;
  for (let step = 0; step < MOST_STEPS; step++) {
    const next = entries.find((entry) => matches(entry, current));
    if (next === undefined) {
      if (current.get("type") !== "indirect") return current;
      throw notFound(current);
    }
    current = next.exact || sameInput(next.from, current) ? next.to : withVersion(next, current);
  }
  throw new NixError("eval", `cycle detected in flake registry for '${printFlakeRef(ref)}'`);
}

const notFound = (ref: InputAttrs): NixError =>
  new NixError("eval", `cannot find flake '${printFlakeRef(ref)}' in the flake registries`);

function matches({ from, exact }: RegistryEntry, ref: InputAttrs): boolean {
  if (exact || from.get("type") !== "indirect") return sameInput(from, ref);
  if (ref.get("type") !== "indirect" || ref.get("id") !== from.get("id")) return false;
  return ["ref", "rev"].every((name) => !from.has(name) || from.get(name) === ref.get(name));
}

/** The branch or commit that a reference adds to the name of an entry. */
function withVersion({ from, to }: RegistryEntry, ref: InputAttrs): InputAttrs {
  const changed = new Map(to);
  const rev = from.has("rev") ? undefined : ref.get("rev");
  const branch = from.has("ref") ? undefined : ref.get("ref");
  const refuse = (what: string, version: unknown): NixError =>
    new NixError("eval", `don't know how to set ${what} of input '${printFlakeRef(to)}' to '${String(version)}'`);
  const isFixed = ["path", "tarball", "file"].includes(String(to.get("type")));
  if (isFixed && rev !== undefined) throw refuse("commit hash", rev);
  if (isFixed && branch !== undefined) throw refuse("branch/tag name", branch);
  if (rev !== undefined) {
    changed.set("rev", rev);
    if (to.get("type") !== "git") changed.delete("ref");
  }
  if (branch !== undefined) {
    changed.set("ref", branch);
    if (to.get("type") !== "git" && rev === undefined) changed.delete("rev");
  }
  checkInput(withoutDir(changed));
  return changed;
}

function withoutDir(attrs: InputAttrs): InputAttrs {
  const rest = new Map(attrs);
  rest.delete("dir");
  return rest;
}
