/** The rail: one button a panel. The open one is pressed; pressing it again closes it. */
import { panels, type PanelRecord } from "#web/features/registry.ts";
import { useAppState, useUi } from "#web/state/context.ts";
import { Icon } from "#web/ui/icon.tsx";

export function Rail() {
  return (
    <nav className="rail" aria-label="Panels">
      {panels
        .filter((panel) => panel.place === "top")
        .map((panel) => (
          <RailButton key={panel.id} panel={panel} />
        ))}
      <span className="rail-gap" />
      {panels
        .filter((panel) => panel.place === "foot")
        .map((panel) => (
          <RailButton key={panel.id} panel={panel} />
        ))}
    </nav>
  );
}

function RailButton({ panel }: { panel: PanelRecord }) {
  const ui = useUi();
  const open = useAppState((state) => state.ui.panel === panel.id);
  const count = useAppState((state) => (panel.id === "changes" ? (state.pending.change?.count ?? 0) : 0));
  return (
    <button
      type="button"
      className="rail-button"
      data-rail={panel.id}
      aria-pressed={open}
      aria-label={panel.title}
      onClick={() => ui.togglePanel(panel.id)}
    >
      <Icon name={panel.icon} size={20} />
      <span aria-hidden="true">{panel.title}</span>
      {count > 0 && (
        <b className="rail-count numeric" aria-hidden="true">
          {count}
        </b>
      )}
    </button>
  );
}
