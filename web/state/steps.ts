/** The named steps of a switch, in order, and what they mean. A switch's names come from the channel's own scripts. */

export interface StepRecord {
  id: string;
  /** A word or two for the track. */
  label: string;
  /** What happens in it. */
  meaning: string;
  /** Which generation a cut before this step leaves for the next boot. */
  before: "old" | "new";
}

export const switchSteps: StepRecord[] = [
  { id: "build", label: "build", meaning: "Build what is missing", before: "old" },
  { id: "register", label: "register", meaning: "Enter the new paths in the store", before: "old" },
  { id: "profile", label: "profile", meaning: "Move the arrow: one atomic change", before: "old" },
  { id: "stop-units", label: "stop", meaning: "Stop services that change or go", before: "new" },
  { id: "etc", label: "etc", meaning: "Point /etc at the new files", before: "new" },
  { id: "users", label: "users", meaning: "Make and update users and groups", before: "new" },
  { id: "current-system", label: "current", meaning: "Point /run/current-system at the new system", before: "new" },
  { id: "reload", label: "reload", meaning: "Let the service manager read its units", before: "new" },
  { id: "start-units", label: "start", meaning: "Start services that are new or changed", before: "new" },
  { id: "done", label: "done", meaning: "The new system runs", before: "new" },
];

export const stepRecord = (id: string): StepRecord =>
  switchSteps.find((step) => step.id === id) ?? { id, label: id, meaning: id, before: "new" };
