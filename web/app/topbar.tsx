/** The bar at the top: which workspace, search, lights, share. */
import { useState, type KeyboardEvent } from "react";
import { isDark } from "#web/state/appearance.ts";
import { useAppState, usePage } from "#web/state/context.ts";
import { formatDate } from "#web/state/format.ts";
import { Button, IconButton } from "#web/ui/button.tsx";
import { Icon, Mark } from "#web/ui/icon.tsx";
import { Menu, type MenuItem } from "#web/ui/menu.tsx";
import { onMac, runCommand } from "./commands.ts";
import { keysText } from "./find-commands.ts";

export function Topbar() {
  const page = usePage();
  useAppState((state) => state.ui.settings.theme);
  return (
    <header className="topbar">
      <h1 className="brand">
        <Mark />
        <span>Terrarium</span>
      </h1>
      <WorkspaceName />
      <span className="topbar-gap" />
      <button type="button" className="search" aria-label="Commands" onClick={() => page.ui.setPalette(true)}>
        <Icon name="search" size={15} />
        <span>Search</span>
        <kbd>{keysText("Control+K", onMac())}</kbd>
      </button>
      <IconButton
        label={isDark() ? "Light" : "Dark"}
        icon={isDark() ? "sun" : "moon"}
        onClick={() => runCommand("theme", page)}
      />
      <Button icon="share" onClick={() => runCommand("share", page)}>
        Share
      </Button>
    </header>
  );
}

function WorkspaceName() {
  const { actions, store } = usePage();
  const workspace = useAppState((state) => state.workspace);
  const others = useAppState((state) => state.workspaces);
  const examples = useAppState((state) => state.examples);
  const [naming, setNaming] = useState(false);
  if (naming)
    return (
      <NameField
        first={workspace.title}
        done={(title) => {
          setNaming(false);
          if (title) void actions.renameWorkspace(workspace.id, title);
        }}
      />
    );
  const items: (MenuItem | { heading: string })[] = [
    { id: "rename", label: "Rename", icon: "file", run: () => setNaming(true) },
    {
      id: "delete",
      label: "Delete this workspace",
      icon: "trash",
      danger: true,
      disabled: others.length < 2,
      run: () => void actions.deleteWorkspace(store.getState().workspace.id),
    },
    { heading: "Your workspaces" },
    ...others.map((each): MenuItem => ({
      id: each.id,
      label: each.title,
      caption: each.kind === "copy" ? "copy" : formatDate(each.modified),
      checked: each.id === workspace.id,
      run: () => void actions.openWorkspace(each.id),
    })),
    { heading: "Start from an example" },
    ...examples.map((each): MenuItem => ({
      id: `example-${each.id}`,
      label: each.title,
      icon: "plus",
      run: () => void actions.newWorkspace(each.id),
    })),
  ];
  return (
    <Menu label="Workspaces" look="quiet" className="workspace-name" tip="Workspaces and examples" items={items}>
      {workspace.title || " "}
    </Menu>
  );
}

function NameField({ first, done }: { first: string; done(title: string): void }) {
  const [title, setTitle] = useState(first);
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "Enter") done(title.trim());
    if (event.key === "Escape") done("");
  };
  return (
    <input
      className="file-name"
      aria-label="Name of the workspace"
      value={title}
      // oxlint-disable-next-line jsx-a11y/no-autofocus -- it appears because the visitor asked for it
      autoFocus
      onChange={(event) => setTitle(event.target.value)}
      onKeyDown={onKeyDown}
      onBlur={() => done(title.trim())}
    />
  );
}
