/** Every command of the store, by name. `nixos-rebuild` and the evaluator's commands need more than a store: see there. */
import type { Command } from "./command.ts";
import { nix } from "./nix.ts";
import { nixBuild } from "./nix-build.ts";
import { nixCollectGarbage } from "./nix-collect-garbage.ts";
import { nixEnv } from "./nix-env.ts";
import { nixHash } from "./nix-hash.ts";
import { nixPrefetchUrl } from "./nix-prefetch-url.ts";
import { nixShell } from "./nix-shell.ts";
import { nixStore } from "./nix-store.ts";

export const COMMANDS: readonly Command[] = [
  nixBuild,
  nixShell,
  nixStore,
  nixEnv,
  nixCollectGarbage,
  nixHash,
  nixPrefetchUrl,
  nix,
];
