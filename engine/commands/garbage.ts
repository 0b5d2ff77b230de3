/** Collections and deletions as `nix-store --gc`, `nix-collect-garbage` and `nix store gc` show them. */
import { StoreError } from "../store/error.ts";
import { type StorePath, isDerivationPath } from "../store/format/store-path.ts";
import { sortPaths } from "../store/graph.ts";
import type { GcRequest, GcResult } from "../store/store.ts";
import { type CommandContext } from "./command.ts";
import { printLines, renderSize } from "./support.ts";

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
  if (request.maxFreed !== 0) context.error("deleting garbage...\n");
  report(context, await context.store.collectGarbage(request), request.maxFreed);
  return 0;
}

/** Deletes paths one after the other, each with what needs it if that is to go too; the first that is alive ends it. */
export async function deletePaths(context: CommandContext, paths: readonly StorePath[]): Promise<number> {
  context.error("finding garbage collector roots...\n");
  const { store } = context;
  const request = await gcRequest(context, undefined);
  const going = new Set(paths);
  const deleted = new Set<StorePath>();
  let freed = 0;
  const done = () => `${deleted.size} store paths deleted, ${renderSize(freed)} freed\n`;
  for (const path of sortPaths(going)) {
    if (deleted.has(path)) continue;
    try {
      const result = await store.delete(usersAmong(context, path, going), request);
      for (const gone of result.deleted) tellDeleted(context, deleted, gone);
      freed += result.freed;
    } catch (error) {
      if (error instanceof StoreError && error.code === "alive") context.print(done());
      throw error;
    }
  }
  context.error("deleting unused links...\n");
  context.print(done());
  return 0;
}

function tellDeleted(context: CommandContext, deleted: Set<StorePath>, path: StorePath): void {
  deleted.add(path);
  context.error(`deleting '${path}'\n`);
}

/** A path and those of the others that need it, directly or not. */
function usersAmong({ store }: CommandContext, path: StorePath, others: ReadonlySet<StorePath>): StorePath[] {
  const users = new Set([path]);
  for (const user of users) {
    for (const referrer of store.index.referrers(user)) if (others.has(referrer)) users.add(referrer);
    if (!isDerivationPath(user)) continue;
    for (const other of others) if (store.info(other)?.deriver === user) users.add(other);
  }
  return [...users];
}

async function gcRequest(context: CommandContext, maxFreed: number | undefined): Promise<GcRequest> {
  const extraRoots = (await context.extraRoots?.()) ?? [];
  return maxFreed === undefined ? { extraRoots } : { extraRoots, maxFreed };
}

function report(context: CommandContext, { deleted, freed, stopped }: GcResult, maxFreed: number | undefined): void {
  for (const path of deleted) context.error(`deleting '${path}'\n`);
  if (stopped) context.error(`deleted more than ${maxFreed ?? 0} bytes; stopping\n`);
  context.error("deleting unused links...\n");
  context.print(`${deleted.length} store paths deleted, ${renderSize(freed)} freed\n`);
}
