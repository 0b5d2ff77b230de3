/** What the page says and offers, worked out from the state: pure functions, so that each sentence has one place and a test. */
import { formatBytes, pathName, plural } from "./format.ts";
import type { Change, Diagnostic, Generation, State, SwitchAction } from "./model.ts";

/** The first file that has an error, in the order of the workspace, with that error. */
export function firstError(
  state: Pick<State, "workspace" | "diagnostics">,
): { path: string; error: Diagnostic } | null {
  for (const { path } of state.workspace.files) {
    const error = state.diagnostics[path]?.find((found) => found.severity === "error");
    if (error) return { path, error };
  }
  return null;
}

export function countErrors(diagnostics: State["diagnostics"]): number {
  return Object.values(diagnostics)
    .flat()
    .filter((found) => found.severity === "error").length;
}

/** `3 things change, 40 kB`. */
export function changeSentence(change: Change): string {
  if (change.count === 0) return "Nothing a service would notice changes";
  const things = `${plural(change.count, "thing")} ${change.count === 1 ? "changes" : "change"}`;
  return change.newBytes > 0 ? `${things}, ${formatBytes(change.newBytes)}` : things;
}

export interface Chip {
  sign: "+" | "−" | "~" | "↻";
  text: string;
  kind: "unit" | "file" | "package" | "user" | "other";
}

const unitSign = { start: "+", stop: "−", restart: "↻", reload: "↻" } as const;
const kindSign = { added: "+", removed: "−", changed: "~" } as const;

/** The change as short marks, the most telling first. */
export function changeChips(change: Change): Chip[] {
  return [
    ...change.units.map((unit): Chip => ({ sign: unitSign[unit.action], text: bareUnit(unit.name), kind: "unit" })),
    ...change.etc.map((file): Chip => ({ sign: kindSign[file.kind], text: chipName(file.path), kind: "file" })),
    ...change.packages.map((entry): Chip => ({
      sign: entry.before === null ? "+" : entry.after === null ? "−" : "~",
      text: entry.name,
      kind: "package",
    })),
    ...change.users.map((user): Chip => ({ sign: kindSign[user.kind], text: user.name, kind: "user" })),
    ...change.others.map((other): Chip => ({ sign: "~", text: other.name, kind: "other" })),
  ];
}

/** A file of /etc, short enough for a chip: its whole name, or its last part. */
function chipName(path: string): string {
  const name = etcName(path);
  return name.length <= 26 ? name : `…/${name.slice(name.lastIndexOf("/") + 1)}`;
}

export const bareUnit = (name: string): string => name.replace(/\.service$/, "");

export const etcName = (path: string): string => `/etc/${path.replace(/^\/?(etc\/)?/, "")}`;

/** What the strip under the editor shows. */
export type Strip =
  | { kind: "starting"; text: string }
  | { kind: "error"; text: string; path: string; at: Diagnostic["range"] }
  | { kind: "failure"; text: string }
  | { kind: "first"; text: string }
  | { kind: "computing"; text: string }
  | { kind: "ready"; text: string; change: Change | null }
  | { kind: "same"; text: string }
  | { kind: "building"; text: string; fraction: number | null }
  | { kind: "build-failed"; text: string }
  | { kind: "switching" }
  | { kind: "unit-failed"; text: string };

export function stripOf(state: State): Strip {
  if (state.start.phase !== "ready") return { kind: "starting", text: state.start.text };
  if (state.switching.phase === "running") return { kind: "switching" };
  if (state.build.phase === "running") return buildingStrip(state);
  const first = firstError(state);
  if (first) return errorStrip(first.path, first.error, countErrors(state.diagnostics));
  if (state.evaluation.failure !== null) return { kind: "failure", text: "It does not evaluate" };
  if (state.build.phase === "failed") return { kind: "build-failed", text: buildFailure(state) };
  return pendingStrip(state);
}

function buildingStrip({ build }: State): Strip {
  const done = build.steps.filter((step) => step.state === "done" || step.state === "skipped").length;
  const running = build.steps.find((step) => step.state === "running");
  const fraction = build.steps.length > 0 ? done / build.steps.length : null;
  return { kind: "building", text: running ? `Building ${running.name}` : "Building", fraction };
}

function errorStrip(path: string, error: Diagnostic, count: number): Strip {
  const where = `line ${error.range.start.line}`;
  const text = count === 1 ? `An error on ${where}` : `${count} errors, the first on ${where}`;
  return { kind: "error", text, path, at: error.range };
}

const buildFailure = ({ build }: State): string => {
  const failed = build.steps.find((step) => step.state === "failed");
  return failed ? `Building ${failed.name} failed` : "The build failed";
};

function pendingStrip(state: State): Strip {
  const { pending, switching, machine } = state;
  if (pending.status === "computing" || pending.status === "unknown") return { kind: "computing", text: "Evaluating" };
  if (pending.status === "first") return { kind: "first", text: "Not built yet" };
  if (pending.status === "ready") {
    // What a builder makes is known when it has made it.
    const text = pending.change ? changeSentence(pending.change) : "What changes shows when it is built";
    return { kind: "ready", text, change: pending.change };
  }
  const failed = switching.phase === "failed" && machine.phase === "running" ? switching.failedUnits : [];
  if (failed.length > 0) return { kind: "unit-failed", text: `${bareUnit(failed[0] ?? "")} does not start` };
  const off = machine.phase === "off" || machine.phase === "failed";
  return { kind: "same", text: off ? "The machine starts with this file" : "The machine runs this file" };
}

export const defaultGeneration = (list: Generation[]): Generation | undefined => list.find((each) => each.isDefault);

/** `--rollback` goes to the next lower number than the default's. */
export function rollbackTarget(list: Generation[]): Generation | undefined {
  const from = defaultGeneration(list)?.number ?? 0;
  return list.findLast((each) => each.number < from);
}

export function switchCommand(action: SwitchAction): string {
  return `nixos-rebuild ${action}`;
}

/** What runs, in two or three words. */
export function runningLabel({ generations, machine }: State): string {
  if (generations.runningUnsaved) return "running, not saved";
  return machine.generation === null ? "" : `generation ${machine.generation}`;
}

/** Up to `room` generations for the picture, newest first, never without the default, the current and the booted one. */
export function pictured(list: Generation[], room: number): Generation[] {
  const must = list.filter((each) => each.isDefault || each.current || each.booted);
  const others = list.filter((each) => !must.includes(each)).toReversed();
  const chosen = [...must, ...others.slice(0, Math.max(0, room - must.length))];
  return chosen.toSorted((a, b) => b.number - a.number);
}

/** Paths whose name tells nothing apart get their hash shown as well. */
export function ambiguousNames(paths: string[]): Set<string> {
  const seen = new Map<string, number>();
  for (const path of paths) seen.set(pathName(path), (seen.get(pathName(path)) ?? 0) + 1);
  return new Set([...seen].filter(([, count]) => count > 1).map(([name]) => name));
}
