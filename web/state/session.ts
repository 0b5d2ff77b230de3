/**
 * The session: the page's actions over the workers. It answers at once, before any worker is up; actions wait until they are. Each part
 * lies in session/<noun>.ts; this file says how they hang together.
 */
import {
  STORE_CHANNEL,
  type EvaluatorServices,
  type SourcePin,
  type StoreNews,
  type StoreServices,
  type WorkspaceRecord,
} from "#workers/api.ts";
import { fetchAsset, loadChannel, loadTeaching, openLibrary, startStore, type Teaching } from "#workers/client.ts";
import firstText from "../../samples/examples/first/configuration.nix?raw";
import { initialState, type Actions, type Evaluated, type PageStore, type Session, type State } from "./model.ts";
import { type BuildService, createBuilding, toChange } from "./session/building.ts";
import { createBuilderHost } from "./session/builder-host.ts";
import { createConsole, createShim } from "./session/consoling.ts";
import { codeOf, type Context, guarded, messageOf, notify, notifyFull, patch } from "./session/context.ts";
import { createEvaluation, type EvaluationService } from "./session/evaluation.ts";
import { createEvaluatorHost } from "./session/evaluator-host.ts";
import { createFetch } from "./session/fetching.ts";
import { createLanguage } from "./session/language.ts";
import type { LessonService } from "./session/lessons.ts";
import type { ReplActions } from "./session/repl.ts";
import { saveFile } from "./save-file.ts";
import { createMachineHost } from "./session/machine-host.ts";
import { createMachining, type MachineService } from "./session/machining.ts";
import { createSharing } from "./session/sharing.ts";
import { missingFeatures, shortHash } from "./session/starting.ts";
import { createStoring } from "./session/storing.ts";
import { createSwitching, type SwitchService } from "./session/switching.ts";
import { createWorkspaces, fileActions, readExamples, type WorkspaceService } from "./session/workspaces.ts";

const FIRST = "first";
const ENTRY = "configuration.nix";
const LAST = "page/last-workspace";
const NO_SOURCES: readonly SourcePin[] = [];
const PREVIEW_DELAY = 300;
/** Milliseconds that a web server which was just started may take to listen. */
const PATIENCE = 15_000;

interface Parts {
  context: Context;
  evaluation: EvaluationService;
  building: BuildService;
  machining: MachineService;
  switching: SwitchService;
  workspaces: WorkspaceService;
  rest: Omit<Actions, keyof Direct>;
  showTeaching(): Promise<void>;
}

/** Actions that work before the workers do. */
type Direct = Pick<Actions, "editFile" | "stopEvaluation" | "cancel" | "keepFiles" | "clearConsole" | "dismissNotice">;

export function startSession(page: PageStore): Session {
  page.setState({
    workspace: {
      id: "",
      title: "First steps",
      kind: "own",
      entry: ENTRY,
      files: [{ path: ENTRY, text: firstText }],
      origin: FIRST,
      modified: 0,
    },
  });
  const ready = begin(page);
  ready.catch((error: unknown) => {
    page.setState({ start: { phase: "failed", text: messageOf(error) } });
    notify(page, "crash", "Terrarium could not start.", { detail: messageOf(error) });
  });
  let parts: Parts | null = null;
  void ready.then((made) => (parts = made)).catch(() => undefined);

  const direct: Direct = {
    editFile(path, text) {
      if (parts !== null) return fileActions(parts.context, parts.workspaces).editFile(path, text);
      page.setState((state) => ({ workspace: { ...state.workspace, files: [{ path, text }] } }));
    },
    stopEvaluation: () => parts?.context.evaluator.stop(),
    cancel: () => parts?.switching.cancel(),
    keepFiles: () => patch(page, "generations", { fileAhead: null }),
    clearConsole: () => page.setState({ console: [] }),
    dismissNotice: (id) => page.setState((state) => ({ notices: state.notices.filter((notice) => notice.id !== id) })),
  };
  const waiting = new Proxy({} as Omit<Actions, keyof Direct>, {
    get:
      (_, name: keyof Parts["rest"]) =>
      async (...args: never[]) =>
        ready.then(({ rest }) => (rest[name] as (...given: never[]) => unknown)(...args)).catch(() => null),
  });
  const actions = new Proxy(direct as Actions, {
    get: (target, name: keyof Actions) => (name in target ? target[name] : waiting[name as keyof typeof waiting]),
  });
  return {
    actions,
    language: createLanguage(
      page,
      ready.then(({ context }) => context.evaluator),
    ),
  };
}

