/** Random actions on a store that another tab works on too. What the other did may make one impossible, never half done. */
import { StoreError } from "#engine/store/error.ts";
import { deleteGenerations, generationsToDelete, rollback, setPath } from "#engine/store/profile.ts";
import type { Store } from "#engine/store/store.ts";
import { now } from "./operations.ts";

/** A small generator of our own, so that a seed means the same everywhere: a number below the limit. */
function generator(seed: number): (limit: number) => number {
  let state = (seed * 2_654_435_761) >>> 0 || 1;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % limit;
  };
}

type Action = (store: Store, pick: () => string, random: (limit: number) => number) => Promise<unknown>;

const add: Action = (store, pick, random) => {
  const references = [...new Set(Array.from({ length: random(3) }, pick))].filter((path) => path !== "");
  return store.addText(`t${random(60)}`, references.join(" "), references);
};

/** Additions twice, so that there is something to work with. */
const ACTIONS: readonly Action[] = [
  add,
  add,
  (store, pick) => store.updateProfile("system", (profile) => setPath(profile, pick(), now())),
  (store) => store.updateProfile("system", rollback),
  (store) =>
    store.updateProfile("system", (profile) =>
      deleteGenerations(profile, generationsToDelete(profile, ["old"], now())),
    ),
  (store) => store.collectGarbage(),
  (store, pick, random) => store.addRoot(`/r${random(20)}`, pick()),
  (store, _, random) => store.removeRoot(`/r${random(20)}`),
  (store, pick) => store.delete([pick()].filter((path) => path !== "")),
  (store, pick, random) => store.holdTemporarily(`work${random(3)}`, [pick()]),
  (store, _, random) => store.releaseTemporary(`work${random(3)}`),
];

const POSSIBLE = ["missing", "invalid-path", "alive"];

/** Does so many actions; how many were refused because of what the other tab had done, and what went wrong otherwise. */
export async function act(
  store: Store,
  seed: number,
  actions: number,
): Promise<{ done: number; refused: number; problems: string[] }> {
  const random = generator(seed);
  const problems: string[] = [];
  let refused = 0;
  for (let count = 0; count < actions; count++) {
    const paths = store.paths();
    const pick = () => paths[random(Math.max(1, paths.length))] ?? "";
    const action = ACTIONS[random(ACTIONS.length)] as Action;
    await action(store, pick, random).catch((error: unknown) => {
      if (error instanceof StoreError && POSSIBLE.includes(error.code)) refused += 1;
      else problems.push(String(error));
    });
  }
  return { done: actions - refused, refused, problems };
}
