/**
 * Drafts: store paths that only a look ahead made, one a changed key of the file. They are deleted when a later look needs them no more
 * and nothing else keeps them. Invariant: while paths are deleted nothing is registered, built or run, and the other way round.
 */
import type { RootLink } from "#engine/store/gc.ts";
import { closure } from "#engine/store/graph.ts";
import type { Store } from "#engine/store/store.ts";

/** Milliseconds of quiet before drafts are deleted: between two keys there is better work to do. */
const QUIET = 3000;

export interface Drafts {
  /** Looks ahead. What it adds to the store are drafts; what it gives to `keep` stays until the next look. */
  look<T>(store: Store, work: (keep: (path: string) => void) => Promise<T>): Promise<T>;
  /** Any other work on the store: drafts are left alone for as long as it takes, and those of the last look are drafts no more. */
  during<T>(work: () => Promise<T>): Promise<T>;
  /** Another store is opened. */
  forget(): void;
}

export function createDrafts(extraRoots: () => readonly RootLink[]): Drafts {
  const made = new Set<string>();
  let kept: RootLink[] = [];
  let open: Store | undefined;
  let working = 0;
  let deleting: Promise<void> = Promise.resolve();
  let timer: ReturnType<typeof setTimeout> | undefined;

  const deleteDead = async (store: Store) => {
    const request = { extraRoots: [...extraRoots(), ...kept] };
    const { dead } = await store.planGc(request);
    const going = dead.filter((path) => made.has(path));
    // A dead path that is no draft is somebody's garbage: it stays, and so does what it needs.
    const needed = new Set(
      dead.filter((path) => !made.has(path)).flatMap((path) => store.info(path)?.references ?? []),
    );
    const free = going.filter((path) => !needed.has(path));
    if (free.length > 0) await store.delete(free, request);
    for (const path of made) if (!store.isValid(path)) made.delete(path);
  };

  const during = async <T>(work: () => Promise<T>): Promise<T> => {
    clearTimeout(timer);
    working++;
    try {
      await deleting;
      return await work();
    } finally {
      if (--working === 0 && made.size > 0 && open !== undefined) {
        const store = open;
        // What could not be deleted, because something began to need it, is tried again after the next look.
        timer = setTimeout(() => (deleting = deleteDead(store).catch(() => undefined)), QUIET);
      }
    }
  };

  return {
    during: (work) =>
      during(work).finally(() => {
        if (open === undefined) return;
        const paths = kept.map(({ path }) => path).filter((path) => open?.isValid(path));
        for (const path of closure(open.index, paths)) made.delete(path);
      }),
    look: (store, work) =>
      during(async () => {
        open = store;
        const known = new Set(store.index.paths());
        const keeps: RootLink[] = [];
        try {
          return await work((path) => keeps.push({ name: "{draft}", path }));
        } finally {
          kept = keeps;
          for (const path of store.index.paths()) if (!known.has(path)) made.add(path);
        }
      }),
    forget() {
      clearTimeout(timer);
      made.clear();
      kept = [];
      open = undefined;
    },
  };
}
