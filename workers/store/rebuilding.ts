/** nixos-rebuild's host over the open store and the page's services. */
import type { Builder, CancelSignal } from "#engine/build/builder.ts";
import type { Substituter } from "#engine/build/substituter.ts";
import type { RebuildHost } from "#engine/commands/nixos-rebuild.ts";
import { decodeUtf8, fromBytes } from "#engine/store/format/bytes.ts";
import { nodeAt } from "#engine/store/format/tree.ts";
import { splitStorePath } from "#engine/store/format/store-path.ts";
import type { Store } from "#engine/store/store.ts";
import type { CommandServices } from "../api.ts";
import { register } from "./adding.ts";
import { readFile } from "./looking.ts";
import { realiseDerivation } from "./realising.ts";

export const PROFILE = "system";

export interface RebuildEnvironment {
  readonly store: Store;
  readonly services: CommandServices;
  readonly builder: Builder;
  readonly packages: Substituter;
  readonly signal: CancelSignal;
  readonly fetch: (url: string) => Promise<Uint8Array>;
}

export function rebuildHost({ store, services, builder, packages, signal, fetch }: RebuildEnvironment): RebuildHost {
  return {
    print: (text) => services.out(`${text}\n`),
    error: (text) => services.err(`${text}\n`),
    now: () => Math.floor(Date.now() / 1000),
    step: (name) => services.step(name),
    async evaluate() {
      const outcome = await services.evaluateSystem();
      if (!outcome.ok) {
        services.err(`${outcome.text}\n`);
        return undefined;
      }
      await register(store, outcome.items, fetch);
      return { drvPath: outcome.drvPath, label: outcome.label };
    },
    async build(drvPath) {
      const outcome = await realiseDerivation({ store, builder, packages, signal }, drvPath, (event) =>
        services.realising(event),
      );
      if (outcome.ok) return outcome.outputs.out;
      services.err(`error: ${outcome.message}\n`);
      return undefined;
    },
    profile: async () => store.profile(PROFILE),
    updateProfile: (change) => store.updateProfile(PROFILE, change),
    activate: (topLevel, action) => services.activate(topLevel, action),
    async readText(path) {
      const bytes = await readFile(store, path);
      return bytes === null ? undefined : decodeUtf8(fromBytes(bytes)).trimEnd();
    },
    async list(path) {
      const [storePath, rest] = splitStorePath(path);
      if (!store.isValid(storePath)) return [];
      const node = nodeAt(await store.tree(storePath), rest);
      return node?.type === "directory" ? [...node.entries.keys()].map(decodeUtf8) : [];
    },
  };
}
