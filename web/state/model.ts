/**
 * The state of the page: everything a panel shows, as plain data in one zustand vanilla store, and the `Actions` a panel
 * may ask for. Panels read the store and call actions; `session.ts` implements the actions over the workers and is the only
 * code that writes the slices marked "session". The slice `ui` belongs to the page itself (web/state/ui.ts).
 *
 * Invariants: every value here is structured-cloneable plain data (no functions, no class instances, no promises). Text is
 * ordinary JavaScript text; lines and columns count from 1, columns in UTF-16 units, as Monaco counts. Sizes are bytes,
 * times are milliseconds (dates since the epoch). A store path is always the whole path (`/nix/store/<hash>-<name>`).
 */
import type { SourcePin } from "#workers/api.ts";
import { createStore, type StoreApi } from "zustand/vanilla";
import type { TransferActions } from "./session/transferring.ts";

// ---------------------------------------------------------------------------------------------------------------- text

export interface Position {
  line: number;
  column: number;
}

export interface Range {
  start: Position;
  end: Position;
}

export interface FileRange {
  path: string;
  range: Range;
}

export interface TextEdit extends FileRange {
  text: string;
}

// ------------------------------------------------------------------------------------------------- workspaces and files

export interface WorkFile {
  /** Relative to the workspace, with `/`, e.g. `configuration.nix` or `modules/web.nix`. */
  path: string;
  text: string;
}

export interface Workspace {
  id: string;
  title: string;
  /** `copy`: a sandboxed copy of an opened link, kept apart until the visitor keeps it. */
  kind: "own" | "copy";
  /** Path of the file that is evaluated. */
  entry: string;
  files: WorkFile[];
  /** The folder under samples/examples or samples/lessons it began as. */
  origin: string | null;
  modified: number;
  /** Package sets beside the embedded one, each locked by its hash. */
  sources?: readonly SourcePin[];
}

/** A workspace that is not open: enough for the switcher. */
export interface WorkspaceEntry {
  id: string;
  title: string;
  kind: "own" | "copy";
  modified: number;
}

/** A ready-made configuration a visitor can start from. */
export interface Example {
  id: string;
  title: string;
  summary: string;
}

export interface Diagnostic {
  severity: "error" | "warning" | "hint";
  /** Nix's own message, without "error: ". */
  message: string;
  range: Range;
  /** One or two plain sentences for somebody new, or null where Nix's message says it all. */
  explanation: string | null;
  /** Ready-made repairs; the first is offered beside the message. */
  fixes: DiagnosticFix[];
  /** Nix's trace: other places that lead here, innermost first. */
  trace: { message: string; at: FileRange | null }[];
}

export interface DiagnosticFix {
  title: string;
  edits: TextEdit[];
}

// ------------------------------------------------------------------------------------------------------------ evaluation

export interface EvaluationState {
  /** When the evaluation that is under way began; null when none is. */
  runningSince: number | null;
  /** How long the last finished evaluation took. */
  lastMs: number | null;
  /** What the last successful evaluation gave; kept (and marked stale) while the file has an error. */
  result: Evaluated | null;
  stale: boolean;
  /** An error that belongs to no file, e.g. "stopped after 30 s" or "the evaluator ran out of memory". */
  failure: string | null;
}

export interface Evaluated {
  hostName: string;
  label: string;
  /** The top level's derivation and output. */
  drvPath: string;
  outPath: string;
  /** The configured web page: where the preview asks, or null when the configuration serves none. */
  web: { unit: string; port: number } | null;
  units: { name: string; description: string }[];
  etcFiles: string[];
  users: string[];
  packages: { name: string; version: string }[];
  warnings: string[];
}

// ----------------------------------------------------------------------------------------------------- build and closure

export type StepState = "waiting" | "running" | "done" | "failed" | "cut" | "skipped";

