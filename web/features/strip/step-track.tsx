/** The steps of a switch on one line. With `plant` each gap is a place to pull the plug, so that it happens at the same instant every time. */
import { Fragment } from "react";
import { stepRecord, switchSteps } from "#web/state/steps.ts";
import type { StepState, SwitchStep } from "#web/state/model.ts";
import { Icon } from "#web/ui/icon.tsx";
import "./step-track.css";

export interface StepTrackProps {
  /** Steps as they stand; empty shows the plan. */
  steps: SwitchStep[];
  plugBefore: string | null;
  plant?: (before: string | null) => void;
}

export function StepTrack({ steps, plugBefore, plant }: StepTrackProps) {
  const shown =
    steps.length > 0 ? steps : switchSteps.map((step) => ({ id: step.id, state: "waiting" as const, text: "" }));
  return (
    <ol className={`track ${plant ? "track-plant" : ""}`}>
      {shown.map((step, index) => (
        <Fragment key={step.id}>
          {index > 0 && <Gap id={step.id} planted={plugBefore === step.id} plant={plant} state={step.state} />}
          <li className={`track-step track-${step.state}`} data-tip={stepRecord(step.id).meaning}>
            <span className="track-dot" aria-hidden="true" />
            <span className="track-label">{stepRecord(step.id).label}</span>
            <span className="visually-hidden">{step.state}</span>
          </li>
        </Fragment>
      ))}
    </ol>
  );
}

interface GapProps {
  id: string;
  planted: boolean;
  plant: ((before: string | null) => void) | undefined;
  state: StepState;
}

function Gap({ id, planted, plant, state }: GapProps) {
  const { label, before } = stepRecord(id);
  if (!plant)
    return (
      <li aria-hidden="true" className={`track-gap track-${state}`}>
        {planted && <Icon name="plug" size={13} />}
      </li>
    );
  return (
    <li className="track-gap">
      <button
        type="button"
        className="track-plug"
        aria-pressed={planted}
        aria-label={`Pull the plug before ${label}`}
        data-tip={`Before “${label}”: the next boot takes the ${before} generation`}
        onClick={() => plant(planted ? null : id)}
      >
        <Icon name="plug" size={14} />
      </button>
    </li>
  );
}
