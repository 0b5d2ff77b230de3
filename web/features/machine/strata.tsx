/**
 * The picture of what a switch does: `system → system-2-link → /nix/store/…`. Generations lie like layers of soil, the newest
 * on top; each keeps its own path for ever, and only the arrow from `system` moves.
 */
import type { CSSProperties } from "react";
import { pictured } from "#web/state/derive.ts";
import { pathName, shortHash } from "#web/state/format.ts";
import type { Generation } from "#web/state/model.ts";
import { useActions, useAppState, useUi } from "#web/state/context.ts";
import { IconButton } from "#web/ui/button.tsx";
import { StoreName } from "#web/ui/store-name.tsx";
import "./strata.css";

const rowHeight = 36;
const room = 3;

export function Strata() {
  const { list, runningUnsaved } = useAppState((state) => state.generations);
  const ui = useUi();
  const shown = pictured(list, room);
  if (shown.length === 0) return null;
  const target = Math.max(
    0,
    shown.findIndex((each) => each.isDefault),
  );
  const height = shown.length * rowHeight;
  return (
    <figure className="ground" aria-label="What starts next: the arrow from system">
      {runningUnsaved && (
        <p className="unsaved">
          <span className="mark mark-current">running, not saved</span>
          <StoreName path={runningUnsaved.outPath} hash />
        </p>
      )}
      <div className="ground-picture">
        <div className="profile" style={{ height }}>
          <code data-tip="/nix/var/nix/profiles/system" data-tip-code="">
            system
          </code>
        </div>
        <Arrow height={height} target={target} />
        <ol className="strata">
          {shown.map((each) => (
            <Layer key={each.number} generation={each} />
          ))}
        </ol>
      </div>
      {list.length > shown.length && (
        <button type="button" className="ground-more" onClick={() => ui.openPanel("generations")}>
          {list.length - shown.length} more below
        </button>
      )}
    </figure>
  );
}

/** From the middle of the pointer's side to the layer it names. The curve glides when the target changes; nothing else moves. */
function Arrow({ height, target }: { height: number; target: number }) {
  const from = height / 2;
  const to = target * rowHeight + rowHeight / 2;
  const curve = `M 1 ${from} C 22 ${from} 14 ${to} 38 ${to}`;
  return (
    <svg className="pointer" width="44" height={height} aria-hidden="true">
      <path className="pointer-line" d={curve} style={{ d: `path("${curve}")` } as CSSProperties} />
      <path className="pointer-head" d="M 34 -4.5 L 42 0 L 34 4.5 z" style={{ transform: `translateY(${to}px)` }} />
    </svg>
  );
}

function Layer({ generation }: { generation: Generation }) {
  const actions = useActions();
  const { number, outPath, isDefault, booted } = generation;
  const on = useAppState((state) => state.machine.phase === "running" || state.machine.phase === "stopping");
  const current = generation.current && on;
  return (
    <li className={`layer ${isDefault ? "layer-default" : ""}`} style={{ height: rowHeight }} data-generation={number}>
      <code className="layer-link" data-tip={`/nix/var/nix/profiles/system-${number}-link`} data-tip-code="">
        system-{number}-link
      </code>
      <span className="layer-arrow" aria-hidden="true">
        →
      </span>
      <span className="layer-path">
        <span className="store-hash layer-hash" data-tip={outPath} data-tip-code="">
          {shortHash(outPath)}
        </span>
        <span className="truncate layer-name">{pathName(outPath)}</span>
      </span>
      {current && <span className="mark mark-current">running</span>}
      {booted && on && !current && <span className="mark">booted</span>}
      {!isDefault && (
        <IconButton
          className="layer-switch"
          size="small"
          icon="back"
          label={`Switch to generation ${number}`}
          onClick={() => void actions.switchGeneration(number)}
        />
      )}
    </li>
  );
}