export interface BuildStep {
  drvPath: string;
  name: string;
  state: StepState;
  /** How the output comes to be: already valid, computed by a known recipe, run in the builder, or downloaded. */
  how: "present" | "recipe" | "builder" | "substitute";
  /** 0 to 1, or null when not known. */
  progress: number | null;
  ms: number | null;
  /** The last lines of its log. */
  log: string[];
}

export interface BuildState {
  phase: "idle" | "running" | "done" | "failed" | "cancelled";
  /** The command that does the same on NixOS. */
  command: string;
  steps: BuildStep[];
  outPath: string | null;
  /** Nix's message of a failed build. */
  error: string | null;
}

export interface ClosurePath {
  path: string;
  /** The part after the hash, which is what a person reads. */
  name: string;
  narSize: number;
  closureSize: number;
  references: string[];
  referrers: string[];
}

export interface ClosureState {
  /** The store path it is the closure of; null before the first build. */
  root: string | null;
  loading: boolean;
  paths: ClosurePath[];
  totalSize: number;
}

export interface PathDetails {
  path: string;
  name: string;
  narHash: string;
  narSize: number;
  closureSize: number;
  references: string[];
  referrers: string[];
  deriver: string | null;
  contentAddress: string | null;
  signatures: string[];
  registered: number;
  /** Why collection would keep it: the chain from a root, e.g. `["system-2-link", "/nix/store/…-nixos-system-moss"]`; empty when nothing does. */
  keptBy: string[];
  /** The top of its tree, for looking in. */
  entries: { name: string; kind: "file" | "executable" | "link" | "folder"; size: number; target: string | null }[];
}

/** A step of a why-depends answer: `path` holds `next` in `file`. */
export interface DependencyLink {
  path: string;
  next: string;
  /** Where the reference stands inside `path`, and the text around it. */
  file: string | null;
  excerpt: string | null;
}

export interface DerivationView {
  drvPath: string;
  name: string;
  system: string;
  builder: string;
  args: string[];
  env: { name: string; value: string }[];
  outputs: { name: string; path: string | null }[];
  inputDrvs: { drvPath: string; outputs: string[] }[];
  inputSrcs: string[];
  /** The file's own text (ATerm). */
  text: string;
}

// ---------------------------------------------------------------------------------------------------------- what changes

export interface Change {
  /** How many things a person would name: units + files + packages + users + others. */
  count: number;
  /** New bytes in the store. */
  newBytes: number;
  /** Difference of the closures' sizes; may be negative. */
  closureDelta: number;
  units: { name: string; action: "start" | "stop" | "restart" | "reload"; reason: string }[];
  etc: { path: string; kind: "added" | "removed" | "changed"; before: string | null; after: string | null }[];
  packages: { name: string; before: string | null; after: string | null; sizeDelta: number }[];
  users: { name: string; kind: "added" | "removed" | "changed" }[];
  /** What needs a reboot or fits nowhere else, in words: "kernel", "activation script". */
  others: { name: string; detail: string; needsReboot: boolean }[];
}

export interface PendingState {
  /**
   * `none`: the file is what the default generation was made from. `computing`: being worked out. `ready`: `change` says
   * what. `first`: there is no generation yet. `unknown`: the file has an error.
   */
  status: "none" | "computing" | "ready" | "first" | "unknown";
  change: Change | null;
}

// ------------------------------------------------------------------------------------------- generations and the machine

export interface Generation {
  number: number;
  date: number;
  label: string;
  outPath: string;
  /** Three separate marks. */
  booted: boolean;
  current: boolean;
  isDefault: boolean;
  note: string;
  pinned: boolean;
  /** The files it was made from, when they are still known. */
  files: WorkFile[] | null;
}

export interface GenerationsState {
  /** Ascending by number. */
  list: Generation[];
  /** After `test`: what runs is no generation. */
  runningUnsaved: { outPath: string } | null;
  /** After a rollback: the editor holds something else than generation `generation` was made from. */
  fileAhead: { generation: number } | null;
}

export type MachinePhase = "off" | "booting" | "running" | "stopping" | "cut" | "failed";

export interface UnitState {
  name: string;
  description: string;
  load: string;
  active: "active" | "activating" | "deactivating" | "inactive" | "failed";
  sub: string;
}

