/** Pull the plug: now, or before a step of the next switch. Pressed with nothing prepared it pulls at once. */
import { useId, useRef } from "react";
import { useAppState, usePage } from "#web/state/context.ts";
import { stepRecord } from "#web/state/steps.ts";
import { Button } from "#web/ui/button.tsx";
import { placeBeside } from "#web/ui/place.ts";
import { StepTrack } from "../strip/step-track.tsx";

export function PlugButton() {
  const { actions, ui } = usePage();
  const id = useId();
  const trigger = useRef<HTMLButtonElement>(null);
  const layer = useRef<HTMLDivElement>(null);
  const prepared = useAppState((state) => state.pending.status === "ready" && state.switching.phase !== "running");
  const planted = useAppState((state) => state.ui.plugBefore);
  if (!prepared)
    return (
      <Button look="danger" icon="plug" tip="The machine dies at once" onClick={() => void actions.cut()}>
        Pull the plug
      </Button>
    );
  const plant = (before: string | null): void => {
    ui.setPlug(before);
    layer.current?.hidePopover();
  };
  return (
    <>
      <Button ref={trigger} look="danger" icon="plug" popoverTarget={id} aria-haspopup="dialog">
        Pull the plug
      </Button>
      <div
        id={id}
        ref={layer}
        popover="auto"
        // oxlint-disable-next-line jsx-a11y/prefer-tag-over-role -- not modal, and placed beside its button: a popover
        role="dialog"
        aria-label="When to pull the plug"
        className="menu plug-menu"
        onBeforeToggle={(event) => {
          if (event.newState === "open" && trigger.current) placeBeside(event.currentTarget, trigger.current, "end");
        }}
      >
        <div className="plug-choice">
          <Button
            look="danger"
            onClick={() => {
              layer.current?.hidePopover();
              void actions.cut();
            }}
          >
            Now
          </Button>
          <Button look="danger" onClick={() => plant("etc")}>
            Half-way through the next switch
          </Button>
        </div>
        <p className="plug-or">or before a step you choose:</p>
        <StepTrack steps={[]} plugBefore={planted} plant={plant} />
        {planted && (
          <p className="plug-note">
            Pulled before “{stepRecord(planted).label}”. The next boot takes the <b>{stepRecord(planted).before}</b>{" "}
            generation.
          </p>
        )}
      </div>
    </>
  );
}
