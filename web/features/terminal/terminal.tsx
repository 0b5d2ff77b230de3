/** Shells in the machine, and its boot messages. */
import { useEffect, useReducer, useRef, useState } from "react";
import "@xterm/xterm/css/xterm.css";
import { useAppState, usePage } from "#web/state/context.ts";
import type { TerminalEntry } from "#web/state/model.ts";
import { Button, IconButton } from "#web/ui/button.tsx";
import { Dialog } from "#web/ui/dialog.tsx";
import { DockTools } from "#web/ui/dock-tools.ts";
import { Empty } from "#web/ui/parts.tsx";
import { Menu, type MenuItem } from "#web/ui/menu.tsx";
import { saveFile } from "#web/state/save-file.ts";
import { pictureOf } from "./picture.ts";
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
        <Files running={running} screen={shown} />
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

/** What goes between the machine and the visitor's own computer. */
function Files({ running, screen }: { running: boolean; screen: TerminalScreen | undefined }) {
  const { actions } = usePage();
  const picker = useRef<HTMLInputElement>(null);
  const [asking, setAsking] = useState(false);
  const send = async (files: readonly File[]): Promise<void> => {
    for (const file of files) await actions.sendFile(`/root/${file.name}`, new Uint8Array(await file.arrayBuffer()));
  };
  const take = async (path: string): Promise<void> => {
    const bytes = await actions.takeFile(path);
    if (bytes !== null) saveFile(new Blob([new Uint8Array(bytes)]), path.slice(path.lastIndexOf("/") + 1));
  };
  const items: MenuItem[] = [
    {
      id: "send",
      label: "Send files to the machine…",
      caption: "to /root",
      icon: "plus",
      disabled: !running,
      run: () => picker.current?.click(),
    },
    {
      id: "take",
      label: "Save a file of the machine…",
      icon: "download",
      disabled: !running,
      run: () => setAsking(true),
    },
    {
      id: "picture",
      label: "Save a picture of this screen",
      icon: "copy",
      disabled: screen === undefined,
      run: () => {
        if (screen) void pictureOf(screen.terminal).then((picture) => saveFile(picture, `${screen.title}.png`));
      },
    },
  ];
  return (
    <>
      <Menu label="Files and pictures" items={items} size="small" look="quiet" icon="more" />
      <input
        ref={picker}
        type="file"
        multiple
        hidden
        onChange={(event) => {
          void send([...(event.target.files ?? [])]);
          event.target.value = "";
        }}
      />
      {asking && (
        <Dialog title="Save a file of the machine" close={() => setAsking(false)} width={420}>
          <form
            className="take-file"
            onSubmit={(event) => {
              event.preventDefault();
              setAsking(false);
              void take(String(new FormData(event.currentTarget).get("path")));
            }}
          >
            <input
              className="field grow"
              name="path"
              aria-label="Path in the machine"
              required
              pattern="/.+"
              placeholder="/etc/os-release"
              spellCheck={false}
            />
            <Button look="primary" type="submit">
              Save
            </Button>
          </form>
        </Dialog>
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
