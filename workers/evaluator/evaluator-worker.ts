/**
 * The evaluator worker. It has neither network nor disk: at its start it gives up everything that could reach either, because a shared
 * link's code runs here. What an evaluation lacks it asks the page for, and evaluates on.
 */
import * as Comlink from "comlink";
import { seeds } from "virtual:samples";
import { type Evaluator, createEvaluator } from "#engine/eval/evaluator.ts";
import { NixError } from "#engine/eval/error.ts";
import { type IoRequest, NeedsIO } from "#engine/eval/io.ts";
import { reportError } from "#engine/eval/report.ts";
import type { Settings } from "#engine/eval/settings.ts";
import type { OptionInfo } from "#engine/ide/types.ts";
import { NixPath } from "#engine/eval/value.ts";
import { decodeUtf8, encodeUtf8 } from "#engine/store/format/bytes.ts";
import { fileSource } from "#engine/syntax/source.ts";
import { parse } from "#engine/syntax/parser.ts";
import type {
  CommandOutcome,
  EvaluationOutcome,
  EvaluationRequest,
  EvaluatorServices,
  EvaluatorWorker,
  LanguageQuestion,
  Problem,
  StoreItem,
  SystemSummary,
} from "../api.ts";
import { readSamples } from "../samples.ts";
import type { SourcePin } from "../transfer/types.ts";
import { CHANNEL, CHANNELS, CONFIGURATION, type MissingPart, type VirtualFiles, createVirtualFiles } from "./files.ts";
import { type PageIo, createPageIo } from "./io.ts";
import { problemOf, problemOfDiagnostic } from "./problem.ts";
import type { ReplService } from "./repl.ts";

/** Everything through which a worker could reach the network, another worker's data or more code. */
const GIVEN_UP = [
  "fetch",
  "XMLHttpRequest",
  "WebSocket",
  "EventSource",
  "WebTransport",
  "indexedDB",
  "caches",
  "importScripts",
  "Worker",
  "BroadcastChannel",
];
for (const name of GIVEN_UP) {
  Object.defineProperty(globalThis, name, { value: undefined, configurable: false, writable: false });
}

/** NixOS's own search path; a package set that the workspace uses as nixpkgs comes first. */
const settingsWith = (sources: readonly SourcePin[]): Partial<Settings> => ({
  readOnly: false,
  nixPath: [
    `nixpkgs=${sources.filter(({ nixpkgs }) => nixpkgs).map(({ name }) => `${CHANNELS}/${name}`)[0] ?? CHANNEL}`,
    `nixos-config=${CONFIGURATION}/configuration.nix`,
    CHANNELS,
  ],
});

interface State {
  readonly files: VirtualFiles;
  readonly io: PageIo;
  evaluator: Evaluator;
  settings: Partial<Settings>;
  readonly services: EvaluatorServices;
  texts: Readonly<Record<string, string>>;
}

let state: State | undefined;

function need(): State {
  if (state === undefined) throw new Error("the evaluator was not started");
  return state;
}

const worker: EvaluatorWorker = {
  async start(archive, services) {
    const files = createVirtualFiles(readSamples(archive), seeds);
    const io = createPageIo(files, seeds);
    const settings = settingsWith([]);
    const evaluator = createEvaluator({ io, settings });
    state = { files, io, evaluator, settings, services, texts: {} };
  },

  async setSources(pins) {
    const current = need();
    current.files.setSources(pins.map((pin) => ({ ...pin, name: encodeUtf8(pin.name) })));
    current.settings = settingsWith(pins);
    current.evaluator = createEvaluator({ io: current.io, settings: current.settings });
  },

  async evaluateSystem(request): Promise<EvaluationOutcome> {
    const { io } = need();
    forgetNowAndThen();
    const started = performance.now();
    const milliseconds = () => Math.round((performance.now() - started) * 10) / 10;
    load(request.files);
    io.begin(Math.floor(Date.now() / 1000));
    try {
      const text = await resuming(() => systemText(request));
      const { drvPath, outPath, ...summary } = JSON.parse(text) as SystemSummary & { drvPath: string; outPath: string };
      const lines = io.lines.map(decodeUtf8);
      return { ok: true, drvPath, outPath, summary, lines, milliseconds: milliseconds() };
    } catch (thrown) {
      const found = problemsOf(thrown, request);
      const { withFixes } = await languageService();
      const problems = found.map((problem) => withFixes(problem, request.files));
      return { ok: false, problems, milliseconds: milliseconds() };
    }
  },

  async instantiation(drvPath): Promise<StoreItem[]> {
    return need().io.instantiation(drvPath);
  },

  run: (argv, files) => runCommand(argv, files),

  async replLine(line, files) {
    const service = await replService();
    load(files);
    need().io.begin(Math.floor(Date.now() / 1000));
    return resuming(() => service.line(line));
  },

  async completeRepl(line) {
    const service = await replService();
    return resuming(() => service.complete(line));
  },

  ask: (path, text, question) => answer(path, text, question),
};

