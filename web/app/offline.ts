/**
 * The service worker's start: offline use, and each worker's own policy on hosts that send no headers. It fetches the whole page, so it
 * waits until what the visitor came for is there: the machine's page, or, where none comes, a while after the file's result.
 */
import type { PageStore, State } from "#web/state/model.ts";

/** Milliseconds after the first result that the machine may take. */
const PATIENCE = 20_000;

/** Nothing that a visitor waits for is still to be fetched. */
const settled = ({ machine, preview, start }: State): boolean =>
  start.phase === "failed" || machine.phase === "failed" || (machine.phase === "running" && preview.revision > 0);

/** The page works without it, so a refusal is no error. */
export function keepOffline(store: PageStore): void {
  if (!("serviceWorker" in navigator)) return;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const register = (): void => {
    forget();
    clearTimeout(timer);
    navigator.serviceWorker.register("./service-worker.js").catch(() => undefined);
  };
  const look = (state: State): void => {
    if (settled(state)) register();
    else if (state.evaluation.lastMs !== null) timer ??= setTimeout(register, PATIENCE);
  };
  const forget = store.subscribe(look);
}
