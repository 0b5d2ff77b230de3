/** Small shared parts: progress, empty state, split panes, segmented choice. */
import { useRef, type KeyboardEvent, type PointerEvent, type ReactNode } from "react";
import { Icon, type IconName } from "./icon.tsx";
import "./parts.css";

/** `fraction` null: it is going on, nobody knows how long. */
export function Progress({ fraction, label }: { fraction: number | null; label: string }) {
  return <progress aria-label={label} max={1} value={fraction ?? undefined} className="progress" />;
}

export function Empty({ icon, title, children }: { icon: IconName; title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <span className="empty-icon">
        <Icon name={icon} size={26} />
      </span>
      <p className="empty-title">{title}</p>
      {children && <div className="empty-text">{children}</div>}
    </div>
  );
}

export interface SplitterProps {
  label: string;
  /** Which way it moves. */
  axis: "x" | "y";
  value: number;
  least: number;
  most: number;
  /** Gives the size wanted, in pixels; larger when dragged towards the start. */
  change(value: number): void;
}

/** The line between two panes: drag it, or move it with the arrow keys. */
export function Splitter({ label, axis, value, least, most, change }: SplitterProps) {
  const from = useRef<{ at: number; value: number } | null>(null);
  const clamp = (wanted: number): void => change(Math.min(most, Math.max(least, wanted)));
  const at = (event: PointerEvent): number => (axis === "x" ? event.clientX : event.clientY);
  const keys: Record<string, number> =
    axis === "x" ? { ArrowLeft: 24, ArrowRight: -24 } : { ArrowUp: 24, ArrowDown: -24 };
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = keys[event.key];
    if (step === undefined) return;
    event.preventDefault();
    clamp(value + step);
  };
  return (
    <div
      // oxlint-disable-next-line jsx-a11y/prefer-tag-over-role -- an <hr> cannot be moved; the pattern is ARIA's window splitter
      role="separator"
      tabIndex={0}
      aria-label={label}
      aria-orientation={axis === "x" ? "vertical" : "horizontal"}
      aria-valuenow={Math.round(value)}
      aria-valuemin={least}
      aria-valuemax={most}
      className={`splitter splitter-${axis}`}
      onKeyDown={onKeyDown}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        from.current = { at: at(event), value };
      }}
      onPointerMove={(event) => {
        if (from.current) clamp(from.current.value + from.current.at - at(event));
      }}
      onPointerUp={() => {
        from.current = null;
      }}
    />
  );
}

export interface SegmentsProps<T extends string> {
  label: string;
  value: T;
  options: { value: NoInfer<T>; label: string; disabled?: boolean }[];
  choose(value: NoInfer<T>): void;
}

/** One of a few: radio buttons that look like one control. */
export function Segments<T extends string>({ label, value, options, choose }: SegmentsProps<T>) {
  return (
    <div role="radiogroup" aria-label={label} className="segments">
      {options.map((option) => (
        <label key={option.value} className="segment">
          <input
            type="radio"
            className="visually-hidden"
            name={label}
            checked={option.value === value}
            disabled={option.disabled}
            onChange={() => choose(option.value)}
          />
          <span>{option.label}</span>
        </label>
      ))}
    </div>
  );
}

/** A short fact: a word and its value. */
export function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="fact">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
