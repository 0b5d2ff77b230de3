/** The files of the workspace: one name while there is one file, tabs when there are more, and what can be done with a file. */
import { useState, type KeyboardEvent } from "react";
import { useActions, useAppState, usePage, useUi } from "#web/state/context.ts";
import { IconButton } from "#web/ui/button.tsx";
import { chooseFiles, takeFiles } from "./take-files.ts";
import { Menu, type MenuItem } from "#web/ui/menu.tsx";

export function FileTabs() {
  const files = useAppState((state) => state.workspace.files);
  const entry = useAppState((state) => state.workspace.entry);
  const active = useAppState((state) => state.ui.activeFile);
  const diagnostics = useAppState((state) => state.diagnostics);
  const ui = useUi();
  const actions = useActions();
  const [naming, setNaming] = useState<null | "new" | "rename">(null);
  const finish = async (name: string): Promise<void> => {
    const what = naming;
    setNaming(null);
    const path = name.trim();
    if (path === "" || what === null) return;
    if (what === "rename") await actions.renameFile(active, path);
    else await actions.newFile(path, newFileText(path));
    ui.openFile(path);
  };
  return (
    <header className="files">
      <div role="tablist" tabIndex={-1} aria-label="Files" className="file-tabs" onKeyDown={(event) => moveTab(event)}>
        {files.map(({ path }) =>
          naming === "rename" && path === active ? (
            <NameField key={path} first={path} done={finish} />
          ) : (
            <button
              key={path}
              type="button"
              role="tab"
              aria-selected={path === active}
              tabIndex={path === active ? 0 : -1}
              className="file-tab"
              data-tip={path === entry ? `${path}: the file that is evaluated` : path}
              onClick={() => ui.openFile(path)}
              onDoubleClick={() => setNaming("rename")}
            >
              {path}
              {diagnostics[path]?.some((each) => each.severity === "error") && (
                <span className="file-bad">
                  <span className="visually-hidden">has errors</span>
                </span>
              )}
            </button>
          ),
        )}
      </div>
      {naming === "new" && <NameField first="" done={finish} />}
      <IconButton label="New file" icon="plus" size="small" onClick={() => setNaming("new")} />
      <span className="files-gap" />
      <FileMenu rename={() => setNaming("rename")} />
    </header>
  );
}

const newFileText = (path: string): string => (path.endsWith(".nix") ? "{ config, lib, pkgs, ... }:\n\n{\n}\n" : "");

function FileMenu({ rename }: { rename(): void }) {
  const page = usePage();
  const { store, actions } = page;
  const active = useAppState((state) => state.ui.activeFile);
  const entry = useAppState((state) => state.workspace.entry);
  const several = useAppState((state) => state.workspace.files.length > 1);
  const remove = (): void => {
    const next = store.getState().workspace.files.find((file) => file.path !== active);
    void actions
      .deleteFile(active)
      .then(() => next && store.setState(({ ui }) => ({ ui: { ...ui, activeFile: next.path } })));
  };
  const items: MenuItem[] = [
    { id: "rename", label: "Rename", icon: "file", run: rename },
    {
      id: "entry",
      label: "Evaluate this file",
      icon: "leaf",
      disabled: active === entry || !active.endsWith(".nix"),
      run: () => void actions.setEntry(active),
    },
    {
      id: "import",
      label: "Add files from the disk",
      icon: "plus",
      run: () => chooseFiles((files) => void takeFiles(files, page)),
    },
    {
      id: "export",
      label: "Download all files",
      caption: ".zip",
      icon: "download",
      run: () => void actions.exportWorkspace(),
    },
    { id: "delete", label: "Delete", icon: "trash", danger: true, disabled: !several || active === entry, run: remove },
  ];
  return <Menu label="File" look="quiet" size="small" icon="more" align="end" items={items} />;
}

function NameField({ first, done }: { first: string; done(name: string): Promise<void> }) {
  const [name, setName] = useState(first);
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "Enter") void done(name);
    if (event.key === "Escape") void done("");
    event.stopPropagation();
  };
  return (
    <input
      className="file-name"
      aria-label="File name"
      placeholder="modules/web.nix"
      value={name}
      // oxlint-disable-next-line jsx-a11y/no-autofocus -- it appears because the visitor asked for it
      autoFocus
      spellCheck={false}
      onChange={(event) => setName(event.target.value)}
      onKeyDown={onKeyDown}
      onBlur={() => void done(name)}
    />
  );
}

function moveTab(event: KeyboardEvent<HTMLElement>): void {
  const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
  if (step === 0) return;
  const tabs = [...event.currentTarget.querySelectorAll<HTMLElement>('[role="tab"]')];
  const at = tabs.findIndex((tab) => tab === document.activeElement);
  const next = tabs[(at + step + tabs.length) % tabs.length];
  next?.focus();
  next?.click();
}
