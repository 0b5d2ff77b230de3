/** What would change, and what building and switching said: three views of one step forward. */
import { useState } from "react";
import { formatMs } from "#web/state/format.ts";
import type { BuildStep, State } from "#web/state/model.ts";
import { useAppState, usePage } from "#web/state/context.ts";
import { Button } from "#web/ui/button.tsx";
import { DockTools } from "#web/ui/dock-tools.ts";
import { Icon, type IconName } from "#web/ui/icon.tsx";
import { Empty, Progress, Segments } from "#web/ui/parts.tsx";
import { StoreName } from "#web/ui/store-name.tsx";
import { StepTrack } from "../strip/step-track.tsx";
import { ChangeView } from "./change-view.tsx";
import "./changes.css";

type View = "change" | "build" | "switch";

/** What has just happened is what one wants to see. */
function firstView(state: State): View {
  if (state.build.phase === "failed" || state.build.phase === "running") return "build";
  return state.switching.phase === "running" || state.switching.phase === "failed" ? "switch" : "change";
}

export default function Changes() {
  const { store } = usePage();
  const [view, setView] = useState<View>(() => firstView(store.getState()));
  return (
    <>
      <DockTools>
        <Segments
          label="View"
          value={view}
          choose={setView}
          options={[
            { value: "change", label: "Would change" },
            { value: "build", label: "Build" },
            { value: "switch", label: "Switch" },
          ]}
        />
      </DockTools>
      {view === "change" && <Pending />}
      {view === "build" && <Build />}
      {view === "switch" && <Switch />}
    </>
  );
}

function Pending() {
  const pending = useAppState((state) => state.pending);
  if (pending.status === "ready" && pending.change)
    return (
      <div className="panel">
        <ChangeView change={pending.change} />
      </div>
    );
  const words: Record<typeof pending.status, string> = {
    none: "The file is what the machine was made from.",
    computing: "Working it out…",
    ready: "Part of it is made by a builder: what changes shows when it is built.",
    first: "There is nothing to compare with yet: build the file first.",
    unknown: "The file has an error. Mend it to see what would change.",
  };
  return (
    <Empty icon="changes" title={pending.status === "ready" ? "Not known yet" : "Nothing would change"}>
      <p>{words[pending.status]}</p>
    </Empty>
  );
}

function Build() {
  const build = useAppState((state) => state.build);
  const { actions } = usePage();
  if (build.phase === "idle")
    return (
      <Empty icon="play" title="Nothing was built yet">
        <Button command="nixos-rebuild build" onClick={() => void actions.build()}>
          Build
        </Button>
      </Empty>
    );
  return (
    <div className="panel">
      <div className="row build-head">
        <code>{build.command}</code>
        <span className="grow" />
        {build.phase === "running" && <Button onClick={() => actions.cancel()}>Cancel</Button>}
        {build.phase === "done" && build.outPath && <StoreName path={build.outPath} hash />}
        {build.phase === "cancelled" && <span className="muted">cancelled</span>}
      </div>
      {build.error !== null && <pre className="log build-error">{build.error}</pre>}
      <ol className="build-steps">
        {build.steps.map((step) => (
          <BuildRow key={step.drvPath} step={step} />
        ))}
      </ol>
    </div>
  );
}

const how: Record<BuildStep["how"], string> = {
  present: "was there",
  recipe: "computed",
  builder: "built in the machine",
  substitute: "fetched",
};

const stateIcons: Record<BuildStep["state"], IconName> = {
  waiting: "more",
  running: "reload",
  done: "check",
  failed: "cross",
  cut: "unplugged",
  skipped: "check",
};

function BuildRow({ step }: { step: BuildStep }) {
  const { ui } = usePage();
  return (
    <li className={`build-step build-${step.state}`}>
      <Icon name={stateIcons[step.state]} size={15} />
      <div className="grow">
        <StoreName path={step.drvPath} open={(path) => ui.inspect("derivation", path)} />
        {step.state === "running" && <Progress fraction={step.progress} label={step.name} />}
        {step.log.length > 0 && step.state !== "done" && <pre className="log">{step.log.join("\n")}</pre>}
      </div>
      <span className="muted numeric">
        {step.state === "waiting" ? "" : how[step.how]}
        {step.ms !== null && step.ms >= 1 && ` in ${formatMs(step.ms)}`}
      </span>
    </li>
  );
}

function Switch() {
  const switching = useAppState((state) => state.switching);
  const { ui } = usePage();
  const plug = useAppState((state) => state.ui.plugBefore);
  if (switching.phase === "idle")
    return (
      <div className="panel">
        <p className="panel-note">
          A switch goes through these steps. Only one of them, <b>profile</b>, decides what starts next. Plant the plug
          before a step to see.
        </p>
        <StepTrack steps={[]} plugBefore={plug} plant={ui.setPlug} />
      </div>
    );
  return (
    <div className="panel">
      <div className="row">
        <code>{switching.command}</code>
        <span className="grow" />
        {switching.exitCode !== null && (
          <span className={switching.exitCode === 0 ? "muted" : "exit-bad"}>exit code {switching.exitCode}</span>
        )}
      </div>
      <div className="switch-track">
        <StepTrack steps={switching.steps} plugBefore={null} />
      </div>
      {switching.log.length > 0 && <pre className="log">{switching.log.join("\n")}</pre>}
    </div>
  );
}
