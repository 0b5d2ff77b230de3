/**
 * Workspaces: files, kept in the store's records and saved as one writes. Invariant: one workspace is open; a saved record is whole;
 * opening a link never changes a workspace that was there.
 */
import type { SourcePin, WorkspaceRecord } from "#workers/api.ts";
import type { Teaching } from "#workers/client.ts";
import type { Example, WorkFile, Workspace } from "../model.ts";
import { isFileName } from "../share-link.ts";
import { type Context, guarded, notify, patch } from "./context.ts";

const PREFIX = "workspace/";
const SAVE_DELAY = 400;

export interface WorkspaceService {
  load(): Promise<WorkspaceRecord[]>;
  open(record: WorkspaceRecord): void;
  create(
    title: string,
    files: readonly WorkFile[],
    entry: string,
    more: { kind?: "own" | "copy"; origin?: string; sources?: readonly SourcePin[] },
  ): Promise<WorkspaceRecord>;
  edit(change: (workspace: Workspace) => Workspace): void;
  /** Writes what is not saved yet. */
  flush(): Promise<void>;
  remove(id: string): Promise<void>;
  list(): Promise<WorkspaceRecord[]>;
}

export function createWorkspaces(context: Context, onChange: () => void): WorkspaceService {
  const { page, store } = context;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let unsaved = false;

  const save = async () => {
    clearTimeout(timer);
    if (!unsaved) return;
    unsaved = false;
    const record = recordOf(page.getState().workspace);
    await guarded(page, "This workspace could not be saved.", () => store.api.putRecord(PREFIX + record.id, record));
    await refreshList();
  };

  const list = async () => {
    const records = (await store.api.records(PREFIX)).map(([, value]) => value as WorkspaceRecord);
    return records.toSorted((left, right) => right.modified - left.modified);
  };

  const refreshList = async () => {
    const records = await list();
    page.setState({ workspaces: records.map(({ id, title, kind, modified }) => ({ id, title, kind, modified })) });
  };

  const open = (record: WorkspaceRecord) => {
    const workspace: Workspace = { ...record, files: record.files.map((file) => ({ ...file })) };
    page.setState((state) => ({ workspace, diagnostics: {}, ui: { ...state.ui, activeFile: workspace.entry } }));
    onChange();
  };

  return {
    load: async () => {
      await refreshList();
      return list();
    },
    open,
    list,
    async create(title, files, entry, { kind = "own", origin, sources = [] }) {
      const record: WorkspaceRecord = {
        id: crypto.randomUUID(),
        title,
        kind,
        entry,
        files,
        origin: origin ?? null,
        modified: Date.now(),
        ...(sources.length === 0 ? {} : { sources }),
      };
      await guarded(page, "This workspace could not be saved.", () => store.api.putRecord(PREFIX + record.id, record));
      await refreshList();
      return record;
    },
    edit(change) {
      const workspace = { ...change(page.getState().workspace), modified: Date.now() };
      page.setState({ workspace });
      unsaved = true;
      clearTimeout(timer);
      timer = setTimeout(() => void save(), SAVE_DELAY);
      onChange();
    },
    flush: save,
    async remove(id) {
      await guarded(page, "This workspace could not be deleted.", async () => {
        await store.api.deleteRecord(PREFIX + id);
        await store.api.destroy(id);
      });
      await refreshList();
    },
  };
}

const recordOf = (workspace: Workspace): WorkspaceRecord => ({
  ...workspace,
  files: workspace.files.map((file) => ({ ...file })),
});

/** Changes to the list of files; each refuses what would lose or hide a file, with a notice. */
export function fileActions(context: Context, workspaces: WorkspaceService) {
  const { page } = context;
  const files = () => page.getState().workspace.files;
  const refuse = (text: string) => notify(page, "error", text, { transient: true });

  const mayBe = (path: string) => {
    if (!isFileName(path)) refuse(`“${path}” cannot be a file's name: use letters, digits, . _ - and /.`);
    else if (files().some((file) => file.path === path)) refuse(`There is a file called ${path} already.`);
    else return true;
    return false;
  };

  return {
    editFile(path: string, text: string) {
      if (files().find((file) => file.path === path)?.text === text) return;
      workspaces.edit((workspace) => ({
        ...workspace,
        files: workspace.files.map((file) => (file.path === path ? { path, text } : file)),
      }));
    },
    async newFile(path: string, text: string) {
      if (!mayBe(path)) return;
      workspaces.edit((workspace) => ({ ...workspace, files: [...workspace.files, { path, text }] }));
      patch(page, "ui", { activeFile: path });
    },
    async renameFile(path: string, to: string) {
      if (path === to || !mayBe(to)) return;
      workspaces.edit((workspace) => ({
        ...workspace,
        entry: workspace.entry === path ? to : workspace.entry,
        files: workspace.files.map((file) => (file.path === path ? { path: to, text: file.text } : file)),
      }));
      if (page.getState().ui.activeFile === path) patch(page, "ui", { activeFile: to });
    },
    async deleteFile(path: string) {
      const { entry } = page.getState().workspace;
      if (path === entry) return refuse(`${path} is what is evaluated; make another file the entry first.`);
      workspaces.edit((workspace) => ({ ...workspace, files: workspace.files.filter((file) => file.path !== path) }));
      if (page.getState().ui.activeFile === path) patch(page, "ui", { activeFile: entry });
    },
    async setEntry(path: string) {
      workspaces.edit((workspace) => ({ ...workspace, entry: path }));
    },
    async importFiles(added: WorkFile[]) {
      const wrong = added.find((file) => !isFileName(file.path));
      if (wrong) return refuse(`“${wrong.path}” cannot be a file's name.`);
      const names = new Set(added.map((file) => file.path));
      workspaces.edit((workspace) => ({
        ...workspace,
        files: [...workspace.files.filter((file) => !names.has(file.path)), ...added],
      }));
    },
  };
}

interface ExampleRecord extends Example {
  entry: string;
  files: WorkFile[];
}

/** The examples among the samples: each a folder with `example.json` and its files. */
export function readExamples({ files: samples }: Teaching): ExampleRecord[] {
  const text = new Map(samples.map(([path, , content]) => [path, content]));
  return samples.flatMap(([path, , content]) => {
    const folder = /^examples\/([^/]+)\/example\.json$/.exec(path)?.[1];
    if (folder === undefined) return [];
    const example = JSON.parse(content) as { title: string; summary: string; files: string[]; entry: string };
    const files = example.files.map((name) => ({ path: name, text: text.get(`examples/${folder}/${name}`) ?? "" }));
    return [{ id: folder, title: example.title, summary: example.summary, entry: example.entry, files }];
  });
}
