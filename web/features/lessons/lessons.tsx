/** Lessons: a prediction first, then the action on the real machine, then a check of what really is. */
import { useState } from "react";
import { useAppState, usePage } from "#web/state/context.ts";
import type { Lesson, LessonCheck, LessonStep } from "#web/state/model.ts";
import { Button } from "#web/ui/button.tsx";
import { DockTools } from "#web/ui/dock-tools.ts";
import { Icon } from "#web/ui/icon.tsx";
import Markdown from "#web/ui/markdown.tsx";
import { Empty, Progress } from "#web/ui/parts.tsx";
import "./lessons.css";

export default function Lessons() {
  const { actions } = usePage();
  const lessons = useAppState((state) => state.lessons);
  const open = lessons.find((lesson) => lesson.started);
  if (lessons.length === 0) return <Empty icon="lessons" title="No lessons here" />;
  if (!open) return <Choice lessons={lessons} />;
  return (
    <>
      <DockTools>
        <b>{open.title}</b>
        <span className="lesson-bar">
          <Progress fraction={open.at / open.steps.length} label="Progress" />
        </span>
        <Button size="small" look="quiet" icon="reload" onClick={() => void actions.resetLesson(open.id)}>
          Begin again
        </Button>
        <Button size="small" onClick={() => void actions.leaveLesson()}>
          Back to my work
        </Button>
      </DockTools>
      <Course lesson={open} />
    </>
  );
}

function Choice({ lessons }: { lessons: Lesson[] }) {
  const { actions } = usePage();
  return (
    <ul className="panel lesson-choice">
      {lessons.map((lesson) => (
        <li key={lesson.id}>
          <button type="button" onClick={() => void actions.startLesson(lesson.id)}>
            <b>{lesson.title}</b>
            <span>{lesson.summary}</span>
            <span className="muted">
              {lesson.minutes} min · {progressWords(lesson)}
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}

function progressWords({ at, steps }: Lesson): string {
  if (at === 0) return `${steps.length} steps`;
  return at >= steps.length ? "done" : `step ${at + 1} of ${steps.length}`;
}

function Course({ lesson }: { lesson: Lesson }) {
  const [looking, setLooking] = useState<number | null>(null);
  const index = Math.min(looking ?? lesson.at, lesson.steps.length);
  const step = lesson.steps[index];
  return (
    <div className="lesson">
      <ol className="lesson-steps" aria-label="Steps">
        {lesson.steps.map((each, at) => (
          <li key={each.title}>
            <button
              type="button"
              aria-current={at === index ? "step" : undefined}
              disabled={at > lesson.at}
              onClick={() => setLooking(at)}
            >
              <span className="lesson-number">{at < lesson.at ? <Icon name="check" size={13} /> : at + 1}</span>
              {each.title}
            </button>
          </li>
        ))}
      </ol>
      {step ? (
        <Step key={index} lesson={lesson} index={index} step={step} next={() => setLooking(null)} />
      ) : (
        <Empty icon="check" title="Done">
          <p>Everything you did would have happened on a real NixOS in the same way.</p>
        </Empty>
      )}
    </div>
  );
}

interface StepProps {
  lesson: Lesson;
  index: number;
  step: LessonStep;
  next(): void;
}

function Step({ lesson, index, step, next }: StepProps) {
  const { actions } = usePage();
  const chosen = lesson.predicted[index] ?? null;
  const open = step.prediction === null || chosen !== null;
  const check = async (): Promise<void> => {
    await actions.checkStep(lesson.id, index);
    next();
  };
  return (
    <article className="lesson-step">
      <h3>{step.title}</h3>
      <Markdown text={step.body} />
      {step.prediction && (
        <fieldset className="prediction">
          <legend>{step.prediction.question}</legend>
          {step.prediction.options.map((option, at) => (
            <label key={option} className={predictionClass(at, step.prediction?.answer ?? -1, chosen)}>
              <input
                type="radio"
                name={`prediction-${index}`}
                checked={chosen === at}
                disabled={chosen !== null}
                onChange={() => void actions.predict(lesson.id, index, at)}
              />
              {option}
            </label>
          ))}
          {chosen !== null && <p className="prediction-because">{step.prediction.because}</p>}
        </fieldset>
      )}
      {open && step.action && (
        <p className="lesson-do">
          <Icon name="arrow" size={16} /> {step.action.label} <code>{step.action.command}</code>
        </p>
      )}
      {open && (
        <>
          <ul className="checks" aria-live="polite">
            {step.checks.map((each) => (
              <CheckLine key={each.label} check={each} />
            ))}
          </ul>
          <div className="row">
            <Button look="primary" onClick={() => void check()}>
              {step.checks.length > 0 ? "Check" : "Go on"}
            </Button>
            {step.solution && <Button onClick={() => void actions.applySolution(lesson.id, index)}>Show me</Button>}
          </div>
        </>
      )}
      {step.nixos && (
        <details className="lesson-nixos">
          <summary>What a real NixOS prints</summary>
          <pre className="log">{step.nixos}</pre>
        </details>
      )}
    </article>
  );
}

function predictionClass(at: number, answer: number, chosen: number | null): string | undefined {
  if (chosen === null) return undefined;
  if (at === answer) return "prediction-right";
  return at === chosen ? "prediction-wrong" : undefined;
}

function CheckLine({ check }: { check: LessonCheck }) {
  const { label, state, detail } = check;
  return (
    <li className={`check check-${state}`}>
      <span className="check-mark">
        {state === "passed" && <Icon name="check" size={14} />}
        {state === "failed" && <Icon name="cross" size={14} />}
      </span>
      <span>
        {label}
        <span className="visually-hidden">: {state}</span>
        {detail && state === "failed" && <span className="check-detail">{detail}</span>}
      </span>
    </li>
  );
}
