/**
 * Settings that change what an evaluation gives. Names follow nix.conf; defaults are those of C++ Nix 2.34 on a plain system.
 */
export interface Settings {
  readonly system: string;
  readonly storeDir: string;
  readonly pureEval: boolean;
  readonly restrictEval: boolean;
  readonly allowImportFromDerivation: boolean;
  readonly allowedUris: readonly string[];
  readonly experimentalFeatures: ReadonlySet<string>;
  readonly maxCallDepth: number;
  readonly traceVerbose: boolean;
  readonly abortOnWarn: boolean;
  readonly showTrace: boolean;
  /** Search path: "prefix=path" or "path", NIX_PATH order. */
  readonly nixPath: readonly string[];
  /** What relative entries of the search path are relative to. */
  readonly directory: string;
  /** Whether git working trees may have changes that are not committed, and whether that is warned of. */
  readonly allowDirty: boolean;
  readonly warnDirty: boolean;
  /** The global registry of flakes: a file's path, empty for none, anything else for the one that is built in. */
  readonly flakeRegistry: string;
  readonly useRegistries: boolean;
  /** `--override-flake`: references and what they mean instead. */
  readonly flakeOverrides: readonly (readonly [from: string, to: string])[];
  readonly lintUrlLiterals: "ignore" | "warn" | "fatal";
  readonly lintShortPathLiterals: "ignore" | "warn" | "fatal";
  readonly lintAbsolutePathLiterals: "ignore" | "warn" | "fatal";
  /** Only compute store paths, write nothing: `--eval` without --read-write-mode. */
  readonly readOnly: boolean;
  /** Nested calls and forces that run on the JavaScript stack before the explicit-stack machine takes over. */
  readonly directDepth: number;
}

export const defaultSettings: Settings = {
  system: "i686-linux",
  storeDir: "/nix/store",
  pureEval: false,
  restrictEval: false,
  allowImportFromDerivation: true,
  allowedUris: [],
  experimentalFeatures: new Set(),
  maxCallDepth: 10_000,
  traceVerbose: false,
  abortOnWarn: false,
  showTrace: false,
  nixPath: [],
  directory: "/",
  allowDirty: true,
  warnDirty: true,
  flakeRegistry: "https://channels.nixos.org/flake-registry.json",
  useRegistries: true,
  flakeOverrides: [],
  lintUrlLiterals: "ignore",
  lintShortPathLiterals: "ignore",
  lintAbsolutePathLiterals: "ignore",
  readOnly: true,
  directDepth: 400,
};
