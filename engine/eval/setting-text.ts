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

function boolean(name: string, value: string): boolean {
  if (/^(true|yes|1)$/.test(value)) return true;
  if (/^(false|no|0)$/.test(value)) return false;
  throw new NixError("usage", `Boolean setting '${name}' has invalid value '${value}'`);
}

function level(name: string, value: string): Settings["lintUrlLiterals"] {
  if (value === "ignore" || value === "warn" || value === "fatal") return value;
  throw new NixError("usage", `option '${name}' has invalid value '${value}'`);
}

/** The settings with one changed; settings that do not matter to evaluation are accepted and ignored. */
export function applySetting(settings: Settings, name: string, value: string): Settings {
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
    case "max-call-depth":
      return { ...settings, maxCallDepth: Number(value) };
    case "allowed-uris":
      return { ...settings, allowedUris: words(value) };
    case "nix-path":
      return { ...settings, nixPath: words(value) };
    case "experimental-features":
      return { ...settings, experimentalFeatures: new Set(words(value)) };
    case "extra-experimental-features":
      return { ...settings, experimentalFeatures: new Set([...settings.experimentalFeatures, ...words(value)]) };
    case "lint-url-literals":
      return { ...settings, lintUrlLiterals: level(name, value) };
    case "lint-short-path-literals":
      return { ...settings, lintShortPathLiterals: level(name, value) };
    case "lint-absolute-path-literals":
      return { ...settings, lintAbsolutePathLiterals: level(name, value) };
    default:
      return settings;
  }
}
