/** The strip under the editor: what the file would change, and the one button that makes it so. While a switch runs it shows the switch. */
import { changeChips, stripOf, switchCommand, type Chip, type Strip as StripState } from "#web/state/derive.ts";
import type { Change, Diagnostic, State, SwitchAction } from "#web/state/model.ts";
import { useActions, useAppState, useDerived, usePage, useUi } from "#web/state/context.ts";
import { Button, IconButton } from "#web/ui/button.tsx";
import { Icon } from "#web/ui/icon.tsx";
import { Menu, type MenuItem } from "#web/ui/menu.tsx";
import { Progress } from "#web/ui/parts.tsx";
import "./strip.css";
import { StepTrack } from "./step-track.tsx";
import { stepRecord } from "#web/state/steps.ts";

export function Strip() {
  const strip = useDerived(stripOf);
  return (
    <section className={`strip strip-${strip.kind}`} aria-label="What would change" aria-live="polite">
      <StripBody strip={strip} />
    </section>
  );
}

function StripBody({ strip }: { strip: StripState }) {
  switch (strip.kind) {
    case "switching":
      return <Switching />;
    case "building":
      return <Building text={strip.text} fraction={strip.fraction} />;
    case "ready":
      return <Ready change={strip.change} text={strip.text} />;
    case "first":
      return <First text={strip.text} />;
    case "error":
      return <Failing text={strip.text} path={strip.path} at={strip.at} />;
    case "build-failed":
      return <BuildFailed text={strip.text} />;
    case "unit-failed":
      return <UnitFailed text={strip.text} />;
    default:
      return <Quiet strip={strip} />;
  }
}

function Quiet({ strip }: { strip: Extract<StripState, { kind: "starting" | "failure" | "computing" | "same" }> }) {
  const actions = useActions();
  const running = useAppState((state) => state.evaluation.runningSince !== null);
  return (
    <>
      <span className={`strip-text ${strip.kind === "failure" ? "strip-bad" : "strip-calm"}`}>
        {strip.kind === "same" && <Icon name="check" size={17} />}
        {strip.text}
      </span>
      {strip.kind === "computing" && running && (
        <Button size="small" look="quiet" icon="stop" onClick={() => actions.stopEvaluation()}>
          Stop
        </Button>
      )}
    </>
  );
}

function First({ text }: { text: string }) {
  const actions = useActions();
  return (
    <>
      <span className="strip-text">{text}</span>
      <Button
        look="primary"
        size="large"
        icon="play"
        command="nixos-rebuild switch"
        onClick={() => void actions.buildAndBoot()}
      >
        Build and boot
      </Button>
    </>
  );
}

function Ready({ change, text }: { change: Change | null; text: string }) {
  const ui = useUi();
  const chips = change === null ? [] : changeChips(change);
  return (
    <>
      <button
        type="button"
        className="strip-what"
        data-tip="Show what would change"
        onClick={() => ui.togglePanel("changes")}
      >
        <span className="strip-text">{text}</span>
        <span className="chips">
          {chips.slice(0, 3).map((chip) => (
            <ChipMark key={chip.kind + chip.text} chip={chip} />
          ))}
          {chips.length > 3 && <span className="chip">+{chips.length - 3} more</span>}
        </span>
      </button>
      <PlugPlan />
      <SwitchButton />
    </>
  );
}

export function ChipMark({ chip }: { chip: Chip }) {
  return (
    <span className={`chip chip-${chip.kind}`}>
      <b aria-hidden="true">{chip.sign}</b>
      {chip.text}
    </span>
  );
}

/** Where the plug will be pulled in the next switch, when the visitor planted it. */
function PlugPlan() {
  const ui = useUi();
  const before = useAppState((state) => state.ui.plugBefore);
  if (before === null) return null;
  return (
    <span className="plug-plan">
      <Icon name="plug" size={15} />
      <span>
        plug pulled before <b>{stepRecord(before).label}</b>
      </span>
      <IconButton label="Leave the plug in" icon="cross" size="small" onClick={() => ui.setPlug(null)} />
    </span>
  );
}

