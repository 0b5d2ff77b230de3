/**
 * Settings as text: nix.conf lines, NIX_CONFIG, `--option NAME VALUE`.
 */
import { NixError } from "./error.ts";
import type { Settings } from "./settings.ts";

/** The lines of a nix.conf: `name = value`, `#` comments. */
export function parseConfig(text: string): [name: string, value: string][] {
  const entries: [string, string][] = [];
  for (const line of text.split("\n")) {
    const match = /^\s*([^#=\s]+)\s*=\s*([^#]*)/.exec(line);
    if (match !== null) entries.push([match[1]!, match[2]!.trim()]);
  }
  return entries;
}

const words = (text: string): string[] => text.split(/\s+/).filter((word) => word !== "");

/** A value that is no value of its setting: the setting keeps what it was. */
class InvalidValue extends Error {}

function boolean(name: string, value: string): boolean {
  if (/^(true|yes|1)$/.test(value)) return true;
  if (/^(false|no|0)$/.test(value)) return false;
  throw new InvalidValue(`Boolean setting '${name}' has invalid value '${value}'`);
}

function level(name: string, value: string): Settings["lintUrlLiterals"] {
  if (value === "ignore" || value === "warn" || value === "fatal") return value;
  throw new InvalidValue(`setting '${name}' has invalid value '${value}', expected 'ignore', 'warn', or 'fatal'`);
}

function natural(name: string, value: string): number {
  if (/^\d+$/.test(value)) return Number(value);
  throw new InvalidValue(`setting '${name}' has invalid value '${value}'`);
}

/** Experimental features of this version. */
const features = new Set(
  (
    "auto-allocate-uids blake3-hashes build-time-fetch-tree ca-derivations cgroups configurable-impure-env daemon-trust-override " +
    "dynamic-derivations external-builders fetch-closure fetch-tree flakes git-hashing impure-derivations local-overlay-store " +
    "mounted-ssh-store nix-command parse-toml-timestamps pipe-operators read-only-local-store recursive-nix verified-fetches"
  ).split(" "),
);

function featureSet(value: string, before: ReadonlySet<string>, warn: Warn): ReadonlySet<string> {
  const named = words(value);
  for (const feature of named) {
    if (feature === "no-url-literals") {
      const instead = "use 'lint-url-literals = fatal' setting instead";
      warn(`experimental feature '${feature}' has been stabilized and renamed; ${instead}`);
    } else if (!features.has(feature)) warn(`unknown experimental feature '${feature}'`);
  }
  return new Set([...before, ...named]);
}

/** Settings of nix.conf that do not change what an evaluation gives. */
const ignored = new Set(
  (
    "accept-flake-config access-tokens allow-dirty-locks allow-new-privileges allow-symlinked-store " +
    "allow-unsafe-native-code-during-evaluation allowed-impure-host-deps allowed-users always-allow-substitutes auto-optimise-store " +
    "bash-prompt bash-prompt-prefix bash-prompt-suffix build-dir build-hook build-poll-interval build-users-group builders " +
    "builders-use-substitutes commit-lock-file-summary compress-build-log connect-timeout cores debugger-on-trace debugger-on-warn " +
    "diff-hook download-attempts download-buffer-size download-speed eval-attrset-update-layer-rhs-threshold eval-cache " +
    "eval-profile-file eval-profiler eval-profiler-frequency external-builders extra-platforms fallback filter-syscalls " +
    "fsync-metadata fsync-store-paths gc-reserved-space hashed-mirrors http-connections http2 id-count ignore-try ignored-acls " +
    "impersonate-linux-26 json-log-path keep-build-log keep-derivations keep-env-derivations keep-failed keep-going keep-outputs " +
    "log-lines max-build-log-size max-free max-jobs max-silent-time max-substitution-jobs min-free min-free-check-interval " +
    "nar-buffer-size narinfo-cache-meta-ttl narinfo-cache-negative-ttl narinfo-cache-positive-ttl netrc-file " +
    "nix-shell-always-looks-for-shell-nix nix-shell-shebang-arguments-relative-to-script plugin-files post-build-hook pre-build-hook " +
    "preallocate-contents print-missing require-drop-supplementary-groups require-sigs run-diff-hook sandbox sandbox-build-dir " +
    "sandbox-dev-shm-size sandbox-fallback sandbox-paths secret-key-files ssl-cert-file stalled-download-timeout start-id store " +
    "substitute substituters sync-before-registering system-features tarball-ttl timeout trace-function-calls " +
    "trace-import-from-derivation trust-tarballs-from-git-forges trusted-public-keys trusted-substituters trusted-users " +
    "upgrade-nix-store-path-url use-case-hack use-cgroups use-sqlite-wal use-xdg-base-directories user-agent-suffix " +
    "warn-large-path-threshold warn-short-path-literals"
  ).split(" "),
);

/** Settings that are on or off: flags without a value. */
const switches = new Set(
  (
    "abort-on-warn accept-flake-config allow-dirty allow-dirty-locks allow-import-from-derivation allow-new- " +
    "privileges allow-symlinked-store allow-unsafe-native-code-during-evaluation always-allow-substitutes auto- " +
    "allocate-uids auto-optimise-store builders-use-substitutes compress-build-log debugger-on-trace debugger-on-warn " +
    "eval-cache fallback filter-syscalls fsync-metadata fsync-store-paths http2 ignore-try impersonate-linux-26 keep- " +
    "build-log keep-derivations keep-env-derivations keep-failed keep-going keep-outputs nix-shell-always-looks-for- " +
    "shell-nix nix-shell-shebang-arguments-relative-to-script preallocate-contents print-missing pure-eval require- " +
    "drop-supplementary-groups require-sigs restrict-eval run-diff-hook sandbox-fallback show-trace substitute sync- " +
    "before-registering trace-function-calls trace-import-from-derivation trace-verbose trust-tarballs-from-git- " +
    "forges use-case-hack use-cgroups use-registries use-sqlite-wal use-xdg-base-directories warn-dirty warn-short- " +
    "path-literals"
  ).split(" "),
);

/** Settings to which `extra-…` adds. */
const lists = new Set(
  (
    "access-tokens allowed-impure-host-deps allowed-uris allowed-users build-hook experimental-features external- " +
    "builders extra-platforms hashed-mirrors ignored-acls impure-env nix-path plugin-files sandbox-paths secret-key- " +
    "files substituters system-features trusted-public-keys trusted-substituters trusted-users"
  ).split(" "),
);

const values = new Set(
  "eval-system flake-registry lint-absolute-path-literals lint-short-path-literals lint-url-literals max-call-depth system".split(
    " ",
  ),
);

/** What a flag for a setting takes: nothing, or a value; undefined when there is no such setting. */
export function settingArity(name: string): 0 | 1 | undefined {
  if (switches.has(name)) return 0;
  const isList = lists.has(name.replace(/^extra-/, ""));
  return isList || values.has(name) || ignored.has(name) ? 1 : undefined;
}

/** The settings with one changed by its flag. @throws NixError of kind usage on an invalid value */
export function applySettingFlag(settings: Settings, name: string, value: string, warn: Warn): Settings {
  try {
    return changed(settings, name, value, warn);
  } catch (thrown) {
    if (!(thrown instanceof InvalidValue)) throw thrown;
    throw new NixError("usage", thrown.message, { data: { usage: true } });
  }
}

type Warn = (message: string) => void;

/** The settings with one changed. Unknown settings and invalid values are warned about and change nothing. */
export function applySetting(settings: Settings, name: string, value: string, warn: Warn): Settings {
  try {
    return changed(settings, name, value, warn);
  } catch (thrown) {
    if (!(thrown instanceof InvalidValue)) throw thrown;
    warn(thrown.message);
    return settings;
  }
}

function changed(settings: Settings, name: string, value: string, warn: Warn): Settings {
  switch (name) {
    case "system":
    case "eval-system":
      return { ...settings, system: value };
    case "pure-eval":
      return { ...settings, pureEval: boolean(name, value) };
    case "restrict-eval":
      return { ...settings, restrictEval: boolean(name, value) };
    case "allow-import-from-derivation":
      return { ...settings, allowImportFromDerivation: boolean(name, value) };
    case "trace-verbose":
      return { ...settings, traceVerbose: boolean(name, value) };
    case "abort-on-warn":
      return { ...settings, abortOnWarn: boolean(name, value) };
    case "show-trace":
      return { ...settings, showTrace: boolean(name, value) };
    case "allow-dirty":
      return { ...settings, allowDirty: boolean(name, value) };
    case "warn-dirty":
      return { ...settings, warnDirty: boolean(name, value) };
    case "flake-registry":
      return { ...settings, flakeRegistry: value };
    case "use-registries":
      return { ...settings, useRegistries: boolean(name, value) };
    case "max-call-depth":
      return { ...settings, maxCallDepth: natural(name, value) };
    case "allowed-uris":
      return { ...settings, allowedUris: words(value) };
    case "nix-path":
      return { ...settings, nixPath: words(value) };
    case "extra-nix-path":
      return { ...settings, nixPath: [...settings.nixPath, ...words(value)] };
    case "experimental-features":
      return { ...settings, experimentalFeatures: featureSet(value, new Set(), warn) };
    case "extra-experimental-features":
      return { ...settings, experimentalFeatures: featureSet(value, settings.experimentalFeatures, warn) };
    case "lint-url-literals":
      return { ...settings, lintUrlLiterals: level(name, value) };
    case "lint-short-path-literals":
      return { ...settings, lintShortPathLiterals: level(name, value) };
    case "lint-absolute-path-literals":
      return { ...settings, lintAbsolutePathLiterals: level(name, value) };
    default:
      if (!ignored.has(name.replace(/^extra-/, ""))) warn(`unknown setting '${name}'`);
      return settings;
  }
}
