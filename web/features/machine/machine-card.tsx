/** The machine under its glass: what it is, what it serves, what starts next, and the two buttons that matter. */
import { useEffect, useState } from "react";
import { rollbackTarget, runningLabel, defaultGeneration } from "#web/state/derive.ts";
import { formatBytes, formatDate, plural } from "#web/state/format.ts";
import type { Actions, Generation, MachinePhase, State } from "#web/state/model.ts";
import { useActions, useAppState, usePage, useUi } from "#web/state/context.ts";
import { Button } from "#web/ui/button.tsx";
import { Icon } from "#web/ui/icon.tsx";
import { Menu, type MenuItem } from "#web/ui/menu.tsx";
import { Progress } from "#web/ui/parts.tsx";
import "./machine-card.css";
import { PlugButton } from "./plug.tsx";
import { Preview } from "./preview.tsx";
import { Strata } from "./strata.tsx";

/** Milliseconds. */
const darkFor = 1100;

const phaseWords: Record<MachinePhase, string> = {
  off: "off",
  booting: "starting",
  running: "running",
  stopping: "stopping",
  cut: "no power",
  failed: "failed",
};

export function MachineCard() {
  const phase = useSeenPhase();
  return (
    <section className={`machine machine-${phase}`} aria-label="The machine">
      <Head phase={phase} />
      <div className="glass">
        <Inside phase={phase} />
        <span className="glass-shine" aria-hidden="true" />
      </div>
      <VerdictLine />
      <Strata />
      <Foot />
    </section>
  );
}

