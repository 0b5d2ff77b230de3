/** Shells in the machine, and its boot messages. */
import { useEffect, useReducer, useRef, useState } from "react";
import "@xterm/xterm/css/xterm.css";
import { useAppState, usePage } from "#web/state/context.ts";
import type { TerminalEntry } from "#web/state/model.ts";
import { Button, IconButton } from "#web/ui/button.tsx";
import { DockTools } from "#web/ui/dock-tools.ts";
import { Empty } from "#web/ui/parts.tsx";
import { openScreen, openScreens, paint, type TerminalScreen } from "./sessions.ts";
import "./terminal.css";

export default function TerminalPanel() {
  const { store, actions } = usePage();
  const running = useAppState((state) => state.machine.phase === "running");
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  const [chosen, setChosen] = useState<string | null>(() => openScreens()[0]?.id ?? null);
  const open = (kind: TerminalEntry["kind"]): void => {
    setChosen(openScreen(kind, actions, store.getState().ui.settings.fontSize - 1).id);
    redraw();
  };
  const close = (screen: TerminalScreen): void => {
    screen.close();
    setChosen(openScreens()[0]?.id ?? null);
    redraw();
  };
  const screens = openScreens();
  const shown = screens.find((screen) => screen.id === chosen);
  return (
    <>
      <DockTools>
        <div className="screens">
          {screens.map((screen) => (
            <span key={screen.id} className="screen-tab">
              <button type="button" aria-pressed={screen.id === chosen} onClick={() => setChosen(screen.id)}>
                {screen.title}
              </button>
              <IconButton label={`Close ${screen.title}`} icon="cross" size="small" onClick={() => close(screen)} />
            </span>
          ))}
        </div>
        <Button size="small" icon="plus" disabled={!running} onClick={() => open("shell")}>
          Shell
        </Button>
        <Button size="small" look="quiet" onClick={() => open("console")}>
          Boot messages
        </Button>
      </DockTools>
      {shown ? (
        <Screen key={shown.id} screen={shown} />
      ) : (
        <Empty icon="terminal" title={running ? "A shell in the machine" : "The machine is off"}>
          {running && (
            <Button look="primary" onClick={() => open("shell")}>
              Open a shell
            </Button>
          )}
        </Empty>
      )}
    </>
  );
}

function Screen({ screen }: { screen: TerminalScreen }) {
  const place = useRef<HTMLDivElement>(null);
  const theme = useAppState((state) => state.ui.settings.theme);
  useEffect(() => {
    const { terminal, element } = screen;
    place.current?.append(element);
    if (!terminal.element) terminal.open(element);
    screen.fit();
    terminal.focus();
    const watch = new ResizeObserver(() => screen.fit());
    watch.observe(element);
    return () => {
      watch.disconnect();
      element.remove();
    };
  }, [screen]);
  useEffect(() => {
    paint(screen, theme);
  }, [screen, theme]);
  return <div ref={place} className="screen-place" />;
}
