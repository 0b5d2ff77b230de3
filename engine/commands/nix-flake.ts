/** `nix flake …`: the verbs that look at a flake, pin its inputs, check its outputs and start new ones. */
import type { LanguageProgram } from "./language.ts";
import { SOURCE_FLAGS } from "./language-options.ts";
import { lockArgument, parseFlakeArgument } from "./flakes.ts";

export const NIX_FLAKE: readonly LanguageProgram[] = [
  {
    words: "nix flake lock",
    flags: { flags: SOURCE_FLAGS, most: 1 },
    run(run) {
      lockArgument(run, parseFlakeArgument(run, run.flags.args[0] ?? "").ref);
      return 0;
    },
  },
];
