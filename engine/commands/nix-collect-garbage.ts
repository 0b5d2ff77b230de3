/** `nix-collect-garbage`: deletes old generations when told to, then what nothing needs. */
import type { ByteString } from "../store/format/bytes.ts";
import { profilePath } from "../store/profile.ts";
import type { Command, CommandContext } from "./command.ts";
import { collectGarbage } from "./garbage.ts";
import { deleteProfileGenerations } from "./nix-env.ts";
import { NIX_VERSION, UsageError, guard, parseCount } from "./support.ts";

export const nixCollectGarbage: Command = {
  name: "nix-collect-garbage",
  doc: "delete what no generation and no root needs",
  run: (argv, context) => guard("nix-collect-garbage", context, () => runCollectGarbage(argv, context)),
};

async function runCollectGarbage(argv: readonly ByteString[], context: CommandContext): Promise<number> {
  let older: string | undefined;
  let dryRun = false;
  let maxFreed: number | undefined;
  const words = [...argv];
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === "--version") {
      context.print(`nix-collect-garbage (Nix) ${NIX_VERSION}\n`);
      return 0;
    }
    if (word === "-d" || word === "--delete-old") older = "old";
    else if (word === "--delete-older-than") older = words.shift() ?? "";
    else if (word === "--dry-run") dryRun = true;
    else if (word === "--max-freed") maxFreed = parseCount(words.shift() ?? "");
    else throw new UsageError(`unrecognised flag '${word}'`);
  }
  if (older !== undefined) await deleteOld(context, older, dryRun);
  return collectGarbage(context, { show: undefined, maxFreed, dryRun });
}

async function deleteOld(context: CommandContext, older: string, dryRun: boolean): Promise<void> {
  for (const { name } of context.store.profiles()) {
    context.error(`removing old generations of profile ${profilePath(name)}\n`);
    await deleteProfileGenerations(context, name, [older], dryRun);
  }
}