const actionWords: { action: SwitchAction; label: string }[] = [
  { action: "switch", label: "Switch now, and from now on" },
  { action: "boot", label: "From the next boot" },
  { action: "test", label: "Now, but not saved" },
  { action: "build", label: "Only build" },
  { action: "dry-activate", label: "Only say what would happen" },
];

function SwitchButton() {
  const { store, actions } = usePage();
  const start = (action: SwitchAction): void => {
    const plug = store.getState().ui.plugBefore;
    void actions.switch(action, action === "switch" || action === "test" ? plug : null);
  };
  const off = useAppState((state) => state.machine.phase === "off" || state.machine.phase === "failed");
  const items: MenuItem[] = actionWords.map(({ action, label }) => ({
    id: action,
    label,
    caption: switchCommand(action),
    disabled: off && (action === "test" || action === "dry-activate"),
    run: () => start(action),
  }));
  return (
    <div className="split-button">
      {off ? (
        <Button
          look="primary"
          size="large"
          command={switchCommand("switch")}
          onClick={() => void actions.buildAndBoot()}
        >
          Build and boot
        </Button>
      ) : (
        <Button look="primary" size="large" command={switchCommand("switch")} onClick={() => start("switch")}>
          Switch
        </Button>
      )}
      <Menu label="Other ways to switch" look="primary" size="large" icon="down" items={items} align="end" />
    </div>
  );
}

function Failing({ text, path, at }: { text: string; path: string; at: Diagnostic["range"] }) {
  const ui = useUi();
  return (
    <>
      <span className="strip-text strip-bad">
        <Icon name="warning" size={17} />
        {text}
      </span>
      <Button onClick={() => ui.reveal({ path, range: at })}>Show</Button>
    </>
  );
}

function BuildFailed({ text }: { text: string }) {
  const ui = useUi();
  const actions = useActions();
  return (
    <>
      <span className="strip-text strip-bad">
        <Icon name="warning" size={17} />
        <span className="strip-two">
          <span>{text}</span>
          <span className="strip-detail">The machine is as it was.</span>
        </span>
      </span>
      <Button look="quiet" onClick={() => void actions.build()}>
        Try again
      </Button>
      <Button onClick={() => ui.openPanel("changes")}>Show the log</Button>
    </>
  );
}

function UnitFailed({ text }: { text: string }) {
  const actions = useActions();
  return (
    <>
      <span className="strip-text strip-bad">
        <Icon name="warning" size={17} />
        {text}
      </span>
      <Button
        look="primary"
        size="large"
        icon="back"
        command="nixos-rebuild switch --rollback"
        onClick={() => void actions.rollback()}
      >
        Roll back
      </Button>
    </>
  );
}

function Building({ text, fraction }: { text: string; fraction: number | null }) {
  const actions = useActions();
  const ui = useUi();
  return (
    <>
      <button type="button" className="strip-what strip-grow" onClick={() => ui.openPanel("changes")}>
        <span className="strip-text">{text}</span>
        <Progress fraction={fraction} label={text} />
      </button>
      <Button look="plain" onClick={() => actions.cancel()}>
        Cancel
      </Button>
    </>
  );
}

function switchingText({ machine }: State, step: string | undefined): string {
  if (machine.phase === "booting")
    return machine.hostName === null ? "The machine starts" : `${machine.hostName} starts`;
  return step === undefined ? "Switching" : stepRecord(step).meaning;
}

function Switching() {
  const actions = useActions();
  const { steps, command } = useAppState((state) => state.switching);
  const plugBefore = useAppState((state) => state.ui.plugBefore);
  const running = steps.find((step) => step.state === "running");
  const text = useAppState((state) => switchingText(state, running?.id));
  const early = running === undefined || ["build", "register"].includes(running.id);
  return (
    <>
      <div className="strip-grow">
        <span className="strip-text">
          {text}
          <code className="strip-detail">{command}</code>
        </span>
        <StepTrack steps={steps} plugBefore={plugBefore} />
      </div>
      {early ? (
        <Button onClick={() => actions.cancel()}>Cancel</Button>
      ) : (
        <Button look="danger" icon="plug" onClick={() => void actions.cut()}>
          Pull the plug
        </Button>
      )}
    </>
  );
}