/** The editor's service and the command lines load when they are first asked for: a first result needs neither. */
const languageService = () => import("./language.ts");

let repl: Promise<ReplService> | undefined;

/** The repl of this worker's life. */
function replService(): Promise<ReplService> {
  const { io, settings: current } = need();
  repl ??= import("./repl.ts").then(({ createReplService }) => createReplService(io, current));
  return repl;
}

/** Systems evaluated between two times that everything kept is forgotten, so that a long day of typing fits into the memory. */
const FORGET_EVERY = 300;
let evaluations = 0;

function forgetNowAndThen(): void {
  if (++evaluations % FORGET_EVERY !== 0) return;
  const { evaluator, io } = need();
  evaluator.reset();
  io.forgetUnused();
}

/** Makes the workspace's files the ones that are seen, and forgets what depended on those that changed. */
function load(texts: Readonly<Record<string, string>>): void {
  const current = need();
  const names = new Set([...Object.keys(texts), ...Object.keys(current.texts)]);
  const changed = [...names].filter((name) => texts[name] !== current.texts[name]);
  if (changed.length === 0) return;
  current.files.setWorkspace(texts);
  current.texts = texts;
  current.evaluator.invalidate(changed.map((name) => `${CONFIGURATION}/${encodeUtf8(name)}`));
}

/** What the page asks of a configuration; another nixpkgs that has no such file is asked by the channel's. */
const PAGE = `(let
  there = builtins.tryEval <nixpkgs/nixos/lib/page.nix>;
in if there.success then there.value else ${CHANNEL}/nixos/lib/page.nix)`;

function systemText({ entry }: EvaluationRequest): string {
  const { evaluator } = need();
  const scope = { configuration: new NixPath(`${CONFIGURATION}/${encodeUtf8(entry)}`) };
  const text = `(import ${PAGE} { inherit configuration; }).json`;
  const value = evaluator.force(evaluator.expression(text, scope));
  return decodeUtf8(typeof value === "string" ? value : (value as { text: string }).text);
}

/** Runs an evaluation to its end, fulfilling what it asks for. Everything evaluated so far stays evaluated. */
async function resuming<T>(work: () => T): Promise<T> {
  for (;;) {
    try {
      return work();
    } catch (thrown) {
      if (!(thrown instanceof NeedsIO)) throw thrown;
      await fulfil(thrown.request);
    }
  }
}

async function fulfil(request: IoRequest): Promise<void> {
  const { io, files, services } = need();
  switch (request.kind) {
    case "store":
      return io.answerStore(request.path, await services.storePath(request.path));
    case "read": {
      const part = files.missing(request.path);
      if (part !== undefined) return supply(part);
      const node = files.lookup(request.path);
      if (node?.type !== "seed") throw new Error(`${request.path} is no seed`);
      return io.answerRead(request.path, await services.seed(node.tree.url));
    }
    case "realise": {
      const { drvPath, outputs } = request;
      const paths = services.realise(drvPath, outputs, io.instantiation(drvPath));
      return io.answerRealise(drvPath, outputs, await paths.catch(refusal));
    }
    case "fetch":
      return io.answerFetch(request.fetch, await services.fetch(request.fetch).catch(refusal));
  }
}

