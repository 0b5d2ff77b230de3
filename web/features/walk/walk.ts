/**
 * The short guide of a first visit: at most one sentence at a time, about the next thing worth trying, and a button that
 * makes the edit it speaks of. Which sentence comes is worked out from what has really happened.
 */
import { highlight } from "#web/editor/highlight.ts";
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

const colours = ["seagreen", "rebeccapurple", "steelblue", "chocolate"];

/** The file with its colour (`colour = "…"`) changed to the next of ours; null when it names none. */
export function recolour(text: string): string | null {
  const found = /^(\s*colou?r\s*=\s*")([^"]*)(";)/m.exec(text);
  if (!found) return null;
  const [whole, before = "", now = "", after = ""] = found;
  const next = colours[(colours.indexOf(now) + 1) % colours.length] ?? "steelblue";
  return text.replace(whole, before + next + after);
}

const brokenRoot = "/nowhere";

/** The file with the web server sent to a folder that is not there; it builds, and the service does not start. */
export function breakService(text: string): string | null {
  const at = valueOf(text, "root");
  return at && `${text.slice(0, at.start)} "${brokenRoot}"${text.slice(at.end)}`;
}

/** Where the value of a binding stands: from after its `=` to before its `;`. */
function valueOf(text: string, name: string): { start: number; end: number } | null {
  let offset = 0;
  let depth = 0;
  let start: number | null = null;
  for (const { kind, text: part } of highlight(text)) {
    if (start === null && kind === "name" && (part === name || part.endsWith(`.${name}`)))
      start = text.indexOf("=", offset + part.length) + 1;
    else if (start !== null && offset >= start && (kind === "text" || kind === "escape")) {
      if (["{", "[", "(", "${"].includes(part)) depth += 1;
      else if (["}", "]", ")"].includes(part)) depth -= 1;
      else if (part === ";" && depth === 0) return { start, end: offset };
    }
    offset += part.length;
  }
  return null;
}