/** A machine that lost its power stays dark long enough to be seen, however soon it starts again. */
function useSeenPhase(): MachinePhase {
  const phase = useAppState((state) => state.machine.phase);
  const [dark, setDark] = useState(false);
  const store = usePage().store;
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = store.subscribe((state, before) => {
      if (state.machine.phase !== "cut" || before.machine.phase === "cut") return;
      clearTimeout(timer);
      setDark(true);
      timer = setTimeout(() => setDark(false), darkFor);
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [store]);
  return dark ? "cut" : phase;
}

function Head({ phase }: { phase: MachinePhase }) {
  const machine = useAppState((state) => state.machine);
  const configured = useAppState((state) => state.evaluation.result?.hostName);
  const label = useAppState(runningLabel);
  return (
    <header className="machine-head">
      <span className="machine-light" aria-hidden="true" />
      <h2 className="truncate">{machine.hostName ?? configured ?? "machine"}</h2>
      {machine.driver === "webcontainer" && (
        <span className="machine-simulated" data-tip="Node imitates the services; no program of the store runs">
          simulated
        </span>
      )}
      <output className="machine-phase">{phase === "running" && label ? label : phaseWords[phase]}</output>
      <Stats />
      <PowerMenu />
    </header>
  );
}

function Stats() {
  const stats = useAppState((state) => state.machine.stats);
  const failed = useAppState((state) => state.machine.units.filter((unit) => unit.active === "failed").length);
  const count = useAppState((state) => state.machine.units.filter((unit) => unit.name.endsWith(".service")).length);
  const ui = useUi();
  if (count === 0) return null;
  const memory = stats?.memoryTotal
    ? `${formatBytes(stats.memoryUsed)} of ${formatBytes(stats.memoryTotal)} memory in use`
    : undefined;
  return (
    <button type="button" className="machine-stats" data-tip={memory} onClick={() => ui.togglePanel("services")}>
      {failed > 0 ? <span className="machine-failed">{failed} failed</span> : plural(count, "service")}
    </button>
  );
}

function PowerMenu() {
  const actions = useActions();
  const phase = useAppState((state) => state.machine.phase);
  const list = useAppState((state) => state.generations.list);
  const on = phase === "running";
  const items: (MenuItem | { heading: string })[] = [
    {
      id: "reboot",
      label: "Restart",
      caption: "reboot",
      icon: "reload",
      disabled: !on,
      run: () => void actions.reboot(),
    },
    {
      id: "off",
      label: "Shut down",
      caption: "poweroff",
      icon: "power",
      disabled: !on,
      run: () => void actions.powerOff(),
    },
    { heading: "Boot menu" },
    ...bootItems(list, actions),
  ];
  return <Menu label="Power and boot menu" look="quiet" icon="more" items={items} align="end" />;
}

function bootItems(list: Generation[], actions: Actions): MenuItem[] {
  return list.toReversed().map((each) => ({
    id: `boot-${each.number}`,
    label: `Generation ${each.number}`,
    caption: each.isDefault ? "default" : formatDate(each.date),
    checked: each.booted,
    run: () => void actions.boot(each.number),
  }));
}

function Inside({ phase }: { phase: MachinePhase }) {
  switch (phase) {
    case "running":
      return <Preview />;
    case "booting":
    case "stopping":
      return <Booting />;
    case "cut":
      return <Dark />;
    default:
      return <Off />;
  }
}

function Booting() {
  const progress = useAppState((state) => state.machine.progress);
  return (
    <div className="inside">
      <Sprout />
      <output>{progress.text || "Starting"}</output>
      <div className="inside-bar">
        <Progress fraction={progress.fraction} label={progress.text || "Starting"} />
      </div>
    </div>
  );
}

function Dark() {
  return (
    <div className="inside inside-dark">
      <Icon name="unplugged" size={34} />
      <output>No power</output>
    </div>
  );
}

function Off() {
  const actions = useActions();
  const error = useAppState((state) => (state.machine.phase === "failed" ? state.machine.error : null));
  const next = useAppState((state) => defaultGeneration(state.generations.list)?.number);
  const list = useAppState((state) => state.generations.list);
  const reading = useAppState((state) => state.pending.status === "unknown" && state.evaluation.failure === null);
  const building = useAppState((state) => state.build.phase === "running");
  if (building) return <Growing />;
  return (
    <div className="inside">
      {error === null ? <Sprout /> : <Icon name="warning" size={30} />}
      {error !== null && <p className="inside-error">{error}</p>}
      {next === undefined ? (
        <p>{reading ? "Reading the file" : "Build the file to grow a machine."}</p>
      ) : (
        <div className="row">
          <Button size="large" icon="power" onClick={() => void actions.boot(null)}>
            Start generation {next}
          </Button>
          {list.length > 1 && (
            <Menu label="Boot menu" size="large" icon="down" items={bootItems(list, actions)} align="end" />
          )}
        </div>
      )}
    </div>
  );
}

/** The first build, seen from the machine's side: what is done, what is being made. */
function Growing() {
  const steps = useAppState((state) => state.build.steps);
  const done = steps.filter((step) => step.state === "done" || step.state === "skipped").length;
  return (
    <div className="inside">
      <Sprout />
      <ul className="growing">
        {steps
          .filter((step) => step.state !== "waiting")
          .slice(-5)
          .map((step) => (
            <li key={step.drvPath} className={`growing-${step.state}`}>
              {step.name}
            </li>
          ))}
      </ul>
      <div className="inside-bar">
        <Progress fraction={steps.length > 0 ? done / steps.length : null} label="Building" />
      </div>
    </div>
  );
}

function Sprout() {
  return (
    <svg className="sprout" width="64" height="64" viewBox="0 0 64 64" fill="none" aria-hidden="true">
      <path className="sprout-stem" d="M32 58C32 44 32 36 31 26" pathLength="1" />
      <path className="sprout-leaf" d="M31 34C20 34 16 28 16 20c10 0 15 4 15 14z" />
      <path className="sprout-leaf sprout-late" d="M31.5 28C31 17 37 11 48 11c0 11-6 17-16.5 17z" />
    </svg>
  );
}

function VerdictLine() {
  const verdict = useAppState((state) => state.verdict);
  return (
    <div className="verdict-place" aria-live="polite">
      {verdict && (
        <p className={`verdict verdict-${verdict.tone}`} key={verdict.text}>
          <b>{verdict.text}</b> {verdict.detail && <span>{verdict.detail}</span>}
        </p>
      )}
    </div>
  );
}

const powered = (state: State): boolean => state.machine.phase === "running" || state.machine.phase === "booting";

function Foot() {
  const actions = useActions();
  const list = useAppState((state) => state.generations.list);
  const on = useAppState(powered);
  const busy = useAppState((state) => state.switching.phase === "running");
  const target = rollbackTarget(list);
  if (list.length === 0) return null;
  return (
    <footer className="machine-foot">
      <Button
        icon="back"
        command="nixos-rebuild switch --rollback"
        disabled={!target || busy}
        onClick={() => void actions.rollback()}
      >
        Roll back{target ? ` to ${target.number}` : ""}
      </Button>
      {on && <PlugButton />}
    </footer>
  );
}
