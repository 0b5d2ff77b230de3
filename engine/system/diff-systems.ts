/**
 * What a switch from one system to another does, decided by NixOS's rules: which units stop, start, restart and reload, and
 * what else is different. The guest's own switch (`systemd-switch`) follows the same rules with the units that really run;
 * here, unless told, the running units are those the old system's default target pulls in.
 */
import type {
  EtcChange,
  NamedChange,
  OtherChange,
  PackageChange,
  SystemChange,
  SystemDescription,
  Unit,
  UnitChange,
} from "./types.ts";
import { unitFlag, unitValue, unitWords, type UnitSections } from "./unit-file.ts";

export function diffSystems(
  before: SystemDescription,
  after: SystemDescription,
  active: ReadonlySet<string> = pulledUnits(before),
): SystemChange {
  const { changes: units, skipped } = diffUnits(before, after, active);
  const etc = diffEtc(before, after);
  const packages = diffPackages(before, after);
  const users = diffNamed(before.users, after.users);
  const groups = diffNamed(before.groups, after.groups);
  const others = diffOthers(before, after);
  const added = [...after.closure].filter(([path]) => !before.closure.has(path));
  return {
    count: units.length + etc.length + packages.length + users.length + groups.length + others.length,
    newBytes: sum(added.map(([, size]) => size)),
    closureDelta: sum(after.closure.values()) - sum(before.closure.values()),
    units,
    skipped,
    etc,
    packages,
    users,
    groups,
    others,
  };
}

/** Everything that the default target starts, directly or through other units. */
export function pulledUnits(system: SystemDescription): Set<string> {
  const reached = new Set<string>();
  const pending = [...ROOTS];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (reached.has(name)) continue;
    reached.add(name);
    const unit = system.units.get(name);
    pending.push(...(system.wanted.get(name) ?? []));
    if (unit === undefined) continue;
    for (const key of ["Wants", "Requires", "BindsTo", "Upholds"])
      pending.push(...unitWords(unit.sections, "Unit", key));
  }
  return new Set([...reached].filter((name) => isRunnable(system.units.get(name))));
}

/**
 * The units of a running system that a switch treats as active: those that it pulls in, corrected by what the machine says of each.
 * A one-shot that ended keeps its place, because a switch runs it again when it changed.
 */
export function activeUnits(
  system: SystemDescription,
  states: Iterable<readonly [name: string, active: string]>,
): Set<string> {
  const active = pulledUnits(system);
  for (const [name, state] of states) {
    const unit = system.units.get(name);
    if (state === "active" || state === "activating" || state === "reloading") active.add(name);
    else if (unit === undefined || state === "failed" || !isOneShot(unit)) active.delete(name);
  }
  return active;
}

/** What is started at boot whatever the configuration says: the default target and those it stands on. */
const ROOTS = [
  "default.target",
  "multi-user.target",
  "basic.target",
  "sysinit.target",
  "timers.target",
  "sockets.target",
  "paths.target",
  "getty.target",
  "local-fs.target",
  "network.target",
  "network-online.target",
];

function isRunnable(unit: Unit | undefined): boolean {
  return unit !== undefined && !unit.masked;
}

// ------------------------------------------------------------------------------------------------------------ units

function diffUnits(
  before: SystemDescription,
  after: SystemDescription,
  active: ReadonlySet<string>,
): { changes: UnitChange[]; skipped: string[] } {
  const changes: UnitChange[] = [];
  const skipped: string[] = [];
  for (const name of [...active].sort()) {
    const change = changeOfActive(name, before.units.get(name), after.units.get(name));
    if (change === "skip") skipped.push(name);
    else if (change !== undefined) changes.push(change);
  }
  const pulledBefore = pulledUnits(before);
  for (const name of [...pulledUnits(after)].sort()) {
    const known = before.units.has(name);
    // What was pulled in before and does not run has ended or failed on its own.
    if (active.has(name) || name.endsWith(".target") || (known && pulledBefore.has(name))) continue;
    const detail = known ? "now started with the system" : "new in this system";
    changes.push({ name, action: "start", reason: known ? "newly-wanted" : "new", detail, how: "start" });
  }
  return { changes, skipped };
}

/** What happens to a running unit; undefined: nothing. */
function changeOfActive(name: string, old: Unit | undefined, next: Unit | undefined): UnitChange | "skip" | undefined {
  if (old === undefined) return undefined;
  if (next === undefined || next.masked) {
    if (name.endsWith(".target") || !unitFlag(old.sections, "Unit", "X-StopOnRemoval", true)) return undefined;
    const reason = next === undefined ? "removed" : "masked";
    const detail = next === undefined ? "not in the new system" : "disabled in the new system";
    return { name, action: "stop", reason, detail, how: "stop" };
  }
  if (name.endsWith(".target")) return undefined;
  const difference = compareUnits(old.sections, next.sections);
  if (difference.kind === "equal") return undefined;
  if (difference.kind === "reload") {
    return { name, action: "reload", reason: "reload-trigger", detail: difference.detail, how: "reload" };
  }
  // It ended long ago; a switch starts it again.
  if (isOneShot(next)) return { name, action: "start", reason: "changed", detail: difference.detail, how: "start" };
  const service = sectionOf(name);
  if (unitFlag(next.sections, service, "X-ReloadIfChanged", false)) {
    return { name, action: "reload", reason: "changed", detail: difference.detail, how: "reload" };
  }
  const untouchable =
    !unitFlag(next.sections, service, "X-RestartIfChanged", true) ||
    unitFlag(next.sections, "Unit", "RefuseManualStop", false) ||
    unitFlag(next.sections, "Unit", "X-OnlyManualStart", false);
  if (untouchable) return "skip";
  const how = unitFlag(next.sections, service, "X-StopIfChanged", true) ? "stop-start" : "restart";
  return { name, action: "restart", reason: "changed", detail: difference.detail, how };
}

