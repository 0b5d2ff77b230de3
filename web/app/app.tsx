/** The whole page: bar, rail, the file and the machine side by side, the open panel below them. On narrow screens one at a time. */
import { useEffect, useState } from "react";
import { EditorPane } from "#web/editor/editor-pane.tsx";
import { MachineCard } from "#web/features/machine/machine-card.tsx";
import { panels } from "#web/features/registry.ts";
import { Strip } from "#web/features/strip/strip.tsx";
import { Hint } from "#web/features/walk/hint.tsx";
import { ShareDialog } from "#web/features/share/share-dialog.tsx";
import { useAppState, usePage, useUi, type Page } from "#web/state/context.ts";
import { Icon, type IconName } from "#web/ui/icon.tsx";
import { Menu } from "#web/ui/menu.tsx";
import { Splitter } from "#web/ui/parts.tsx";
import { useNarrow } from "#web/ui/use-media.ts";
import { TipLayer } from "#web/ui/tip.tsx";
import "./app.css";
import { commandOf } from "./commands.ts";
import { Dock } from "./dock.tsx";
import { Notices, OpenedBanner } from "./notices.tsx";
import { Palette } from "./palette.tsx";
import { Rail } from "./rail.tsx";
import { Shortcuts } from "./shortcuts.tsx";
import { Topbar } from "./topbar.tsx";

export function App() {
  const page = usePage();
  useShortcuts(page);
  const palette = useAppState((state) => state.ui.palette);
  const dialog = useAppState((state) => state.ui.dialog);
  return (
    <div className="app">
      <a className="skip" href="#file">
        Skip to the file
      </a>
      <Topbar />
      <OpenedBanner />
      <div className="app-body">
        <Rail />
        <main className="stage" id="file" tabIndex={-1}>
          <Halves />
          <Dock />
        </main>
      </div>
      <HalvesBar />
      <Notices />
      {palette && <Palette />}
      {dialog === "share" && <ShareDialog />}
      {dialog === "shortcuts" && <Shortcuts />}
      <TipLayer />
    </div>
  );
}

function Halves() {
  const half = useAppState((state) => state.ui.half);
  const narrow = useNarrow();
  const [width, setWidth] = useState(() => Math.round(Math.min(620, Math.max(400, innerWidth * 0.39))));
  return (
    <div className={`halves show-${half}`}>
      <EditorPane />
      <Splitter
        label="Width of the machine"
        axis="x"
        value={width}
        least={340}
        most={Math.max(380, innerWidth - 480)}
        change={setWidth}
      />
      <div className="machine-half" style={{ width }}>
        <MachineCard />
        {narrow && half === "machine" && (
          <div className="narrow-strip">
            <Hint />
            <Strip />
          </div>
        )}
      </div>
    </div>
  );
}

const halves: { id: "file" | "machine"; label: string; icon: IconName }[] = [
  { id: "file", label: "File", icon: "file" },
  { id: "machine", label: "Machine", icon: "machine" },
];

/** On narrow screens a panel covers both halves, but for a lesson, which speaks of them. */
const covers = (panel: string | null): boolean => panel !== null && panel !== "lessons";

/** Only on narrow screens: which half shows, and the panels in a menu. */
function HalvesBar() {
  const ui = useUi();
  const half = useAppState((state) => (covers(state.ui.panel) ? null : state.ui.half));
  const show = (id: "file" | "machine"): void => {
    if (half === null) ui.closePanel();
    ui.showHalf(id);
  };
  const items = panels.map((panel) => ({
    id: panel.id,
    label: panel.title,
    icon: panel.icon,
    run: () => ui.openPanel(panel.id),
  }));
  return (
    <nav className="halves-bar" aria-label="Parts">
      {halves.map(({ id, label, icon }) => (
        <button key={id} type="button" aria-pressed={half === id} onClick={() => show(id)}>
          <Icon name={icon} size={20} />
          {label}
        </button>
      ))}
      <Menu label="Panels" look="quiet" icon="more" align="end" items={items}>
        More
      </Menu>
    </nav>
  );
}

function useShortcuts(page: Page): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if ((event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === "k") {
        event.preventDefault();
        page.ui.setPalette(true);
        return;
      }
      const command = commandOf(event);
      if (!command || !(command.enabled?.(page.store.getState()) ?? true)) return;
      event.preventDefault();
      command.run(page);
    };
    addEventListener("keydown", onKeyDown, true);
    return () => removeEventListener("keydown", onKeyDown, true);
  }, [page]);
}
