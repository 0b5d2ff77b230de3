/** What the session's modules share: the page's state, the workers, and small ways to change the state. */
import type { StoreWorker } from "#workers/api.ts";
import type { Client, Teaching } from "#workers/client.ts";
import type { Notice, PageStore, State, Workspace } from "../model.ts";
import type { BuilderHost } from "./builder-host.ts";
import type { EvaluatorHost } from "./evaluator-host.ts";
import type { MachineHost } from "./machine-host.ts";

export interface Context {
  readonly page: PageStore;
  readonly store: Client<StoreWorker>;
  readonly evaluator: EvaluatorHost;
  /** The repl's own; its worker starts with the repl's first line. */
  readonly replEvaluator: EvaluatorHost;
  readonly machine: MachineHost;
  readonly builder: BuilderHost;
  /** Examples and lessons, loaded when they are first asked for. */
  teaching(): Promise<Teaching>;
  /** First 16 hex digits of the channel archive's SHA-256: what a link pins. */
  readonly channel: string;
}

/** Replaces one slice's fields. */
export function patch<K extends keyof State>(page: PageStore, slice: K, change: Partial<State[K]>): void {
  page.setState((state) => ({ ...state, [slice]: { ...(state[slice] as object), ...change } }));
}

let notices = 0;

/** Shows a notice; one of the same kind that is there already is replaced. */
export function notify(
  page: PageStore,
  kind: Notice["kind"],
  text: string,
  more: Partial<Pick<Notice, "detail" | "command" | "transient">> = {},
): void {
  const notice: Notice = {
    id: `notice-${++notices}`,
    kind,
    text,
    detail: null,
    command: null,
    transient: false,
    ...more,
  };
  page.setState((state) => ({ notices: [...state.notices.filter((other) => other.kind !== kind), notice] }));
}

/** A caught thing in words. Workers reject with `{code, message}`; everything else is an Error. */
export function messageOf(error: unknown): string {
  if (typeof error === "object" && error !== null && "message" in error) return String(error.message);
  return String(error);
}

export const codeOf = (error: unknown): string | null =>
  typeof error === "object" && error !== null && "code" in error ? String(error.code) : null;

/** Files by path, as the evaluator takes them. */
export const filesOf = (workspace: Workspace): Record<string, string> =>
  Object.fromEntries(workspace.files.map(({ path, text }) => [path, text]));

/** Runs something whose failure becomes a notice instead of a rejection. */
export async function guarded<T>(page: PageStore, what: string, work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (codeOf(error) === "quota") notifyFull(page);
    else notify(page, "error", what, { detail: messageOf(error) });
    return null;
  }
}

/** Whether a command's output says that there was no room to write; the words are those of workers/store/idb.ts. */
export const saysFull = (lines: readonly string[]): boolean =>
  lines.some((line) => line.includes("storage quota is full"));

export function notifyFull(page: PageStore): void {
  notify(page, "quota", "The browser's disk space for this page is full.", {
    detail: "Nothing that was registered is lost. Free space in the Store panel, then try again.",
    command: { id: "panel-store", label: "Open Store" },
  });
}

/** Marks how long something took that a person waited for; `npm run bench` and the browser's profiler read it. */
export function measure(name: "evaluate" | "build" | "boot" | "switch", start: number): void {
  performance.measure(`terrarium.${name}`, { start, end: performance.now() });
}