async function begin(page: PageStore): Promise<Parts> {
  const missing = missingFeatures();
  if (missing.length > 0) {
    notify(page, "missing-feature", `This browser lacks ${missing.join(", ")}.`, {
      detail: "Terrarium needs a current Chromium, Firefox or Safari. Nothing was changed.",
    });
    throw new Error(`This browser lacks ${missing.join(", ")}.`);
  }
  const typed = page.getState().workspace.files[0].text;
  const builder = createBuilderHost();
  const seed = (url: string) => fetchAsset(url);
  const storeServices: StoreServices = { build: builder.build, cancelBuild: builder.cancel, seed };
  const archive = loadChannel();
  const starting = startStore(storeServices);
  const evaluatorServices: EvaluatorServices = {
    storePath: async (path) => (await starting).api.storePath(path),
    async realise(drvPath, outputs, items) {
      const store = await starting;
      await store.api.register(items);
      const outcome = await store.api.realise(drvPath, () => undefined);
      if (!outcome.ok) throw new Error(outcome.message);
      return outputs.map((name) => outcome.outputs[name]);
    },
    fetch: createFetch(starting),
    seed,
    sourceIndex: async (narHash) => (await openLibrary()).sourceIndex(narHash),
    sourceChunk: async (narHash, chunk) => (await openLibrary()).sourceChunk(narHash, chunk),
  };
  const evaluator = createEvaluatorHost(archive, evaluatorServices);
  const replEvaluator = createEvaluatorHost(archive, evaluatorServices);
  // While the store opens the evaluator reads the channel, by evaluating what most first visits begin with.
  const { evaluationLimit } = page.getState().ui.settings;
  evaluator.evaluateSystem({ files: { [ENTRY]: typed }, entry: ENTRY }, evaluationLimit).catch(() => undefined);
  const [channel, store] = await Promise.all([archive.then(shortHash), starting]);
  let teaching: Promise<Teaching> | undefined;
  const context: Context = {
    page,
    store,
    evaluator,
    replEvaluator,
    machine: createMachineHost({
      wanted: () => page.getState().ui.settings.driver,
      onFallback: (detail) =>
        notify(page, "missing-feature", "The simulation could not start: Linux runs instead.", { detail }),
    }),
    builder,
    teaching: () =>
      (teaching ??= loadTeaching().catch((error: unknown) => {
        teaching = undefined;
        throw error;
      })),
    channel,
  };
  page.subscribe(({ workspace: { sources = NO_SOURCES } }, { workspace: before }) => {
    if (sources === (before.sources ?? NO_SOURCES)) return;
    evaluator.setSources(sources);
    replEvaluator.setSources(sources);
  });
  const parts = connect(context);
  await open(parts, typed);
  listen(parts, store.origin);
  return parts;
}

