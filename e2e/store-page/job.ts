/** What the test page asks of its workers, and what they say: plain data. */

/** How a commit goes wrong. `kill` modes end in silence: whoever runs the worker ends it. */
export type FaultMode = "kill-before" | "kill-during" | "kill-after" | "abort" | "quota";

/** A fault at the commit with this number (from 0) of an operation. */
export interface Fault {
  readonly point: number;
  readonly mode: FaultMode;
}

export type Job =
  /** Runs the whole contract over IndexedDB; gives the names of cases, and of those that failed why. */
  | { readonly kind: "contract"; readonly database: string }
  /** What each operation does when nothing disturbs it. */
  | { readonly kind: "rehearse" }
  /** Lays the prepared store into an empty database, then does the operation, with a fault or without. */
  | { readonly kind: "operate"; readonly database: string; readonly operation: string; readonly fault: Fault | null }
  /** What an operation left behind: opened anew, checked, done again where it had not happened, collected, checked. */
  | {
      readonly kind: "inspect";
      readonly database: string;
      readonly operation: string;
      readonly rehearsal: Rehearsal;
    }
  /** Random actions under the writers' lock, the same for the same seed. */
  | { readonly kind: "act"; readonly database: string; readonly seed: number; readonly actions: number }
  /** Whether a store that anything has happened to is sound. */
  | { readonly kind: "check"; readonly database: string };

/** A store as far as it can be told apart: profiles and other roots as JSON, valid paths. */
export interface State {
  readonly profiles: string;
  readonly links: string;
  readonly paths: readonly string[];
}

export interface Rehearsal {
  readonly commits: number;
  readonly before: State;
  readonly after: State;
}

export interface Inspection {
  /** The store's state: as before the operation, as after it, or (operations of several commits) on the way. */
  readonly state: "old" | "new" | "between";
  /** Empty when all is well. */
  readonly problems: readonly string[];
}

export interface Answers {
  contract: { readonly cases: readonly string[]; readonly failures: readonly string[] };
  rehearse: Readonly<Record<string, Rehearsal>>;
  /** "done", or the code of the error that it ended in. */
  operate: string;
  inspect: Inspection;
  act: { readonly done: number; readonly refused: number; readonly problems: readonly string[] };
  check: { readonly paths: number; readonly commits: number; readonly problems: readonly string[] };
}

/** From a worker: its answer, or that the moment has come to end it. */
export type Message =
  | { readonly kind: "answer"; readonly answer: Answers[keyof Answers] }
  | { readonly kind: "kill" }
  | { readonly kind: "broken"; readonly message: string };

/** How a job ended: with its answer, or by its worker's death. */
export type Ending<Kind extends keyof Answers = keyof Answers> =
  { readonly killed: false; readonly answer: Answers[Kind] } | { readonly killed: true };
