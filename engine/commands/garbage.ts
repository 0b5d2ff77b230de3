/** Collections and deletions as `nix-store --gc`, `nix-collect-garbage` and `nix store gc` show them. */
import { StoreError } from "../store/error.ts";
import type { StorePath } from "../store/format/store-path.ts";
import { sortPaths } from "../store/graph.ts";
import type { GcRequest } from "../store/store.ts";
import { type CommandContext } from "./command.ts";
import { UsageError, printLines, renderSize } from "./support.ts";

export interface CollectSettings {
  /** Only show what is found. */
  readonly show: "roots" | "live" | "dead" | undefined;
  readonly maxFreed: number | undefined;
  readonly dryRun?: boolean;
}

export async function collectGarbage(context: CommandContext, settings: CollectSettings): Promise<number> {
  const { store } = context;
  const request = await gcRequest(context, settings.maxFreed);
  if (settings.show === "roots") {
    const roots = [...store.roots(), ...(request.extraRoots ?? [])];
    printLines(
      context,
      roots.map(({ name, path }) => `${name.startsWith("/") ? `"${name}"` : name} -> ${path}`).sort(),
    );
    return 0;
  }
  context.error("finding garbage collector roots...\n");
  if (settings.show === undefined && settings.dryRun !== true) return collect(context, request);
  context.error("determining live/dead paths...\n");
  const { alive, dead } = await store.planGc(request);
  if (settings.show === undefined) context.print(`${dead.length} store paths would be deleted\n`);
  else printLines(context, sortPaths(settings.show === "live" ? alive.keys() : dead));
  return 0;
}

async function collect(context: CommandContext, request: GcRequest): Promise<number> {
  context.error("deleting garbage...\n");
  report(context, await context.store.collectGarbage(request));
  return 0;
}

export async function deletePaths(context: CommandContext, paths: readonly StorePath[]): Promise<number> {
  context.error("finding garbage collector roots...\n");
  try {
    report(context, await context.store.delete(paths, await gcRequest(context, undefined)));
    return 0;
  } catch (error) {
    if (error instanceof StoreError && error.code === "alive") context.print("0 store paths deleted, 0.0 KiB freed\n");
    throw error;
  }
}

async function gcRequest(context: CommandContext, maxFreed: number | undefined): Promise<GcRequest> {
  const extraRoots = (await context.extraRoots?.()) ?? [];
  return maxFreed === undefined ? { extraRoots } : { extraRoots, maxFreed };
}

function report(context: CommandContext, { deleted, freed }: { deleted: readonly StorePath[]; freed: number }): void {
  for (const path of deleted) context.error(`deleting '${path}'\n`);
  context.error("deleting unused links...\n");
  context.print(`${deleted.length} store paths deleted, ${renderSize(freed)} freed\n`);
}

/** "1048576", "512K", "10M", "2G", "1T". */
export function parseByteCount(text: string): number {
  const match = /^([0-9]+)([KMGT]?)$/.exec(text.toUpperCase());
  if (match === null) throw new UsageError(`'${text}' is not an integer`);
  return Number(match[1]) * 1024 ** ["", "K", "M", "G", "T"].indexOf(match[2] as string);
}