/** Makes the parts and ties them together. */
function connect(context: Context): Parts {
  const { page, store } = context;
  const building = createBuilding(context);
  const pending = createPending(context);
  const evaluation = createEvaluation(context, pending.computed);
  const workspaces = createWorkspaces(context, () => evaluation.changed());
  let machining: MachineService | undefined;
  const machine = () => machining as MachineService;
  const switching = createSwitching(context, { evaluation, building, machining: machine, afterCut: () => afterCut() });
  machining = createMachining(context, {
    // A machine whose plug was pulled is not answered any more.
    onStep: (name, text) => switching.step(name, text).catch(() => new Promise(() => undefined)),
    onShim: createShim(context, switching, machine),
    onCurrent: (topLevel) => void store.api.setRoot("run/current-system", topLevel).then(switching.refreshGenerations),
    onGone: () => void switching.refreshGenerations().catch(() => undefined),
    profileLinks: async () => (await store.api.profile()).links.map(([a, b]) => [a, b]),
  });

  const profile = () => store.api.profile();
  const after = async <T>(work: Promise<T>): Promise<T> => {
    const result = await work;
    await switching.refreshGenerations();
    await pending.refresh();
    return result;
  };

  /** How many workspaces were entered, or begun to be, and the last of these. */
  let visits = 0;
  let entering: Promise<void> = Promise.resolve();

  /** Boots a generation of the open workspace, the default one unless told; nothing when another workspace is entered meanwhile. */
  const boot = async (number: number | null): Promise<boolean> => {
    await entering;
    const visit = visits;
    const { generations, current } = await profile();
    if (visit !== visits) return false;
    const chosen = generations.find((record) => record.number === (number ?? current));
    if (chosen === undefined) {
      notify(page, "info", "There is no generation to boot yet.", { detail: "Build and boot makes the first one." });
      return false;
    }
    const started = await machine().boot(chosen.path, chosen.number);
    await switching.refreshGenerations();
    if (started) await machine().openPreview(page.getState().preview.path, PATIENCE);
    return started;
  };

  /** Dark, then whole again: boots what the profile names and says which generation that is. */
  const afterCut = async () => {
    page.setState({ verdict: null });
    await switching.refreshGenerations();
    const before = page.getState().switching;
    if (!(await boot(null))) return;
    const { current } = await profile();
    const moved = before.phase === "cut" && before.steps.some(({ id, state }) => id === "profile" && state === "done");
    const why =
      before.phase !== "cut"
        ? "What the profile named before the cut is what starts."
        : moved
          ? "The arrow had moved before the cut, so the new generation starts, wholly."
          : "The arrow had not moved before the cut, so nothing of the new one starts.";
    page.setState({ verdict: { tone: "good", text: `Whole again, on generation ${current}.`, detail: why } });
  };

  const run = (argv: readonly string[], action: Parameters<SwitchService["run"]>[1], plug: string | null = null) =>
    after(switching.run(argv, action, plug)).then(async (code) => {
      if (page.getState().machine.phase === "running")
        await machine().openPreview(page.getState().preview.path, PATIENCE);
      if (action === "rollback" || action === "switch-generation") await compareFiles(context);
      return code;
    });

  const sharing = createSharing(context, workspaces, evaluation, (record) => enter(record));
  let lessons: Promise<LessonService> | undefined;
  const makeLessons = async () => {
    const [{ createLessons }, teaching] = await Promise.all([import("./session/lessons.ts"), context.teaching()]);
    return createLessons(context, teaching, {
      evaluation,
      workspaces,
      machining: machine,
      enter: (record) => enter(record),
    });
  };
  const theLessons = () => (lessons ??= makeLessons());
  let repl: Promise<ReplActions> | undefined;
  const theRepl = () =>
    (repl ??= import("./session/repl.ts").then(({ createReplActions }) => createReplActions(context, switching)));
  /** What the file's result does not need: examples and lessons. */
  const showTeaching = async () => {
    const examples = readExamples(await context.teaching());
    page.setState({ examples: examples.map(({ id, title, summary }) => ({ id, title, summary })) });
    await (await theLessons()).load();
  };
  const rest: Parts["rest"] = {
    ...fileActions(context, workspaces),
    ...createStoring(context),
    ...createConsole(context, switching),
    ...sharing,
    replLine: async (line) => (await theRepl()).replLine(line),
    completeRepl: async (line) => (await theRepl()).completeRepl(line),
    stopRepl: async () => (await theRepl()).stopRepl(),
    clearRepl: async () => (await theRepl()).clearRepl(),
    startLesson: async (id) => (await theLessons()).startLesson(id),
    resetLesson: async (id) => (await theLessons()).resetLesson(id),
    leaveLesson: async () => (await theLessons()).leaveLesson(),
    predict: async (...made) => (await theLessons()).predict(...made),
    checkStep: async (...at) => (await theLessons()).checkStep(...at),
    applySolution: async (...at) => (await theLessons()).applySolution(...at),

    async openWorkspace(id) {
      const record = (await workspaces.list()).find((candidate) => candidate.id === id);
      if (record !== undefined) await enter(record);
    },
    async newWorkspace(id) {
      const example = readExamples(await context.teaching()).find((candidate) => candidate.id === id);
      if (example === undefined) return;
      await enter(await workspaces.create(example.title, example.files, example.entry, { origin: id }));
    },
    async renameWorkspace(id, title) {
      const open = page.getState().workspace.id === id;
      if (open) return workspaces.edit((workspace) => ({ ...workspace, title }));
      const record = (await workspaces.list()).find((candidate) => candidate.id === id);
      if (record) await store.api.putRecord(`workspace/${id}`, { ...record, title });
      await workspaces.load();
    },
    async deleteWorkspace(id) {
      if (page.getState().workspace.id === id) {
        const others = (await workspaces.list()).filter((candidate) => candidate.id !== id);
        const other = others.find(({ kind }) => kind === "own") ?? others.at(0);
        if (other === undefined) await rest.newWorkspace(FIRST);
        else await enter(other);
      }
      await workspaces.remove(id);
    },
    async exportWorkspace() {
      const { title, files } = page.getState().workspace;
      const { zipSync, strToU8 } = await import("fflate");
      const zip = zipSync(Object.fromEntries(files.map(({ path, text }) => [path, strToU8(text)])), {
        mtime: new Date(1980, 0, 1),
      });
      saveFile(new Blob([zip]), `${title.replaceAll(/[^\w-]+/g, "-") || "workspace"}.zip`);
    },

    async build() {
      const evaluated = await goodResult(evaluation);
      if (evaluated === null) return;
      const outPath = await building.realise(evaluated, "nixos-rebuild build");
      if (outPath !== null) await building.loadClosure(outPath);
      await pending.refresh();
    },
    async buildAndBoot() {
      await run(["switch"], "switch");
    },
    async switch(action, plugBefore) {
      await run([action], action, plugBefore);
    },
    async rollback() {
      await run(["switch", "--rollback"], "rollback");
    },
    async switchGeneration(number) {
      await run(["switch", "--generation", String(number)], "switch-generation");
    },
    async deleteGenerations(numbers) {
      await guarded(page, "The generations could not be deleted.", () => after(store.api.deleteGenerations(numbers)));
    },
    async setNote(number, note) {
      await guarded(page, "The note could not be kept.", () => after(store.api.annotate(number, { note })));
    },
    async setPinned(number, pinned) {
      await guarded(page, "The pin could not be kept.", () => after(store.api.annotate(number, { pinned })));
    },
    async restoreFiles(number) {
      const files = page.getState().generations.list.find((generation) => generation.number === number)?.files;
      if (files) workspaces.edit((workspace) => ({ ...workspace, files: files.map((file) => ({ ...file })) }));
      patch(page, "generations", { fileAhead: null });
    },
    async diffGenerations(from, to) {
      const { list } = page.getState().generations;
      const path = (number: number) => list.find((generation) => generation.number === number)?.outPath;
      const [before, target] = [path(from), path(to)];
      if (before === undefined || target === undefined) return null;
      const change = await guarded(page, "The generations could not be compared.", () =>
        store.api.change(before, target),
      );
      return change === null ? null : toChange(change);
    },

    async boot(number) {
      page.setState({ verdict: null });
      await boot(number);
    },
    powerOff: () => machine().powerOff(),
    async reboot() {
      await machine().powerOff();
      await boot(null);
    },
    cut: () => switching.pulled(),
    openTerminal: (...args) => machine().openTerminal(...args),
    openPreview: (path) => machine().openPreview(path),
    fetchGuest: (path) => machine().fetchGuest(path),
    unitLog: (unit) => machine().unitLog(unit),
    sendFile: (path, bytes) => machine().putFile(path, bytes),
    takeFile: (path) => machine().getFile(path),
    loadClosure: (root) => building.loadClosure(root),

    async transferring() {
      const { createTransferring } = await import("./session/transferring.ts");
      const loadLessons = async () => (await theLessons()).load();
      return createTransferring(context, { workspaces, evaluation, machining: machine, enter, loadLessons });
    },

    async keepCopy() {
      workspaces.edit((workspace) => ({ ...workspace, kind: "own" }));
      await workspaces.flush();
      page.setState({ opened: null });
      history.replaceState(null, "", location.pathname + location.search);
    },
    async discardCopy() {
      const { id, kind } = page.getState().workspace;
      page.setState({ opened: null });
      history.replaceState(null, "", location.pathname + location.search);
      // A damaged link made no copy: what is open is the visitor's own.
      if (kind === "copy") await rest.deleteWorkspace(id);
    },
  };

  /** Opens a workspace with its own machine and generations. */
  const enter = (record: WorkspaceRecord): Promise<void> => {
    visits++;
    const before = entering;
    const entered = before.then(() => enterNext(record));
    // Whoever waits for it only wants to know that it is over.
    entering = entered.catch(() => undefined);
    return entered;
  };

  /** One workspace is left before the next is entered: what both do to the store and the machine never mixes. */
  const enterNext = async (record: WorkspaceRecord): Promise<void> => {
    await workspaces.flush();
    switching.abandon();
    await machine().leave();
    context.builder.moveTo(record.id);
    await store.api.open(record.id);
    pending.forget();
    const { evaluation: none, pending: unknown, build, closure, switching: idle, preview, share } = initialState();
    page.setState((state) => ({
      verdict: null,
      opened: state.opened?.status === "damaged" ? state.opened : null,
      machine: { ...state.machine, phase: "off", topLevel: null, hostName: null, generation: null, units: [] },
      generations: { ...state.generations, fileAhead: null },
      evaluation: none,
      pending: unknown,
      build,
      closure,
      switching: idle,
      preview,
      share,
    }));
    workspaces.open(record);
    await store.api.putRecord(LAST, record.id).catch(() => undefined);
    await switching.refreshGenerations();
    await pending.refresh();
    if (page.getState().ui.settings.bootOnOpen && page.getState().generations.list.length > 0) void boot(null);
  };

  return { context, evaluation, building, machining, switching, workspaces, rest, showTeaching };
}

