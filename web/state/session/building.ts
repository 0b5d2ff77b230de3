/** Realising, looking at closures, and what a switch would change. */
import type { PathSummary, RealiseEvent, StoreItem } from "#workers/api.ts";
import { proxy } from "#workers/client.ts";
import type { BuildState, BuildStep, Change, ClosurePath, Evaluated } from "../model.ts";
import { type Context, guarded, measure, messageOf, patch } from "./context.ts";

const LOG_LINES = 200;

export interface BuildService {
  /** Registers and realises what an evaluation gave; the top level's path, null when it failed or was cancelled. */
  realise(evaluated: Pick<Evaluated, "drvPath">, command: string): Promise<string | null>;
  /** Turns the store's events into the state's steps; for commands that realise by themselves. */
  begin(command: string): void;
  onEvent(event: RealiseEvent): void;
  finish(outcome: { outPath: string } | { error: string; cancelled: boolean }): void;
  cancel(): void;
  loadClosure(root: string): Promise<void>;
}

export function createBuilding(context: Context): BuildService {
  const { page, store, evaluator } = context;
  const set = (change: Partial<BuildState>) => patch(page, "build", change);

  const onEvent = (event: RealiseEvent) => {
    if (event.kind === "plan") return set({ steps: event.steps.map(newStep) });
    set({
      steps: page.getState().build.steps.map((step) => (step.drvPath === event.drvPath ? advance(step, event) : step)),
    });
  };

  const service: BuildService = {
    begin: (command) => set({ phase: "running", command, steps: [], outPath: null, error: null }),
    onEvent,
    finish(outcome) {
      if ("outPath" in outcome) set({ phase: "done", outPath: outcome.outPath });
      else
        set({
          phase: outcome.cancelled ? "cancelled" : "failed",
          error: outcome.error,
          steps: ended(page.getState().build.steps),
        });
    },
    async realise(evaluated, command) {
      const started = performance.now();
      service.begin(command);
      try {
        const items: StoreItem[] = await evaluator.instantiation(evaluated.drvPath);
        await store.api.register(items);
        const outcome = await store.api.realise(evaluated.drvPath, proxy(onEvent));
        if (!outcome.ok) {
          service.finish({ error: outcome.message, cancelled: outcome.cancelled });
          return null;
        }
        service.finish({ outPath: outcome.outputs.out });
        measure("build", started);
        return outcome.outputs.out;
      } catch (error) {
        service.finish({ error: messageOf(error), cancelled: false });
        return null;
      }
    },
    cancel: () => void store.api.cancelRealise(),
    async loadClosure(root) {
      patch(page, "closure", { loading: true });
      const paths = await guarded(page, "The closure could not be read.", () => store.api.closure(root));
      if (paths === null) return patch(page, "closure", { loading: false });
      const totalSize = paths.reduce((sum, path) => sum + path.narSize, 0);
      page.setState({ closure: { root, loading: false, paths: paths.map(closurePath), totalSize } });
    },
  };
  return service;
}

const newStep = (step: { drvPath: string; name: string; how: BuildStep["how"] }): BuildStep => ({
  ...step,
  state: step.how === "present" ? "skipped" : "waiting",
  progress: null,
  ms: null,
  log: [],
});

function advance(step: BuildStep, event: Exclude<RealiseEvent, { kind: "plan" }>): BuildStep {
  switch (event.kind) {
    case "start":
      return { ...step, state: "running" };
    case "log":
      return { ...step, log: [...step.log, ...event.text.split("\n").filter((line) => line !== "")].slice(-LOG_LINES) };
    case "done":
      return { ...step, state: "done", ms: event.milliseconds };
    case "failed":
      return { ...step, state: "failed", log: [...step.log, event.message] };
  }
}

const ended = (steps: readonly BuildStep[]) =>
  steps.map((step): BuildStep => (step.state === "running" ? { ...step, state: "cut" } : step));

export const pathName = (path: string): string => path.slice("/nix/store/".length + 33);

const closurePath = (info: PathSummary): ClosurePath => ({
  path: info.path,
  name: pathName(info.path),
  narSize: info.narSize,
  closureSize: info.closureSize,
  references: [...info.references],
  referrers: [...info.referrers],
});

/** The store's answer in the state's shape, with a count of what a person would name. */
export function toChange(change: import("#workers/api.ts").SystemChange): Change {
  const { newBytes, closureDelta, units, etc, packages, users, others } = change;
  return {
    count: units.length + etc.length + packages.length + users.length + others.length,
    newBytes,
    closureDelta,
    units: [...units],
    etc: [...etc],
    packages: [...packages],
    users: [...users],
    others: [...others],
  };
}
