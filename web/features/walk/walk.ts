/**
 * The short guide of a first visit: at most one sentence at a time, about the next thing worth trying, and a button that
 * makes the edit it speaks of. Which sentence comes is worked out from what has really happened.
 */
import type { State } from "#web/state/model.ts";

export type Stage =
  "change" | "switch" | "plug" | "plug-switch" | "break" | "break-switch" | "rollback" | "share" | "done";

export interface Done {
  switched: boolean;
  cut: boolean;
  broken: boolean;
  rolledBack: boolean;
  shared: boolean;
}

export const nothingDone: Done = { switched: false, cut: false, broken: false, rolledBack: false, shared: false };

/** What has been done, after one more change of the state. */
export function advance(done: Done, state: State): Done {
  const { list } = state.generations;
  const next = {
    switched: done.switched || list.length > 1,
    cut: done.cut || (state.machine.phase === "cut" && list.length > 1),
    broken: done.broken || (state.switching.phase === "failed" && state.switching.failedUnits.length > 0),
    rolledBack:
      done.rolledBack || (done.broken && state.switching.action === "rollback" && state.switching.phase === "done"),
    shared: done.shared || state.share.url !== null,
  };
  return JSON.stringify(next) === JSON.stringify(done) ? done : next;
}

export function stageOf(done: Done, state: State): Stage {
  if (!done.switched) return pending(state) ? "switch" : "change";
  if (!done.cut) return pending(state) && state.ui.plugBefore !== null ? "plug-switch" : "plug";
  if (!done.broken) return isBroken(state) ? "break-switch" : "break";
  if (!done.rolledBack) return "rollback";
  return done.shared ? "done" : "share";
}

const pending = (state: State): boolean => state.pending.status === "ready" && (state.pending.change?.count ?? 0) > 0;

const isBroken = (state: State): boolean => pending(state) && entryText(state).includes(brokenRoot);

/** One sentence a stage, and what its button says; no button where the next press is on the strip or the machine. */
export const sentences: Record<Exclude<Stage, "done">, { text: string; button: string | null }> = {
  change: { text: "Change the page’s colour.", button: "Change it" },
  switch: { text: "Now press Switch.", button: null },
  plug: { text: "Pull the plug in the middle of the next one.", button: "Prepare it" },
  "plug-switch": { text: "Press Switch. The power will go.", button: null },
  break: { text: "Now break it. It will still build.", button: "Break it" },
  "break-switch": { text: "Press Switch.", button: null },
  rollback: { text: "The page is gone. Roll back.", button: null },
  share: { text: "Send this machine to somebody.", button: "Share" },
};

export function entryText(state: State): string {
  return state.workspace.files.find((file) => file.path === state.workspace.entry)?.text ?? "";
}

const colours = ["#2f6f9f", "#b3541e", "#1f7a4d", "#7a3e9d"];

/** The file with its first colour changed to the next of ours; null when it has none. */
export function recolour(text: string): string | null {
  const found = /#[0-9a-fA-F]{6}\b/.exec(text);
  if (!found) return null;
  const at = colours.indexOf(found[0].toLowerCase());
  const next = colours[(at + 1) % colours.length] ?? "#2f6f9f";
  return text.slice(0, found.index) + next + text.slice(found.index + found[0].length);
}

const brokenRoot = "/nowhere";

/** The file with the web server sent to a folder that is not there; it builds, and the service does not start. */
export function breakService(text: string): string | null {
  const found = /^(\s*(?:services\.static-web-server\.)?root\s*=\s*)[^;]+;/m.exec(text);
  return found ? text.replace(found[0], `${found[1]}"${brokenRoot}";`) : null;
}