/** Restores what was open, or begins with the first example; then the machine starts by itself. */
async function open(
  { context, evaluation, machining, switching, workspaces, rest, showTeaching }: Parts,
  typed: string,
): Promise<void> {
  const { page, store } = context;
  const records = await workspaces.load();
  const [[, last] = ["", null]] = await store.api.records(LAST);
  const known = records.find(({ id }) => id === last) ?? records.find(({ kind }) => kind === "own");
  const files = [{ path: ENTRY, text: firstText }];
  const record = known ?? (await workspaces.create("First steps", files, ENTRY, { origin: FIRST }));
  context.builder.moveTo(record.id);
  await store.api.open(record.id);
  workspaces.open(record);
  if (known === undefined && typed !== firstText) fileActions(context, workspaces).editFile(record.entry, typed);
  await store.api.putRecord(LAST, record.id);
  await switching.refreshGenerations();
  page.setState({ start: { phase: "ready", text: "" } });
  void evaluation
    .settled()
    .then(showTeaching)
    .catch(() => undefined);
  if (/^#\d+\//.test(location.hash)) return void rest.openLink(location.hash);
  if (isLink(location.hash)) void rest.openLink(location.hash);
  if (!page.getState().ui.settings.bootOnOpen) return;
  if (page.getState().generations.list.length > 0) void rest.boot(null);
  else if (known === undefined)
    void evaluation.settled().then((outcome) => {
      if (!outcome?.ok) return;
      void machining.prepare();
      void rest.buildAndBoot();
    });
}

/** News from other tabs, and what has to be written before this one goes. */
function listen({ context, switching, workspaces, rest }: Parts, origin: string): void {
  const { page } = context;
  new BroadcastChannel(STORE_CHANNEL).addEventListener("message", (event: MessageEvent<StoreNews>) => {
    if (event.data.origin === origin) return;
    if (event.data.workspace !== page.getState().workspace.id || event.data.profiles.length === 0) return;
    notify(page, "other-tab", "Another tab changed this workspace's generations.", { transient: true });
    void switching.refreshGenerations();
  });
  addEventListener("pagehide", () => void workspaces.flush());
  addEventListener("hashchange", () => {
    if (isLink(location.hash)) void rest.openLink(location.hash);
  });
}

/** Whether a fragment is meant as a link, not as a place in the page. */
const isLink = (hash: string): boolean => hash.length > 1 && document.getElementById(hash.slice(1)) === null;

/** What a switch would change, worked out a moment after the last key, and anew when what it would change is another system. */
function createPending({ page, store, evaluator }: Context) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let turn = 0;
  /** The derivation whose change is shown. */
  let shown: string | null = null;

  /** `again`: the file is the same, so what is shown of it stays until it is known anew. */
  const compute = async (evaluated: Evaluated, again: boolean) => {
    const mine = ++turn;
    const { current, generations } = await store.api.profile();
    if (mine !== turn) return;
    const now = generations.find(({ number }) => number === current);
    if (now === undefined) return page.setState({ pending: { status: "first", change: null } });
    const { machine } = page.getState();
    const running = machine.phase === "running" ? machine.topLevel : null;
    const from = running ?? now.path;
    if (now.path === evaluated.outPath && from === now.path)
      return page.setState({ pending: { status: "none", change: null } });
    if (!again || page.getState().pending.status !== "ready") patch(page, "pending", { status: "computing" });
    const items = await evaluator.instantiation(evaluated.drvPath);
    if (mine !== turn) return;
    const states = running === null ? [] : machine.units.map(({ name, active }) => [name, active] as const);
    const change = await store.api.preview(from, evaluated.drvPath, items, states);
    if (mine !== turn) return;
    shown = evaluated.drvPath;
    page.setState({ pending: { status: "ready", change: change === null ? null : toChange(change) } });
  };

  /** What cannot be looked at can still be switched to. */
  const quietly = (evaluated: Evaluated, again: boolean) =>
    compute(evaluated, again).catch((error: unknown) => {
      if (codeOf(error) === "quota") notifyFull(page);
      page.setState({ pending: { status: "ready", change: null } });
    });

  const later = (evaluated: Evaluated, again: boolean) => {
    clearTimeout(timer);
    timer = setTimeout(() => void quietly(evaluated, again), PREVIEW_DELAY);
  };

  /** Which system a switch would start from. While a switch is under way its own end looks again. */
  const base = ({ machine, generations }: State) =>
    `${machine.phase === "running" ? machine.topLevel : ""} ${generations.list.find(({ isDefault }) => isDefault)?.outPath}`;
  page.subscribe((state, before) => {
    const { result, stale } = state.evaluation;
    if (state.machine === before.machine && state.generations === before.generations) return;
    if (state.switching.phase === "running" || result === null || stale || base(state) === base(before)) return;
    later(result, shown === result.drvPath);
  });

  return {
    /** What is being worked out belongs to a workspace that is left. */
    forget() {
      clearTimeout(timer);
      turn++;
    },
    computed: (evaluated: Evaluated) => later(evaluated, false),
    async refresh() {
      const { result, stale } = page.getState().evaluation;
      clearTimeout(timer);
      if (result !== null && !stale) await quietly(result, shown === result.drvPath);
    },
  };
}

async function goodResult(evaluation: EvaluationService): Promise<{ drvPath: string } | null> {
  const outcome = await evaluation.settled();
  return outcome?.ok ? outcome : null;
}

/** After a rollback: is the file what the generation was made from? */
async function compareFiles({ page }: Context): Promise<void> {
  const { generations, workspace, evaluation } = page.getState();
  const current = generations.list.find(({ isDefault }) => isDefault);
  if (current === undefined || evaluation.result?.outPath === current.outPath) return;
  const same = JSON.stringify(current.files) === JSON.stringify(workspace.files);
  patch(page, "generations", { fileAhead: same ? null : { generation: current.number } });
}