async function supply({ narHash, chunk }: MissingPart): Promise<void> {
  const { files, services } = need();
  if (chunk === null) files.supplyIndex(narHash, await services.sourceIndex(narHash));
  else files.supplyChunk(narHash, chunk, await services.sourceChunk(narHash, chunk));
}

/** What the page could not do is an error of the program that asked for it, not of the evaluator. */
const refusal = (error: unknown): NixError =>
  new NixError("io", encodeUtf8(error instanceof Error ? error.message : String(error)));

/** A program of the language in /etc/nixos. Store paths that it prints and that it instantiated are items of its outcome. */
async function runCommand(argv: readonly string[], files: Readonly<Record<string, string>>): Promise<CommandOutcome> {
  const { io } = need();
  const { newLanguageSession, runLanguage } = await import("#engine/commands/language.ts");
  load(files);
  io.begin(Math.floor(Date.now() / 1000));
  let stdout = "";
  let stderr = "";
  const session = newLanguageSession();
  const world = {
    io: { ...io, log: (line: string) => void (stderr += `${line}\n`) },
    cwd: CONFIGURATION,
    env: () => undefined,
    stdin: () => "",
    settings: need().settings,
    print: (text: string) => void (stdout += text),
    error: (text: string) => void (stderr += text),
  };
  const exitCode = await resuming(() => runLanguage(argv.map(encodeUtf8), world, session));
  const derivations = new Set(stdout.match(/\/nix\/store\/[0-9a-z]{32}-[0-9a-zA-Z+\-._?=]+\.drv/g));
  const items = [...derivations].flatMap((drvPath) => io.instantiation(drvPath));
  return { exitCode, stdout: decodeUtf8(stdout), stderr: decodeUtf8(stderr), items };
}

/** The options are known from the first question on: reading their declarations takes a moment that no start should wait for. */
async function answer(path: string, text: string, question: LanguageQuestion) {
  const needsOptions = question.kind === "complete" || question.kind === "hover" || question.kind === "actions";
  const { answerQuestion } = await languageService();
  return answerQuestion(path, text, question, needsOptions ? await optionDocs() : []);
}

let options: Promise<OptionInfo[]> | undefined;

function optionDocs(): Promise<OptionInfo[]> {
  options ??= resuming(readOptions).catch((): OptionInfo[] => []);
  return options;
}

interface OptionDoc {
  readonly name: string;
  readonly loc: readonly string[];
  readonly type?: string;
  readonly description?: string | { readonly text: string };
  readonly default?: { readonly text: string };
  readonly example?: { readonly text: string };
  readonly internal?: boolean;
}

function readOptions(): OptionInfo[] {
  const { evaluator } = need();
  const text = `builtins.toJSON (import ${PAGE} { configuration = { }; }).optionDocs`;
  const value = evaluator.force(evaluator.expression(text));
  const docs = JSON.parse(
    decodeUtf8(typeof value === "string" ? value : (value as { text: string }).text),
  ) as OptionDoc[];
  return docs
    .filter(({ internal }) => internal !== true)
    .map(({ loc, type, description, default: fallback, example }) => ({
      path: loc,
      type: type ?? "",
      description: typeof description === "string" ? description : (description?.text ?? ""),
      ...(fallback === undefined ? {} : { default: fallback.text }),
      ...(example === undefined ? {} : { example: example.text }),
    }));
}

/** A syntax error stops Nix at once, but an editor shows all of them; any other error is one problem. */
function problemsOf(thrown: unknown, request: EvaluationRequest): Problem[] {
  const first = problemOf(thrown, (error) => reportError(error, { showTrace: true }));
  const text = first.kind === "syntax" && first.at !== null ? request.files[first.at.path] : undefined;
  if (text === undefined || first.at === null) return [first];
  const source = fileSource(encodeUtf8(`${CONFIGURATION}/${first.at.path}`), encodeUtf8(text));
  const all = parse(source).diagnostics.map((diagnostic) => problemOfDiagnostic(diagnostic, source));
  return all.length === 0 ? [first] : [{ ...all[0], text: first.text }, ...all.slice(1)];
}

Comlink.expose(worker);
