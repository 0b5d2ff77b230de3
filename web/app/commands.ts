/** Everything the page can do, one record a command: the palette lists them, shortcuts run them, notices offer them. */
import { panels } from "#web/features/registry.ts";
import { firstError, rollbackTarget } from "#web/state/derive.ts";
import type { Page } from "#web/state/context.ts";
import type { State } from "#web/state/model.ts";
import type { IconName } from "#web/ui/icon.tsx";

export interface Command {
  id: string;
  title: string;
  icon: IconName;
  /** What one would type on NixOS. */
  line?: string;
  /** As aria-keyshortcuts writes it: `Control+K`. */
  keys?: string;
  enabled?(state: State): boolean;
  run(page: Page): void;
}

const hasMachine = (state: State): boolean => state.generations.list.length > 0;
const isOn = (state: State): boolean => state.machine.phase === "running" || state.machine.phase === "booting";
const switchable = (state: State): boolean =>
  state.start.phase === "ready" &&
  state.switching.phase !== "running" &&
  state.build.phase !== "running" &&
  !firstError(state);

const work: Command[] = [
  {
    id: "switch",
    title: "Switch",
    icon: "play",
    line: "nixos-rebuild switch",
    keys: "Control+Enter",
    enabled: switchable,
    run: ({ store, actions }) =>
      isOn(store.getState())
        ? void actions.switch("switch", store.getState().ui.plugBefore)
        : void actions.buildAndBoot(),
  },
  {
    id: "build",
    title: "Build",
    icon: "play",
    line: "nixos-rebuild build",
    enabled: switchable,
    run: (page) => void page.actions.build(),
  },
  {
    id: "test",
    title: "Test: switch without saving",
    icon: "play",
    line: "nixos-rebuild test",
    enabled: (state) => switchable(state) && isOn(state),
    run: ({ store, actions }) => void actions.switch("test", store.getState().ui.plugBefore),
  },
  {
    id: "boot-action",
    title: "Switch at the next boot",
    icon: "power",
    line: "nixos-rebuild boot",
    enabled: switchable,
    run: ({ actions }) => void actions.switch("boot", null),
  },
  {
    id: "rollback",
    title: "Roll back",
    icon: "back",
    line: "nixos-rebuild switch --rollback",
    enabled: (state) => rollbackTarget(state.generations.list) !== undefined,
    run: ({ actions }) => void actions.rollback(),
  },
  { id: "cut", title: "Pull the plug", icon: "plug", enabled: isOn, run: ({ actions }) => void actions.cut() },
  {
    id: "start",
    title: "Start the machine",
    icon: "power",
    enabled: (state) => hasMachine(state) && !isOn(state),
    run: ({ actions }) => void actions.boot(null),
  },
  {
    id: "reboot",
    title: "Restart the machine",
    icon: "reload",
    line: "reboot",
    enabled: isOn,
    run: ({ actions }) => void actions.reboot(),
  },
  {
    id: "poweroff",
    title: "Shut the machine down",
    icon: "power",
    line: "poweroff",
    enabled: isOn,
    run: ({ actions }) => void actions.powerOff(),
  },
  {
    id: "share",
    title: "Share as a link",
    icon: "share",
    run: ({ ui, actions }) => {
      ui.setDialog("share");
      void actions.share();
    },
  },
  { id: "cancel", title: "Cancel what is running", icon: "stop", run: ({ actions }) => actions.cancel() },
  { id: "export", title: "Download the files", icon: "download", run: ({ actions }) => void actions.exportWorkspace() },
  {
    id: "gc",
    title: "Collect garbage",
    icon: "trash",
    line: "nix-collect-garbage",
    run: ({ ui }) => ui.openPanel("store"),
  },
  {
    id: "verify",
    title: "Verify the store",
    icon: "check",
    line: "nix-store --verify --check-contents",
    run: ({ ui, actions }) => {
      ui.openPanel("store");
      void actions.verifyStore();
    },
  },
  {
    id: "shortcuts",
    title: "Keyboard shortcuts",
    icon: "keyboard",
    keys: "Control+/",
    run: ({ ui }) => ui.setDialog("shortcuts"),
  },
  { id: "theme", title: "Change between light and dark", icon: "moon", run: changeTheme },
  {
    id: "persist",
    title: "Ask the browser to keep the store",
    icon: "store",
    run: ({ actions }) => void actions.askPersistence(),
  },
];

function changeTheme({ ui }: Page): void {
  const dark = getComputedStyle(document.documentElement).colorScheme === "dark";
  const systemDark = matchMedia("(prefers-color-scheme: dark)").matches;
  const chosen = document.documentElement.dataset["theme"];
  const isDark = chosen === undefined ? systemDark : dark;
  ui.change({ theme: isDark ? "light" : "dark" });
}

const panelCommands: Command[] = panels.map((panel, index) => {
  const command: Command = {
    id: `panel-${panel.id}`,
    title: panel.command,
    icon: panel.icon,
    run: ({ ui }) => ui.togglePanel(panel.id),
  };
  return index < 9 ? { ...command, keys: `Alt+${index + 1}` } : command;
});

export const commands: Command[] = [...work, ...panelCommands];

export function runCommand(id: string, page: Page): void {
  commands.find((command) => command.id === id)?.run(page);
}

export const onMac = (): boolean => /Mac|iPhone|iPad/.test(navigator.platform);

/** The command a key press asks for. Ctrl and ⌘ count as the same. */
export function commandOf(event: KeyboardEvent): Command | undefined {
  const keys = [
    ...(event.ctrlKey || event.metaKey ? ["Control"] : []),
    ...(event.altKey ? ["Alt"] : []),
    ...(event.shiftKey ? ["Shift"] : []),
    event.key.length === 1 ? event.key.toUpperCase() : event.key,
  ].join("+");
  return commands.find((command) => command.keys === keys);
}
