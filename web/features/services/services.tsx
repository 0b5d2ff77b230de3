/** The services of the running machine: how each is, and what it wrote. */
import { useState } from "react";
import { bareUnit } from "#web/state/derive.ts";
import { formatBytes, formatMs, plural } from "#web/state/format.ts";
import { useAppState, usePage } from "#web/state/context.ts";
import type { UnitState } from "#web/state/model.ts";
import { Button } from "#web/ui/button.tsx";
import { DockTools } from "#web/ui/dock-tools.ts";
import { Empty, Progress } from "#web/ui/parts.tsx";
import { useAnswer } from "#web/ui/use-answer.ts";
import "./services.css";

/** What a person looks for comes first. */
const order: UnitState["active"][] = ["failed", "activating", "deactivating", "active", "inactive"];

const rank = (unit: UnitState): number => order.indexOf(unit.active) * 2 + Number(!unit.name.endsWith(".service"));

export default function Services() {
  const units = useAppState((state) => state.machine.units);
  const stats = useAppState((state) => state.machine.stats);
  const [chosen, setChosen] = useState<string | null>(null);
  if (units.length === 0)
    return (
      <Empty icon="services" title="No services run">
        <p>The machine is off, or it is just starting.</p>
      </Empty>
    );
  const sorted = units.toSorted((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1));
  const shown = sorted.find((unit) => unit.name === chosen) ?? sorted[0];
  return (
    <>
      <DockTools>
        <span className="muted">{plural(units.length, "unit")}</span>
        {stats && (
          <span className="muted numeric">
            {stats.memoryTotal > 0 && `${formatBytes(stats.memoryUsed)} of ${formatBytes(stats.memoryTotal)} memory · `}
            {stats.instructionsPerSecond > 0 &&
              `${Math.round(stats.instructionsPerSecond / 1e6)} million instructions a second · `}
            {plural(stats.filesRead, "file")} read · up {formatMs(stats.uptimeMs)}
          </span>
        )}
      </DockTools>
      <div className="split">
        <ul className="split-main services" aria-label="Units">
          {sorted.map((unit) => (
            <li key={unit.name}>
              <button type="button" aria-pressed={unit === shown} onClick={() => setChosen(unit.name)}>
                <span className={`unit-light unit-${unit.active}`} aria-hidden="true" />
                <span className="unit-name">{bareUnit(unit.name)}</span>
                <span className="muted truncate grow">{unit.description}</span>
                <span className={unit.active === "failed" ? "unit-bad" : "muted"}>
                  {unit.active === unit.sub ? unit.active : `${unit.active} (${unit.sub})`}
                </span>
              </button>
            </li>
          ))}
        </ul>
        {shown && <UnitLog key={shown.name} unit={shown} />}
      </div>
    </>
  );
}

function UnitLog({ unit }: { unit: UnitState }) {
  const { actions } = usePage();
  const [asked, setAsked] = useState(0);
  const answer = useAnswer(`${unit.name} ${unit.active} ${unit.sub} ${asked}`, () => actions.unitLog(unit.name));
  return (
    <aside className="split-side unit-log" aria-label={`Log of ${unit.name}`}>
      <div className="row">
        <b>{bareUnit(unit.name)}</b>
        <span className="grow" />
        <Button
          size="small"
          look="quiet"
          icon="reload"
          command={`journalctl -u ${unit.name}`}
          onClick={() => setAsked(asked + 1)}
        >
          Read again
        </Button>
      </div>
      {answer.loading && <Progress fraction={null} label="Reading its log" />}
      {!answer.loading && (answer.value ?? []).length === 0 && <p className="panel-note">It wrote nothing.</p>}
      {!answer.loading && (answer.value ?? []).length > 0 && <pre className="log">{answer.value.join("\n")}</pre>}
    </aside>
  );
}
