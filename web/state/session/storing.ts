/** Looking into the store and keeping it in order. */
import { proxy } from "#workers/client.ts";
import type { Actions, DerivationView, PathDetails } from "../model.ts";
import { pathName } from "./building.ts";
import { type Context, guarded, patch } from "./context.ts";

type StoreActions = Pick<
  Actions,
  "explainPath" | "whyDepends" | "derivation" | "refreshStore" | "gcPlan" | "gc" | "verifyStore" | "askPersistence"
>;

export function createStoring(context: Context): StoreActions {
  const { page, store } = context;

  const refreshStore = async () => {
    await guarded(page, "The store could not be read.", async () => {
      const overview = await store.api.overview();
      const estimate = await navigator.storage?.estimate?.().catch(() => undefined);
      patch(page, "store", {
        paths: overview.paths,
        bytes: overview.bytes,
        deadPaths: overview.dead.length,
        deadBytes: overview.dead.reduce((sum, { narSize }) => sum + narSize, 0),
        usage: estimate?.usage ?? null,
        quota: estimate?.quota ?? null,
        persisted: (await navigator.storage?.persisted?.().catch(() => null)) ?? null,
        roots: [...overview.roots],
      });
    });
  };

  const work = async (kind: "gc" | "verify", text: string, run: () => Promise<string>) => {
    if (page.getState().store.work !== null) return;
    patch(page, "store", { work: { kind, text, fraction: null }, report: null });
    const report = await guarded(page, `${text} failed.`, run);
    patch(page, "store", { work: null, report });
    await refreshStore();
  };

  return {
    refreshStore,
    async explainPath(path): Promise<PathDetails | null> {
      const detail = await guarded(page, "The path could not be read.", () => store.api.detail(path));
      if (detail === null) return null;
      return {
        path,
        name: pathName(path),
        narHash: detail.narHash,
        narSize: detail.narSize,
        closureSize: detail.closureSize,
        references: [...detail.references],
        referrers: [...detail.referrers],
        deriver: detail.deriver ?? null,
        contentAddress: detail.ca ?? null,
        signatures: [...detail.signatures],
        registered: detail.registrationTime * 1000,
        keptBy: [...detail.keptBy],
        entries: [...detail.entries],
      };
    },
    async whyDepends(from, to) {
      const chains = await guarded(page, "The references could not be read.", () => store.api.whyDepends(from, to));
      return chains?.map((chain) => [...chain]) ?? [];
    },
    async derivation(drvPath): Promise<DerivationView | null> {
      const view = await guarded(page, "The derivation could not be read.", () => store.api.derivation(drvPath));
      return view === null ? null : { ...view };
    },
    async gcPlan() {
      const overview = await guarded(page, "The store could not be read.", () => store.api.overview());
      if (overview === null) return null;
      const bytes = overview.dead.reduce((sum, { narSize }) => sum + narSize, 0);
      return { dead: [...overview.dead], bytes, kept: [...overview.kept] };
    },
    gc: () =>
      work("gc", "Collecting garbage", async () => {
        const { deleted, freed } = await store.api.collect();
        return deleted === 0 ? "There was nothing to collect." : `${deleted} paths deleted, ${freed} bytes freed.`;
      }),
    verifyStore: () =>
      work("verify", "Verifying contents", async () => {
        const problems = await store.api.verify(
          proxy((fraction) => patch(page, "store", { work: { kind: "verify", text: "Verifying contents", fraction } })),
        );
        return problems.length === 0 ? "Every path holds what its hash says." : problems.join("\n");
      }),
    async askPersistence() {
      await navigator.storage?.persist?.().catch(() => false);
      await refreshStore();
    },
  };
}