export interface MachineState {
  phase: MachinePhase;
  /** What is going on, in words, with 0 to 1 where known. */
  progress: { text: string; fraction: number | null };
  /** Host name of what runs. */
  hostName: string | null;
  topLevel: string | null;
  /** The generation that runs; null when off or when what runs is unsaved. */
  generation: number | null;
  units: UnitState[];
  stats: MachineFigures | null;
  driver: "v86" | "webcontainer";
  /** Why it failed, when it did. */
  error: string | null;
}

/** What a running machine uses. */
export interface MachineFigures {
  memoryUsed: number;
  memoryTotal: number;
  filesRead: number;
  bytesRead: number;
  uptimeMs: number;
  /** Of the emulated processor, in the last second; 0 for a simulation. */
  instructionsPerSecond: number;
}

/** One sentence after a cut, a switch or a rollback: which generation it is and why. */
export interface Verdict {
  tone: "good" | "bad" | "plain";
  text: string;
  /** A quieter second sentence, e.g. "Nothing was rebuilt. That is why it was instant." */
  detail: string | null;
}

export type SwitchAction = "switch" | "boot" | "test" | "build" | "dry-activate";

export interface SwitchStep {
  /** `build`, `register`, `profile`, `stop-units`, `etc`, `users`, `current-system`, `reload`, `start-units`, `done`. */
  id: string;
  state: StepState;
  text: string;
}

export interface SwitchState {
  /** `prepared`: built and shown, nothing done yet. */
  phase: "idle" | "prepared" | "running" | "done" | "failed" | "cut" | "cancelled";
  action: SwitchAction | "rollback" | "switch-generation";
  command: string;
  steps: SwitchStep[];
  /** What NixOS prints. */
  log: string[];
  exitCode: number | null;
  failedUnits: string[];
}

export interface GuestResponse {
  status: number;
  reason: string;
  contentType: string;
  body: Uint8Array;
  ms: number;
}

export interface PreviewState {
  /** Path and query asked of the guest, beginning with `/`. */
  path: string;
  loading: boolean;
  status: number | null;
  contentType: string | null;
  /** Text of the page; null when there is no answer. */
  text: string | null;
  /** Why there is no page, in words: "Nothing answers on port 80". */
  error: string | null;
  /** Counts answers, so that a reload with equal text shows. */
  revision: number;
}

// --------------------------------------------------------------------------------------------------- the other features

export interface ConsoleEntry {
  id: number;
  command: string;
  output: { stream: "out" | "err"; text: string }[];
  /** null while it runs. */
  exitCode: number | null;
}

/** A line of the repl with what it printed; `continues` when it goes on with the line before. */
export interface ReplEntry {
  id: number;
  input: string;
  continues: boolean;
  output: { stream: "out" | "err"; text: string }[];
}

export interface ReplState {
  entries: ReplEntry[];
  /** What was typed of an expression that is not complete yet. */
  pending: string;
  running: boolean;
}

export interface TerminalEntry {
  id: string;
  title: string;
  /** `console` is the machine's serial console: boot messages, read-only when nobody is logged in. */
  kind: "shell" | "console";
}

export interface ShareState {
  busy: boolean;
  url: string | null;
  /** The store path the link promises. */
  expected: string | null;
  error: string | null;
}

/** The link the page was opened with. */
export interface OpenedLink {
  status: "checking" | "reproduced" | "differs" | "damaged" | "failed";
  title: string;
  expected: string | null;
  actual: string | null;
  /** What is damaged or failed. */
  message: string | null;
  /** Labels of the sender's generations. */
  generations: string[];
}

export interface LessonStep {
  title: string;
  /** Markdown, at most 120 words. */
  body: string;
  prediction: { question: string; options: string[]; answer: number; because: string } | null;
  /** What to press or type, and the command it is. */
  action: { label: string; command: string } | null;
  /** Files that solve the step. */
  solution: WorkFile[] | null;
  /** What real NixOS prints at this point. */
  nixos: string | null;
  checks: LessonCheck[];
}

