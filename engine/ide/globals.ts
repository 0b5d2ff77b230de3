/** Names every Nix expression sees without asking: the builtins that need no `builtins.`, and the constants. */

/** Builtins in scope by their own name; all others only as `builtins.x`. */
export const GLOBAL_NAMES: ReadonlySet<string> = new Set([
  "abort",
  "baseNameOf",
  "break",
  "builtins",
  "derivation",
  "derivationStrict",
  "dirOf",
  "false",
  "fetchGit",
  "fetchMercurial",
  "fetchTarball",
  "fetchTree",
  "fromTOML",
  "import",
  "isNull",
  "map",
  "null",
  "placeholder",
  "removeAttrs",
  "scopedImport",
  "throw",
  "toString",
  "true",
]);

export const CONSTANTS: ReadonlySet<string> = new Set(["true", "false", "null"]);

/** Whether a name means something without being defined: a global, or a builtin by its `__name`. */
export function isGlobal(name: string): boolean {
  return GLOBAL_NAMES.has(name) || name.startsWith("__");
}