function isOneShot(unit: Unit): boolean {
  return (
    unitValue(unit.sections, "Service", "Type") === "oneshot" &&
    !unitFlag(unit.sections, "Service", "RemainAfterExit", false)
  );
}

/** The section that holds a unit's own settings: "web.service" → "Service". */
function sectionOf(name: string): string {
  const suffix = name.slice(name.lastIndexOf(".") + 1);
  return suffix.charAt(0).toUpperCase() + suffix.slice(1);
}

/** Keys of [Unit] that say nothing about the running process. */
const IGNORED = new Set([
  "AllowIsolate",
  "CollectMode",
  "Description",
  "Documentation",
  "IgnoreOnIsolate",
  "OnFailure",
  "OnFailureJobMode",
  "OnSuccess",
  "RefuseManualStart",
  "RefuseManualStop",
  "SourcePath",
  "StopWhenUnneeded",
]);

export type UnitDifference =
  { readonly kind: "equal" } | { readonly kind: "reload" | "changed"; readonly detail: string };

/** How two versions of a unit differ, as a switch sees it: a difference in reload triggers alone asks for a reload. */
export function compareUnits(old: UnitSections, next: UnitSections): UnitDifference {
  const changed: string[] = [];
  let reload = false;
  for (const section of new Set([...old.keys(), ...next.keys()])) {
    if (section === "Install" || section.startsWith("X-")) continue;
    const [left, right] = [old.get(section), next.get(section)];
    for (const key of new Set([...(left?.keys() ?? []), ...(right?.keys() ?? [])])) {
      if (sameValues(left?.get(key), right?.get(key))) continue;
      if (section === "Unit" && IGNORED.has(key)) continue;
      if ((section === "Unit" && key === "X-Reload-Triggers") || (section === "Mount" && key === "Options"))
        reload = true;
      else changed.push(key);
    }
  }
  if (changed.length > 0) return { kind: "changed", detail: `${changed.join(", ")} changed` };
  return reload ? { kind: "reload", detail: "a reload trigger changed" } : { kind: "equal" };
}

function sameValues(left: readonly string[] = [], right: readonly string[] = []): boolean {
  return left.length === right.length && left.every((value, at) => value === right[at]);
}

// ------------------------------------------------------------------------------------------------------------ the rest

function diffEtc(before: SystemDescription, after: SystemDescription): EtcChange[] {
  const changes: EtcChange[] = [];
  for (const path of allKeys(before.etc, after.etc)) {
    const [old, next] = [before.etc.get(path), after.etc.get(path)];
    if (old !== undefined && next !== undefined) {
      const same = old.content === next.content && old.mode === next.mode && old.user === next.user;
      if (same && old.group === next.group) continue;
    }
    const kind = old === undefined ? "added" : next === undefined ? "removed" : "changed";
    changes.push({ path, kind, before: old?.source ?? null, after: next?.source ?? null });
  }
  return changes;
}

function diffPackages(before: SystemDescription, after: SystemDescription): PackageChange[] {
  const changes: PackageChange[] = [];
  for (const name of allKeys(before.packages, after.packages)) {
    const [old, next] = [before.packages.get(name), after.packages.get(name)];
    if (old?.version === next?.version && old?.size === next?.size) continue;
    const sizeDelta = (next?.size ?? 0) - (old?.size ?? 0);
    changes.push({ name, before: old?.version ?? null, after: next?.version ?? null, sizeDelta });
  }
  return changes;
}

function diffNamed(before: ReadonlyMap<string, unknown>, after: ReadonlyMap<string, unknown>): NamedChange[] {
  const changes: NamedChange[] = [];
  for (const name of allKeys(before, after)) {
    if (!before.has(name)) changes.push({ name, kind: "added" });
    else if (!after.has(name)) changes.push({ name, kind: "removed" });
    else if (JSON.stringify(before.get(name)) !== JSON.stringify(after.get(name)))
      changes.push({ name, kind: "changed" });
  }
  return changes;
}

function diffOthers(before: SystemDescription, after: SystemDescription): OtherChange[] {
  const changes: OtherChange[] = [];
  const compare = (name: string, old: string, next: string, needsReboot: boolean, shown = true): void => {
    if (old !== next) changes.push({ name, detail: shown ? `${old} → ${next}` : "changed", needsReboot });
  };
  compare("host name", before.hostName, after.hostName, false);
  compare("label", before.label, after.label, false);
  compare("kernel", before.kernel, after.kernel, true);
  compare("initrd", before.initrd, after.initrd, true);
  compare("kernel parameters", before.kernelParams, after.kernelParams, true);
  compare("service manager", before.systemd, after.systemd, true);
  compare("activation script", before.activation, after.activation, false, false);
  for (const { name, kind } of diffNamed(before.specialisations, after.specialisations)) {
    changes.push({ name: `specialisation ${name}`, detail: kind, needsReboot: false });
  }
  return changes;
}

function allKeys(before: ReadonlyMap<string, unknown>, after: ReadonlyMap<string, unknown>): string[] {
  return [...new Set([...before.keys(), ...after.keys()])].sort();
}

function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}