export interface LessonCheck {
  label: string;
  state: "unknown" | "checking" | "passed" | "failed";
  detail: string | null;
}

export interface Lesson {
  id: string;
  title: string;
  summary: string;
  minutes: number;
  steps: LessonStep[];
  /** The step a learner is at; equals steps.length when done. */
  at: number;
  /** The option chosen for each step's prediction. */
  predicted: (number | null)[];
  started: boolean;
}

export interface StoreState {
  paths: number;
  bytes: number;
  /** What collection would free. */
  deadPaths: number;
  deadBytes: number;
  /** The browser's own numbers; null where it does not tell. */
  usage: number | null;
  quota: number | null;
  persisted: boolean | null;
  roots: { name: string; path: string }[];
  work: { kind: "gc" | "verify" | "optimise"; text: string; fraction: number | null } | null;
  /** The result of the last work, in a sentence. */
  report: string | null;
}

export interface GcPlan {
  dead: { path: string; name: string; narSize: number }[];
  bytes: number;
  kept: { path: string; name: string; because: string }[];
}

export interface Notice {
  id: string;
  /** Notices of a kind replace each other. */
  kind: "info" | "success" | "error" | "other-tab" | "quota" | "missing-feature" | "damaged-link" | "update" | "crash";
  text: string;
  detail: string | null;
  /** A command of web/app/commands.ts offered as a button. */
  command: { id: string; label: string } | null;
  /** Goes by itself after a few seconds. */
  transient: boolean;
}

/** Whether everything is ready: the page paints its file before the workers are up. */
export interface StartState {
  phase: "starting" | "ready" | "failed";
  text: string;
}

// --------------------------------------------------------------------------------------------------- the page's own slice

export type Theme = "system" | "light" | "dark";

export interface Settings {
  theme: Theme;
  fontSize: number;
  motion: "system" | "reduced";
  /** Boot the default generation when the page opens. */
  bootOnOpen: boolean;
  /** Seconds after which an evaluation is stopped. */
  evaluationLimit: number;
  driver: "v86" | "webcontainer";
  /** The short guide of the first visit. */
  hints: boolean;
}

export interface UiState {
  /** Id of the open panel in web/features/registry.ts, or null. */
  panel: string | null;
  /** On narrow screens: which half shows. */
  half: "file" | "machine";
  activeFile: string;
  /** A place the editor should show and select, set by a click elsewhere. */
  reveal: FileRange | null;
  palette: boolean;
  dialog: "share" | "shortcuts" | null;
  /** Asked of the closure, derivation and why-depends panels by a click elsewhere. */
  focusPath: string | null;
  /** The step before which the plug is pulled in the next switch. */
  plugBefore: string | null;
  settings: Settings;
}

// ------------------------------------------------------------------------------------------------------------ the whole

export interface State {
  start: StartState;
  workspace: Workspace;
  workspaces: WorkspaceEntry[];
  examples: Example[];
  /** By file path; a file without an entry has none. */
  diagnostics: Record<string, Diagnostic[]>;
  evaluation: EvaluationState;
  build: BuildState;
  closure: ClosureState;
  pending: PendingState;
  generations: GenerationsState;
  machine: MachineState;
  verdict: Verdict | null;
  switching: SwitchState;
  preview: PreviewState;
  console: ConsoleEntry[];
  repl: ReplState;
  terminals: TerminalEntry[];
  share: ShareState;
  opened: OpenedLink | null;
  lessons: Lesson[];
  store: StoreState;
  notices: Notice[];
  ui: UiState;
}

export type PageStore = StoreApi<State>;

/** A terminal of the guest: bytes both ways. `onData` may be called at once with what was printed before. */
export interface TerminalConnection {
  write(bytes: Uint8Array): void;
  resize(columns: number, rows: number): void;
  close(): void;
}

/**
 * What a panel may ask for. Actions never reject: what goes wrong becomes data in the store (a failed build, a notice);
 * those that answer with data answer null when there is none.
 */
