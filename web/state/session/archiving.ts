/**
 * Archives of whole workspaces, the page's side. Invariant: until an import is complete its records name no workspace; a database that a
 * killed import left is found by its `import/` record and deleted by the next.
 */
import type { OnProgress, PageRecords, WorkspaceRecord } from "#workers/api.ts";
import { transfer } from "#workers/client.ts";
import type { WorkFile } from "../model.ts";
import { saveFile } from "../save-file.ts";
import { checkWorkspace } from "../share-link.ts";
import type { Context } from "./context.ts";

const IMPORT = "import/";
const LESSON = "lesson/";

/** A lesson's progress as session/lessons.ts keeps it. */
interface Progress {
  at: number;
  predicted: (number | null)[];
  workspace: string | null;
}

/** What an archive of the open workspace holds of the page's records. */
export async function pageRecords({ page, store }: Context): Promise<PageRecords> {
  const { id, title, entry, files, origin, sources = [] } = page.getState().workspace;
  const prefix = `snapshot/${id}/`;
  const snapshots = (await store.api.records(prefix)) as [string, WorkFile[]][];
  const lessons = (await store.api.records(LESSON)) as [string, Progress][];
  return {
    workspace: { title, entry, files, origin, sources },
    snapshots: Object.fromEntries(snapshots.map(([key, saved]) => [key.slice(prefix.length), saved])),
    lessons: Object.fromEntries(
      lessons.map(([key, { at, predicted, workspace }]) => [
        key.slice(LESSON.length),
        { at, predicted, here: workspace === id },
      ]),
    ),
  };
}

/** The workspace that an archive holds, under a new id. What goes wrong leaves nothing. */
export async function importArchive(
  context: Context,
  file: File,
  signal: AbortSignal,
  onProgress: OnProgress,
): Promise<WorkspaceRecord> {
  const { store } = context;
  const id = crypto.randomUUID();
  return navigator.locks.request(IMPORT + id, async () => {
    await sweep(context);
    await store.api.putRecord(IMPORT + id, null);
    try {
      const records = await transfer((api) => api.importWorkspace(file, id, Date.now(), onProgress), signal);
      const record = await keepRecords(context, id, records);
      await store.api.deleteRecord(IMPORT + id);
      return record;
    } catch (error) {
      await discard(context, id);
      throw error;
    }
  }) as Promise<WorkspaceRecord>;
}

/** Writes what belongs to the page, checked as a link is; the workspace's own record is the last. */
async function keepRecords({ store }: Context, id: string, given: PageRecords): Promise<WorkspaceRecord> {
  const check = (files: unknown, entry?: string) =>
    checkWorkspace({ ...given.workspace, files, ...(entry === undefined ? {} : { entry }), channel: "" }, "archive");
  const { title, entry, files, sources } = check(given.workspace?.files);
  const snapshots = Object.entries(given.snapshots ?? {}).filter(([number]) => /^\d{1,9}$/.test(number));
  for (const [number, saved] of snapshots) {
    const first = Array.isArray(saved) ? (saved[0] as WorkFile | undefined)?.path : undefined;
    await store.api.putRecord(`snapshot/${id}/${number}`, check(saved, first).files);
  }
  const lessons = Object.entries(given.lessons ?? {}).filter(([lesson]) => /^[a-z0-9-]{1,60}$/.test(lesson));
  for (const [lesson, progress] of lessons) await keepLesson(store, lesson, id, progress);
  const origin = typeof given.workspace.origin === "string" ? given.workspace.origin.slice(0, 100) : null;
  const kept = sources.length === 0 ? {} : { sources };
  const record: WorkspaceRecord = { id, title, kind: "own", entry, files, origin, modified: Date.now(), ...kept };
  await store.api.putRecord(`workspace/${id}`, record);
  return record;
}

/** A lesson goes on where it is furthest: here, or in the archive. */
async function keepLesson(
  store: Context["store"],
  lesson: string,
  id: string,
  { at, predicted, here }: PageRecords["lessons"][string],
): Promise<void> {
  if (!Number.isSafeInteger(at) || !Array.isArray(predicted)) return;
  const records = (await store.api.records(LESSON + lesson)) as [string, Progress][];
  const known = records.find(([key]) => key === LESSON + lesson)?.[1];
  if (known !== undefined && known.at >= at) return;
  const numbers = predicted.map((option) => (Number.isSafeInteger(option) ? option : null));
  const progress: Progress = { at, predicted: numbers, workspace: here ? id : (known?.workspace ?? null) };
  await store.api.putRecord(LESSON + lesson, progress);
}

async function discard({ store }: Context, id: string): Promise<void> {
  for (const [key] of await store.api.records(`snapshot/${id}/`)) await store.api.deleteRecord(key);
  await store.api.deleteRecord(`workspace/${id}`);
  await store.api.destroy(id);
  await store.api.deleteRecord(IMPORT + id);
}

/** Deletes what imports left that were killed: their locks are free. */
async function sweep(context: Context): Promise<void> {
  for (const [key] of await context.store.api.records(IMPORT)) {
    await navigator.locks.request(key, { ifAvailable: true }, async (lock) => {
      if (lock !== null) await discard(context, key.slice(IMPORT.length));
    });
  }
}

/** Gives the browser a file to save; its name, made from a workspace's title. */
export function saveTitled(contents: Blob, title: string, extension: string): string {
  const name = `${title.replaceAll(/[^\p{L}\p{N}_-]+/gu, "-").replaceAll(/^-|-$/g, "") || "workspace"}.${extension}`;
  saveFile(contents, name);
  return name;
}
