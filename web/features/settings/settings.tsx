/** Settings, kept in this browser. */
import type { ReactNode } from "react";
import { useAppState, useUi } from "#web/state/context.ts";
import { Segments } from "#web/ui/parts.tsx";
import "./settings.css";

export default function Settings() {
  const ui = useUi();
  const settings = useAppState((state) => state.ui.settings);
  return (
    <div className="panel settings">
      <Setting name="Light">
        <Segments
          label="Light"
          value={settings.theme}
          choose={(theme) => ui.change({ theme })}
          options={[
            { value: "system", label: "As the system" },
            { value: "light", label: "Light" },
            { value: "dark", label: "Dark" },
          ]}
        />
      </Setting>
      <Setting name="Motion">
        <Segments
          label="Motion"
          value={settings.motion}
          choose={(motion) => ui.change({ motion })}
          options={[
            { value: "system", label: "As the system" },
            { value: "reduced", label: "None" },
          ]}
        />
      </Setting>
      <NumberSetting
        name="Size of code"
        value={settings.fontSize}
        least={10}
        most={24}
        unit="px"
        change={(fontSize) => ui.change({ fontSize })}
      />
      <NumberSetting
        name="Stop an evaluation after"
        value={settings.evaluationLimit}
        least={1}
        most={600}
        unit="seconds"
        change={(evaluationLimit) => ui.change({ evaluationLimit })}
      />
      <Driver />
      <Toggle
        name="Start the machine when the page opens"
        value={settings.bootOnOpen}
        change={(bootOnOpen) => ui.change({ bootOnOpen })}
      />
      <Toggle name="Hints of the first visit" value={settings.hints} change={(hints) => ui.change({ hints })} />
    </div>
  );
}

/** Which machine; what the simulation cannot do stands beside the choice, and takes effect at the next start. */
function Driver() {
  const ui = useUi();
  const driver = useAppState((state) => state.ui.settings.driver);
  const isolated = globalThis.crossOriginIsolated;
  return (
    <>
      <Setting name="Machine">
        <Segments
          label="Machine"
          value={driver}
          choose={(next) => ui.change({ driver: next })}
          options={[
            { value: "v86", label: "Linux" },
            { value: "webcontainer", label: "Simulation", disabled: !isolated },
          ]}
        />
      </Setting>
      <p className="setting-note">
        {driver === "webcontainer"
          ? "From the next start on, Node in a WebContainer imitates your services: no kernel, no users, no programs from the store, and nothing it writes is kept. It loads from stackblitz.com."
          : "A real Linux in this tab. It needs no network."}
        {isolated
          ? ""
          : " The simulation needs a page that is cross-origin isolated; this host does not send the headers."}
      </p>
    </>
  );
}

function Setting({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="setting">
      <span>{name}</span>
      {children}
    </div>
  );
}

interface NumberProps {
  name: string;
  value: number;
  least: number;
  most: number;
  unit: string;
  change(value: number): void;
}

function NumberSetting({ name, value, least, most, unit, change }: NumberProps) {
  return (
    <label className="setting">
      <span>{name}</span>
      <span className="row">
        <input
          className="field"
          type="number"
          min={least}
          max={most}
          value={value}
          onChange={(event) => {
            const wanted = event.target.valueAsNumber;
            if (wanted >= least && wanted <= most) change(wanted);
          }}
        />
        {unit}
      </span>
    </label>
  );
}

function Toggle({ name, value, change }: { name: string; value: boolean; change(value: boolean): void }) {
  return (
    <label className="setting">
      <span>{name}</span>
      <input
        type="checkbox"
        role="switch"
        aria-checked={value}
        checked={value}
        onChange={(event) => change(event.target.checked)}
      />
    </label>
  );
}