export interface Actions {
  // files
  editFile(path: string, text: string): void;
  newFile(path: string, text: string): Promise<void>;
  renameFile(path: string, to: string): Promise<void>;
  deleteFile(path: string): Promise<void>;
  setEntry(path: string): Promise<void>;
  openWorkspace(id: string): Promise<void>;
  newWorkspace(example: string): Promise<void>;
  renameWorkspace(id: string, title: string): Promise<void>;
  deleteWorkspace(id: string): Promise<void>;
  exportWorkspace(): Promise<void>;
  importFiles(files: WorkFile[]): Promise<void>;

  // evaluate, build, switch
  stopEvaluation(): void;
  build(): Promise<void>;
  buildAndBoot(): Promise<void>;
  /** `plugBefore`: pull the plug when this step is about to begin (null: let it run). */
  switch(action: SwitchAction, plugBefore: string | null): Promise<void>;
  /** Cancels the build or switch under way, as far as it has not become atomic. */
  cancel(): void;

  // generations
  rollback(): Promise<void>;
  switchGeneration(number: number): Promise<void>;
  deleteGenerations(numbers: number[]): Promise<void>;
  setNote(number: number, note: string): Promise<void>;
  setPinned(number: number, pinned: boolean): Promise<void>;
  restoreFiles(generation: number): Promise<void>;
  /** Dismisses "the file is ahead of the machine". */
  keepFiles(): void;
  diffGenerations(from: number, to: number): Promise<Change | null>;

  // the machine
  /** Starts the machine on a generation (null: the default one). */
  boot(generation: number | null): Promise<void>;
  powerOff(): Promise<void>;
  reboot(): Promise<void>;
  /** Pulls the plug: the machine dies with what was not written; it starts again on what the store holds. */
  cut(): Promise<void>;
  openTerminal(
    kind: TerminalEntry["kind"],
    size: { columns: number; rows: number },
    onData: (bytes: Uint8Array) => void,
    onClose: (reason: string) => void,
  ): Promise<TerminalConnection | null>;
  /** Asks the guest's web server and puts the answer into `preview`. */
  openPreview(path: string): Promise<void>;
  /** Fetches something a previewed page refers to. */
  fetchGuest(path: string): Promise<GuestResponse | null>;
  unitLog(unit: string): Promise<string[]>;
  /** Lays a file in the running machine. True when it is there. */
  sendFile(path: string, bytes: Uint8Array): Promise<boolean>;
  /** A file of the running machine, or null, which was said. */
  takeFile(path: string): Promise<Uint8Array | null>;

  // looking
  loadClosure(root: string): Promise<void>;
  explainPath(path: string): Promise<PathDetails | null>;
  /** Chains from one path to the other, the shortest first; empty when it does not depend on it. */
  whyDepends(from: string, to: string): Promise<DependencyLink[][]>;
  derivation(drvPath: string): Promise<DerivationView | null>;

  // store
  refreshStore(): Promise<void>;
  gcPlan(): Promise<GcPlan | null>;
  gc(): Promise<void>;
  verifyStore(): Promise<void>;
  askPersistence(): Promise<void>;

  // console
  runCommand(line: string): Promise<void>;
  completeCommand(line: string): Promise<string[]>;
  clearConsole(): void;

  // repl
  replLine(line: string): Promise<void>;
  completeRepl(line: string): Promise<string[]>;
  /** Stops the line that is evaluated; otherwise drops what was typed of an incomplete one. */
  stopRepl(): Promise<void>;
  clearRepl(): Promise<void>;

  // share
  share(): Promise<void>;
  openLink(fragment: string): Promise<void>;
  keepCopy(): Promise<void>;
  discardCopy(): Promise<void>;

  // lessons
  startLesson(id: string): Promise<void>;
  resetLesson(id: string): Promise<void>;
  leaveLesson(): Promise<void>;
  predict(id: string, step: number, option: number): Promise<void>;
  /** Runs the step's checks on the real state; moves on when all pass. */
  checkStep(id: string, step: number): Promise<void>;
  applySolution(id: string, step: number): Promise<void>;

