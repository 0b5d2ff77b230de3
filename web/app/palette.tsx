/** The command palette: type a few letters, choose with the arrows, Enter runs it. */
import { useEffect, useRef, useState, type KeyboardEvent } from "react";
import { usePage } from "#web/state/context.ts";
import { Icon } from "#web/ui/icon.tsx";
import { commands, onMac, type Command } from "./commands.ts";
import { findCommands, keysText } from "./find-commands.ts";
import "./palette.css";

export function Palette() {
  const page = usePage();
  const dialog = useRef<HTMLDialogElement>(null);
  const [typed, setTyped] = useState("");
  const [at, setAt] = useState(0);
  const state = page.store.getState();
  const found = findCommands(
    commands.filter((command) => command.enabled?.(state) ?? true),
    typed,
  );
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  const close = (): void => page.ui.setPalette(false);
  const run = (command: Command | undefined): void => {
    close();
    command?.run(page);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0) setAt((found.length + at + step) % Math.max(1, found.length));
    else if (event.key === "Enter") run(found[at]);
    else return;
    event.preventDefault();
  };
  return (
    <dialog
      ref={dialog}
      className="palette"
      aria-label="Commands"
      onCancel={close}
      onPointerDown={(event) => {
        if (event.target === dialog.current) close();
      }}
    >
      <div className="palette-body">
        <div className="palette-field">
          <Icon name="search" />
          <input
            role="combobox"
            aria-expanded="true"
            aria-controls="palette-list"
            aria-activedescendant={found[at] ? `command-${found[at].id}` : undefined}
            aria-label="Command"
            placeholder="What would you like to do?"
            value={typed}
            spellCheck={false}
            autoComplete="off"
            onChange={(event) => {
              setTyped(event.target.value);
              setAt(0);
            }}
            onKeyDown={onKeyDown}
          />
        </div>
        {/* oxlint-disable-next-line jsx-a11y/prefer-tag-over-role -- a combobox whose options hold icons and keys */}
        <div id="palette-list" role="listbox" aria-label="Commands" className="palette-list">
          {found.map((command, index) => (
            <PaletteRow key={command.id} command={command} chosen={index === at} run={() => run(command)} />
          ))}
          {found.length === 0 && <p className="palette-none">Nothing is called that.</p>}
        </div>
      </div>
    </dialog>
  );
}

function PaletteRow({ command, chosen, run }: { command: Command; chosen: boolean; run(): void }) {
  const row = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (chosen) row.current?.scrollIntoView({ block: "nearest" });
  }, [chosen]);
  return (
    <button
      ref={row}
      id={`command-${command.id}`}
      type="button"
      // oxlint-disable-next-line jsx-a11y/prefer-tag-over-role -- see the list
      role="option"
      tabIndex={-1}
      aria-selected={chosen}
      className="palette-row"
      onClick={run}
    >
      <Icon name={command.icon} />
      <span className="palette-title">{command.title}</span>
      {command.line && <code>{command.line}</code>}
      {command.keys && <kbd>{keysText(command.keys, onMac())}</kbd>}
    </button>
  );
}
