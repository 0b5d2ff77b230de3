/**
 * Systems as plain data: what a top level holds, and what becomes different when one takes another's place.
 *
 * A description is read once from the store and never changes afterwards (its store path is its identity), so it can be
 * kept for as long as anybody likes; a change is a pure function of two descriptions.
 */
import type { FileTree } from "#engine/store/format/tree.ts";
import type { StorePath } from "#engine/store/format/store-path.ts";

/** What reading a system needs of a store. All paths asked for are valid and in the closure of the system asked about. */
export interface SystemReader {
  tree(path: StorePath): Promise<FileTree>;
  /** The content of a file, by the SHA-256 (base16) its tree names. */
  blob(sha256: string): Promise<Uint8Array>;
  /** The path and all it needs, with NAR sizes in bytes. */
  closure(path: StorePath): Promise<readonly { readonly path: StorePath; readonly narSize: number }[]>;
}

/** One unit file as the supervisor would read it, its overrides (`NAME.d/*.conf`) included. */
export interface Unit {
  /** With its suffix: "web.service". */
  readonly name: string;
  readonly description: string;
  /** Where the text lies: "/nix/store/…-unit-web.service/web.service". */
  readonly file: string;
  /** Section → key → values in order; a key given twice has two values. */
  readonly sections: ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;
  /** Masked: a link to /dev/null. */
  readonly masked: boolean;
}

export interface EtcEntry {
  /** Relative to /etc. */
  readonly path: string;
  /** Where the link points in the end; for a copied file too, its source. */
  readonly source: string;
  /** Identity of what is behind it: a blob, a link target, or a directory's store path. */
  readonly content: string;
  /** "symlink", or octal permission bits of a copied file. */
  readonly mode: string;
  readonly user: string;
  readonly group: string;
}

export interface SystemUser {
  readonly name: string;
  readonly uid: number;
  readonly group: string;
  readonly home: string;
  readonly shell: string;
  readonly normal: boolean;
  readonly groups: readonly string[];
}

export interface SystemPackage {
  readonly name: string;
  readonly version: string;
  /** Bytes of all paths of this name in the closure. */
  readonly size: number;
}

/** What a top level holds. */
export interface SystemDescription {
  readonly topLevel: StorePath;
  readonly hostName: string;
  readonly label: string;
  readonly kernel: string;
  readonly initrd: string;
  readonly kernelParams: string;
  readonly systemd: StorePath;
  /** `init` and `activate` with the top level's own path taken out, so that equal scripts are equal. */
  readonly activation: string;
  /** By unit name. */
  readonly units: ReadonlyMap<string, Unit>;
  /** Units that a target's .wants or .requires directory pulls in: target → names. */
  readonly wanted: ReadonlyMap<string, readonly string[]>;
  /** By path below /etc, without systemd's own directory. */
  readonly etc: ReadonlyMap<string, EtcEntry>;
  readonly users: ReadonlyMap<string, SystemUser>;
  readonly groups: ReadonlyMap<string, number>;
  /** By package name; the system's own texts (units, etc files, scripts) are not packages. */
  readonly packages: ReadonlyMap<string, SystemPackage>;
  /** Store path → NAR size of everything in the closure. */
  readonly closure: ReadonlyMap<StorePath, number>;
  /** Specialisation name → top level. */
  readonly specialisations: ReadonlyMap<string, StorePath>;
}

export type UnitAction = "start" | "stop" | "restart" | "reload";

/** Why a unit is touched, in terms a person can check against the two unit files. */
export type UnitReason =
  "new" | "removed" | "changed" | "reload-trigger" | "no-longer-wanted" | "newly-wanted" | "masked";

export interface UnitChange {
  readonly name: string;
  readonly action: UnitAction;
  readonly reason: UnitReason;
  /** The reason in words, with the keys that differ: "ExecStart changed". */
  readonly detail: string;
  /** `stop-start`: stopped before activation and started after it; `restart`: in one go after it. */
  readonly how: "stop-start" | "restart" | "start" | "stop" | "reload";
}

export interface EtcChange {
  readonly path: string;
  readonly kind: "added" | "removed" | "changed";
  readonly before: string | null;
  readonly after: string | null;
}

export interface PackageChange {
  readonly name: string;
  /** Version, or null where the package is absent. */
  readonly before: string | null;
  readonly after: string | null;
  readonly sizeDelta: number;
}

export interface NamedChange {
  readonly name: string;
  readonly kind: "added" | "removed" | "changed";
}

export interface OtherChange {
  readonly name: string;
  readonly detail: string;
  readonly needsReboot: boolean;
}

/** What a switch from one system to another would do. */
export interface SystemChange {
  /** How many things a person would name. */
  readonly count: number;
  /** Bytes that only the new system's closure has. */
  readonly newBytes: number;
  readonly closureDelta: number;
  readonly units: readonly UnitChange[];
  /** Changed, but told not to be touched (`restartIfChanged = false`). */
  readonly skipped: readonly string[];
  readonly etc: readonly EtcChange[];
  readonly packages: readonly PackageChange[];
  readonly users: readonly NamedChange[];
  readonly groups: readonly NamedChange[];
  readonly others: readonly OtherChange[];
}

/** One line of the boot menu. */
export interface BootEntry {
  /** "Terrarium - Configuration 3 (2026-11-22 - 26.05terrarium)". */
  readonly title: string;
  readonly generation: number;
  readonly specialisation: string | null;
  readonly topLevel: StorePath;
  readonly isDefault: boolean;
}