  /** What takes in and takes home: package sets, caches, archives. Its code loads when it is first asked for. */
  transferring(): Promise<TransferActions | null>;

  dismissNotice(id: string): void;
}

// ------------------------------------------------------------------------------------------ the language, for the editor

/** Questions the editor asks of the evaluator worker, about the workspace as it stands in the store. */
export interface Language {
  complete(at: { path: string } & Position): Promise<Completion[]>;
  hover(at: { path: string } & Position): Promise<{ markdown: string; range: Range } | null>;
  definition(at: { path: string } & Position): Promise<FileRange[]>;
  references(at: { path: string } & Position): Promise<FileRange[]>;
  /** Null: what stands there cannot be renamed. */
  prepareRename(at: { path: string } & Position): Promise<{ range: Range; name: string } | null>;
  rename(at: { path: string } & Position, name: string): Promise<TextEdit[]>;
  codeActions(at: FileRange): Promise<DiagnosticFix[]>;
  format(path: string): Promise<string | null>;
  outline(path: string): Promise<OutlineEntry[]>;
  folds(path: string): Promise<{ start: number; end: number; comment: boolean }[]>;
}

export interface Completion {
  label: string;
  kind: "variable" | "function" | "attribute" | "option" | "keyword" | "value" | "file";
  /** Type or arity, in a few words. */
  detail: string | null;
  markdown: string | null;
  insert: string;
  /** What the insertion replaces. */
  range: Range;
}

export interface OutlineEntry {
  name: string;
  detail: string;
  range: Range;
  children: OutlineEntry[];
}

/** What the page needs from the glue: `session.ts` exports `startSession(store: PageStore): Session`. */
export interface Session {
  actions: Actions;
  language: Language;
}

export const initialSettings: Settings = {
  theme: "system",
  fontSize: 14,
  motion: "system",
  bootOnOpen: true,
  evaluationLimit: 30,
  driver: "v86",
  hints: true,
};

/** The state before anything is known; the page paints it within the first frame. */
export function initialState(): State {
  return {
    start: { phase: "starting", text: "Opening the store" },
    workspace: {
      id: "",
      title: "",
      kind: "own",
      entry: "configuration.nix",
      files: [],
      origin: null,
      modified: 0,
    },
    workspaces: [],
    examples: [],
    diagnostics: {},
    evaluation: { runningSince: null, lastMs: null, result: null, stale: false, failure: null },
    build: { phase: "idle", command: "", steps: [], outPath: null, error: null },
    closure: { root: null, loading: false, paths: [], totalSize: 0 },
    pending: { status: "unknown", change: null },
    generations: { list: [], runningUnsaved: null, fileAhead: null },
    machine: {
      phase: "off",
      progress: { text: "", fraction: null },
      hostName: null,
      topLevel: null,
      generation: null,
      units: [],
      stats: null,
      driver: "v86",
      error: null,
    },
    verdict: null,
    switching: { phase: "idle", action: "switch", command: "", steps: [], log: [], exitCode: null, failedUnits: [] },
    preview: { path: "/", loading: false, status: null, contentType: null, text: null, error: null, revision: 0 },
    console: [],
    repl: { entries: [], pending: "", running: false },
    terminals: [],
    share: { busy: false, url: null, expected: null, error: null },
    opened: null,
    lessons: [],
    store: {
      paths: 0,
      bytes: 0,
      deadPaths: 0,
      deadBytes: 0,
      usage: null,
      quota: null,
      persisted: null,
      roots: [],
      work: null,
      report: null,
    },
    notices: [],
    ui: {
      panel: null,
      half: "file",
      activeFile: "configuration.nix",
      reveal: null,
      palette: false,
      dialog: null,
      focusPath: null,
      plugBefore: null,
      settings: initialSettings,
    },
  };
}

export function createPageStore(): PageStore {
  return createStore<State>()(initialState);
}
