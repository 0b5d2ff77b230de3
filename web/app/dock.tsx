/** Where the open panel stands: below the file and the machine, as tall as the visitor likes. A panel that breaks takes nobody with it. */
import { Suspense, useState } from "react";
import { panels } from "#web/features/registry.ts";
import { useAppState, useUi } from "#web/state/context.ts";
import { IconButton } from "#web/ui/button.tsx";
import { DockToolsPlace } from "#web/ui/dock-tools.ts";
import "#web/ui/panel.css";
import { Splitter } from "#web/ui/parts.tsx";
import { Boundary } from "./boundary.tsx";

export function Dock() {
  const ui = useUi();
  const id = useAppState((state) => state.ui.panel);
  const [height, setHeight] = useState(() => Math.round(Math.min(380, innerHeight * 0.42)));
  const [tools, setTools] = useState<HTMLElement | null>(null);
  const panel = panels.find((each) => each.id === id);
  if (!panel) return null;
  const Panel = panel.component;
  const close = (): void => {
    ui.closePanel();
    document.querySelector<HTMLElement>(`[data-rail="${panel.id}"]`)?.focus();
  };
  return (
    <>
      <Splitter
        label="Height of the panel"
        axis="y"
        value={height}
        least={160}
        most={Math.max(200, innerHeight - 260)}
        change={setHeight}
      />
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- Escape closes the panel from anywhere in it */}
      <section
        className="dock"
        style={{ height }}
        aria-label={panel.title}
        data-panel={panel.id}
        onKeyDown={(event) => {
          if (event.key === "Escape" && !event.defaultPrevented && panel.id !== "terminal") close();
        }}
      >
        <header className="dock-head">
          <h2>{panel.title}</h2>
          <div className="dock-tools" ref={setTools} />
          <IconButton label={`Close ${panel.title}`} icon="cross" size="small" onClick={close} />
        </header>
        {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be within a keyboard's reach */}
        <section className="dock-body" tabIndex={0} aria-label={`Content of ${panel.title}`}>
          <Boundary key={panel.id} what={panel.title}>
            <Suspense fallback={<p className="dock-wait">Opening…</p>}>
              <DockToolsPlace value={tools}>
                <Panel />
              </DockToolsPlace>
            </Suspense>
          </Boundary>
        </section>
      </section>
    </>
  );
}
