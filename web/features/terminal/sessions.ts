/**
 * Terminals of the guest. A session outlives its panel: closing the panel only takes the screen off the page, so that what
 * runs in a shell goes on and its text is there again later.
 */
import { FitAddon } from "@xterm/addon-fit";
import { Terminal, type ITheme } from "@xterm/xterm";
import type { Actions, TerminalConnection, TerminalEntry, Theme } from "#web/state/model.ts";
import { isDark } from "#web/state/appearance.ts";

export interface TerminalScreen extends TerminalEntry {
  element: HTMLElement;
  terminal: Terminal;
  fit(): void;
  close(): void;
}

const screens = new Map<string, TerminalScreen>();
let count = 0;

export const openScreens = (): TerminalScreen[] => [...screens.values()];

const light: ITheme = {
  background: "#fbfcfa",
  foreground: "#16211b",
  cursor: "#1b6e46",
  selectionBackground: "#1b6e4640",
  black: "#16211b",
  red: "#b02e22",
  green: "#1b6e46",
  yellow: "#855500",
  blue: "#1f5f9e",
  magenta: "#7a3e9d",
  cyan: "#155d73",
  white: "#dbe3da",
  brightBlack: "#5d6c63",
  brightGreen: "#1b6e46",
  brightYellow: "#855500",
  brightBlue: "#1f5f9e",
};

const dark: ITheme = {
  background: "#141b18",
  foreground: "#e7efea",
  cursor: "#63d49c",
  selectionBackground: "#63d49c40",
  black: "#0d1311",
  red: "#ff8f80",
  green: "#63d49c",
  yellow: "#f0bd62",
  blue: "#84bdf5",
  magenta: "#cf9df2",
  cyan: "#7fd0e0",
  white: "#e7efea",
  brightBlack: "#8b9b92",
};

export function paint(screen: TerminalScreen, theme: Theme): void {
  screen.terminal.options.theme = terminalTheme(theme);
}

function terminalTheme(theme: Theme): ITheme {
  return theme === "dark" || (theme === "system" && isDark()) ? dark : light;
}

/** Opens a terminal and asks the machine for its other end. What goes wrong is written on its screen. */
export function openScreen(kind: TerminalEntry["kind"], actions: Actions, fontSize: number): TerminalScreen {
  count += 1;
  const element = document.createElement("div");
  element.className = "screen";
  const terminal = new Terminal({
    fontFamily: getComputedStyle(document.documentElement).getPropertyValue("--mono"),
    fontSize,
    theme: terminalTheme("system"),
    cursorBlink: true,
    scrollback: 5000,
    screenReaderMode: true,
    convertEol: kind === "console",
  });
  const fit = new FitAddon();
  terminal.loadAddon(fit);
  let connection: TerminalConnection | null = null;
  const screen: TerminalScreen = {
    id: `terminal-${count}`,
    kind,
    title: kind === "console" ? "boot messages" : `shell ${count}`,
    element,
    terminal,
    fit: () => fit.fit(),
    close: () => {
      connection?.close();
      terminal.dispose();
      screens.delete(screen.id);
    },
  };
  screens.set(screen.id, screen);
  terminal.onData((text) => connection?.write(new TextEncoder().encode(text)));
  terminal.onBinary((text) => connection?.write(Uint8Array.from(text, (char) => char.charCodeAt(0))));
  terminal.onResize(({ cols, rows }) => connection?.resize(cols, rows));
  const connect = async (): Promise<void> => {
    connection = await actions.openTerminal(
      kind,
      { columns: terminal.cols, rows: terminal.rows },
      (bytes) => terminal.write(bytes),
      (reason) => terminal.write(`\r\n\x1b[2m[${reason}]\x1b[0m\r\n`),
    );
    if (!connection) terminal.write("\x1b[2m[The machine is off.]\x1b[0m\r\n");
  };
  // The first size must be known before the other end is asked for: the panel opens the terminal in this same turn.
  queueMicrotask(() => void connect());
  return screen;
}
