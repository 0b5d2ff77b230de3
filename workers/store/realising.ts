/** Realising one derivation with the engine's loop, its events in the page's terms. */
import { BuildError, type Builder, type CancelSignal } from "#engine/build/builder.ts";
import type { BuiltinTools } from "#engine/build/builtin-builders.ts";
import { planRealisation } from "#engine/build/plan.ts";
import { type RealiseEvent as EngineEvent, needsBuilder, realise } from "#engine/build/realise.ts";
import { decodeUtf8, fromBytes } from "#engine/store/format/bytes.ts";
import { derivationName } from "#engine/store/format/derivation.ts";
import { nameOf } from "#engine/store/format/store-path.ts";
import type { Substituter } from "#engine/build/substituter.ts";
import type { Store } from "#engine/store/store.ts";
import { packageKeys } from "./package-cache.ts";
import type { BuildMethod, RealiseEvent, RealiseOutcome } from "../api.ts";

/**
 * Unpacking for `builtin:` builders, loaded when one of them runs. Nothing is downloaded: the page's policy lets no worker reach another
 * host.
 */
const tools: BuiltinTools = {
  decompress: async (...given) => (await import("./decompress.ts")).decompress(...given),
  unpack: async (archive) => (await import("./decompress.ts")).unpackArchive(archive),
};

export interface RealiseEnvironment {
  readonly store: Store;
  readonly builder: Builder;
  /** Asked only when something would have to be built by a machine: what a recipe makes is made sooner than fetched. */
  readonly packages: Substituter;
  readonly signal: CancelSignal;
}

export async function realiseDerivation(
  { store, builder, packages, signal }: RealiseEnvironment,
  drvPath: string,
  onEvent: (event: RealiseEvent) => void,
): Promise<RealiseOutcome> {
  const started = new Map<string, number>();
  const tell = (event: EngineEvent) => {
    switch (event.kind) {
      case "start":
        started.set(event.path, performance.now());
        return onEvent({ kind: "start", drvPath: event.path });
      case "log":
        return onEvent({ kind: "log", drvPath: event.drvPath, text: decodeUtf8(fromBytes(event.bytes)) });
      case "done": {
        const milliseconds = Math.round(performance.now() - (started.get(event.path) ?? performance.now()));
        return onEvent({ kind: "done", drvPath: event.path, milliseconds });
      }
      case "failed":
        return onEvent({ kind: "failed", drvPath: event.path, message: event.message });
      case "progress":
      case "resolved":
      case "differs":
        return undefined;
    }
  };
  try {
    const substituters = (await wouldStartBuilder(store, drvPath)) ? [packages] : [];
    onEvent({ kind: "plan", steps: await steps(store, drvPath, substituters) });
    const options = {
      store,
      builder,
      substituters,
      trustedKeys: packageKeys,
      signal,
      onEvent: tell,
      owner: `realise-${crypto.randomUUID()}`,
      tools,
    };
    const result = await realise([{ drvPath, outputs: [] }], options);
    return { ok: true, outputs: Object.fromEntries(result.outputs[0]) };
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    return { ok: false, cancelled: error.code === "cancelled", message: error.message };
  }
}

interface Step {
  readonly drvPath: string;
  readonly name: string;
  readonly how: BuildMethod;
}

async function steps(store: Store, drvPath: string, substituters: readonly Substituter[]): Promise<Step[]> {
  const { build, substitute } = await planRealisation([{ drvPath, outputs: [] }], store, substituters);
  const fetched = substitute.map(({ info }): Step => ({
    drvPath: info.path,
    name: nameOf(info.path),
    how: "substitute",
  }));
  if (build.length + fetched.length === 0) return [{ drvPath, name: derivationName(drvPath), how: "present" }];
  const built = await Promise.all(
    build.map(async (path): Promise<Step> => ({
      drvPath: path,
      name: nameOf(path).replace(/\.drv$/, ""),
      how: needsBuilder(await store.derivation(path)) ? "builder" : "recipe",
    })),
  );
  return [...fetched, ...built];
}

/** Whether realising a derivation would start the builder. */
export async function wouldStartBuilder(store: Store, drvPath: string): Promise<boolean> {
  return (await steps(store, drvPath, [])).some(({ how }) => how === "builder");
}
