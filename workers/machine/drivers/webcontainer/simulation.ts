/**
 * The second driver: a generation interpreted by Node in a WebContainer. **It is a simulation.** The same units, links and steps as on the
 * Linux machine, decided by the engine (`engine/system`), but no kernel, no users, no native program, and nothing is kept when it ends.
 * It lives on the page's thread, because a WebContainer lives in a frame; whatever the visitor's files say reaches it as data: only our
 * two programs run there, and the shell that the visitor opens.
 */
import { diffSystems, pulledUnits } from "#engine/system/diff-systems.ts";
import { readSystem } from "#engine/system/read-system.ts";
import type { SystemDescription, Unit } from "#engine/system/types.ts";
import type { StoreReader } from "#workers/store/reader.ts";
import { MachineError } from "../../errors.ts";
import type {
  BootRequest,
  ExecRequest,
  ExecResult,
  HttpRequest,
  HttpResponse,
  Machine,
  MachineListener,
  MachineStats,
  PowerReason,
  PowerState,
  ProfileLinks,
  StreamSink,
} from "../../types.ts";
// oxlint-disable-next-line import/default -- with ?raw, the text of the file
import askProgram from "./ask.js?raw";
import type { Container, ContainerProcess } from "./container.ts";
import { containerTree } from "./mount.ts";
// oxlint-disable-next-line import/default -- with ?raw, the text of the file
import serveProgram from "./serve.js?raw";
import { containerPath, containerPort, readLines, SimulatedUnits } from "./supervisor.ts";

export interface SimulationPlatform {
  startContainer(): Promise<Container>;
  store: Pick<StoreReader, "tree" | "blob" | "infos">;
  /** Milliseconds since the epoch. */
  now(): number;
}

/** A process of the container, or a switch, as a stream of the page. */
interface Stream {
  readonly process: ContainerProcess;
  readonly input: WritableStreamDefaultWriter<string>;
}

interface Session {
  readonly container: Container;
  readonly units: SimulatedUnits;
  readonly streams: Map<number, Stream>;
  /** Base names of the paths that the container has. */
  readonly mounted: Set<string>;
}

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const switchProgram = /^(\/nix\/store\/[^/]+)\/bin\/switch-to-configuration$/;
/** Most bytes of a guest's answer, and how long it may take, unless the request says otherwise. */
const answerLimit = 16 * 1024 * 1024;
const answerPatience = 20_000;

export class SimulatedMachine implements Machine {
  readonly #platform: SimulationPlatform;
  readonly #listener: MachineListener;
  #power: PowerState = "off";
  #session: Session | undefined;
  #starting: Promise<Session> | undefined;
  #system: SystemDescription | undefined;
  #nextStream = 1;
  #timings = { ready: 0, boot: 0 };

  constructor(platform: SimulationPlatform, listener: MachineListener) {
    this.#platform = platform;
    this.#listener = listener;
  }

  async start(): Promise<void> {
    await this.#started();
  }

  async boot(request: BootRequest): Promise<{ degraded: boolean }> {
    const session = await this.#started();
    if (this.#power !== "ready") throw new MachineError("wrong-state", `the machine is ${this.#power}`);
    const begun = this.#platform.now();
    this.#setPower("booting");
    try {
      this.#phase("mount", "Copying the system's files", 0.5);
      const system = await this.#bring(session, request.topLevel);
      this.#current(system);
      this.#phase("supervisor", "Starting what has a stand-in", 0.85);
      for (const unit of unitsOf(system)) await session.units.start(unit);
    } catch (error) {
      if (this.#session !== session) throw new MachineError("cut", "the plug was pulled");
      const text = error instanceof Error ? error.message : String(error);
      this.#end("boot-failed", text);
      throw new MachineError("boot-failed", text);
    }
    if (this.#session !== session) throw new MachineError("cut", "the plug was pulled");
    this.#timings.boot = this.#platform.now() - begun;
    this.#setPower("running");
    this.#phase("running", "Running (simulated)", 1);
    return { degraded: session.units.failed.length > 0 };
  }

  async cut(): Promise<void> {
    this.#end("cut");
  }

  async poweroff(): Promise<void> {
    const { units } = this.#running();
    this.#setPower("stopping");
    await units.stopAll();
    this.#end("poweroff");
  }

  async exec(request: ExecRequest, stdin?: Uint8Array): Promise<ExecResult> {
    const output: string[] = [];
    const logs = this.#journal(request.argv);
    if (logs !== undefined) return { code: 0, stdout: encode(logs), stderr: new Uint8Array(0) };
    const process = await this.#spawn(request);
    if (stdin !== undefined) await process.input.getWriter().write(new TextDecoder().decode(stdin));
    await readLines(process.output, (line) => output.push(`${line}\n`));
    return { code: await process.exit, stdout: encode(output.join("")), stderr: new Uint8Array(0) };
  }

  async openStream(request: ExecRequest, sink: StreamSink): Promise<number> {
    const stream = this.#nextStream++;
    const topLevel = switchProgram.exec(request.argv[0] ?? "")?.[1];
    if (topLevel !== undefined) {
      void this.#switchTo(topLevel, request.argv[1] ?? "", (text) => void sink({ kind: "stderr", bytes: encode(text) }))
        .catch((error: unknown) => {
          void sink({ kind: "stderr", bytes: encode(`${error instanceof Error ? error.message : String(error)}\n`) });
          return 1;
        })
        .then((code) => sink({ kind: "exit", status: { code } }));
      return stream;
    }
    const { streams } = this.#running();
    const process = await this.#spawn(request);
    streams.set(stream, { process, input: process.input.getWriter() });
    const printed = process.output.pipeTo(
      new WritableStream({ write: (text) => sink({ kind: "stdout", bytes: encode(text) }) }),
    );
    void printed
      .catch(() => undefined)
      .then(() => process.exit)
      .then((code) => sink({ kind: "exit", status: { code } }))
      .finally(() => streams.delete(stream));
    return stream;
  }

  async writeStream(stream: number, bytes: Uint8Array): Promise<void> {
    await this.#stream(stream)?.input.write(new TextDecoder().decode(bytes));
  }

  async endStream(stream: number): Promise<void> {
    await this.#stream(stream)?.input.close();
  }

  async resizeStream(stream: number, columns: number, rows: number): Promise<void> {
    this.#stream(stream)?.process.resize({ cols: columns, rows });
  }

  async signalStream(stream: number): Promise<void> {
    this.#stream(stream)?.process.kill();
  }

  async http(request: HttpRequest): Promise<HttpResponse> {
    const { container, units } = this.#running();
    if (!units.serves(request.port)) throw new MachineError("refused", `connection to port ${request.port} refused`);
    const question = {
      port: containerPort(request.port),
      method: request.method ?? "GET",
      path: request.path,
      headers: Object.fromEntries(request.headers ?? []),
      body: base64(request.body ?? new Uint8Array(0)),
    };
    const process = await container.spawn("node", ["ask.mjs", JSON.stringify(question)]);
    const late = setTimeout(() => process.kill(), request.timeout ?? answerPatience);
    let line = "";
    await readLines(process.output, (text) => (line ||= text.startsWith("answer ") ? text.slice(7) : ""));
    clearTimeout(late);
    if (line === "") throw new MachineError("timeout", "the service did not answer in time");
    const answer = JSON.parse(line) as { error: string } | (Omit<HttpResponse, "body"> & { body: string });
    if ("error" in answer) throw new MachineError("refused", answer.error);
    const body = Uint8Array.from(atob(answer.body), (char) => char.charCodeAt(0));
    const limit = request.limit ?? answerLimit;
    if (body.length > limit) throw new MachineError("too-large", `the answer has more than ${limit} bytes`);
    return { ...answer, body };
  }

  /** Profiles are the page's own record; nothing in the container looks at their links. */
  async setProfileLinks(_profile: ProfileLinks): Promise<void> {
    this.#running();
  }

  async writeFile(path: string, bytes: Uint8Array): Promise<void> {
    const { fs } = this.#running().container;
    const place = relative(path);
    const folder = place.slice(0, place.lastIndexOf("/"));
    if (folder !== "") await fs.mkdir(folder, { recursive: true });
    await fs.writeFile(place, bytes);
  }

  async readFile(path: string): Promise<Uint8Array> {
    const { fs } = this.#running().container;
    return fs.readFile(relative(path)).catch(() => {
      throw new MachineError("refused", `${path}: No such file or directory`);
    });
  }

  /** What is registered meanwhile is copied when a switch needs it. */
  async storeChanged(): Promise<void> {
    this.#running();
  }

  async shimRead(): Promise<Uint8Array> {
    throw new MachineError("wrong-state", "the simulation has no Nix commands");
  }

  async shimWrite(): Promise<void> {
    throw new MachineError("wrong-state", "the simulation has no Nix commands");
  }

  async stats(): Promise<MachineStats> {
    return {
      power: this.#power,
      memory: { total: 0, used: 0 },
      instructions: 0,
      instructionsPerSecond: 0,
      ninep: { requests: {}, bytesRead: 0, bytesWritten: 0 },
      store: { trees: this.#session?.mounted.size ?? 0, blobs: 0, bytes: 0 },
      timings: this.#timings,
    };
  }

  // ---------------------------------------------------------------------------------------------------------- inside

  #started(): Promise<Session> {
    if (this.#starting === undefined && this.#session !== undefined) return Promise.resolve(this.#session);
    this.#starting ??= this.#start().finally(() => (this.#starting = undefined));
    return this.#starting;
  }

  async #start(): Promise<Session> {
    const begun = this.#platform.now();
    this.#setPower("starting");
    this.#phase("container", "Starting the WebContainer", 0.2);
    const container = await this.#platform.startContainer().catch((error: unknown) => {
      // Whoever started it hears of it by this rejection, and may start another machine in its place.
      this.#power = "off";
      throw error;
    });
    if (this.#power !== "starting") {
      container.teardown();
      throw new MachineError("cut", "the plug was pulled");
    }
    const units = new SimulatedUnits(container, (event) => {
      if (this.#session?.units === units) this.#listener.onEvent(event);
    });
    const session: Session = { container, units, streams: new Map(), mounted: new Set() };
    this.#session = session;
    await container.mount({
      "serve.mjs": { file: { contents: serveProgram } },
      "ask.mjs": { file: { contents: askProgram } },
    });
    this.#timings.ready = this.#platform.now() - begun;
    this.#setPower("ready");
    return session;
  }

  #end(reason: PowerReason, text?: string): void {
    const session = this.#session;
    this.#session = undefined;
    this.#system = undefined;
    for (const { process } of session?.streams.values() ?? []) process.kill();
    session?.container.teardown();
    if (this.#power === "off") return;
    this.#power = "off";
    this.#listener.onEvent({ kind: "power", state: "off", reason, ...(text === undefined ? {} : { text }) });
  }

  #setPower(state: PowerState): void {
    this.#power = state;
    this.#listener.onEvent({ kind: "power", state });
  }

  #phase(phase: string, text: string, progress: number): void {
    this.#listener.onEvent({ kind: "phase", phase, text, progress });
  }

  #running(): Session {
    if (this.#session === undefined || this.#power !== "running") {
      throw new MachineError("wrong-state", `the machine is ${this.#power}`);
    }
    return this.#session;
  }

  #stream(stream: number): Stream | undefined {
    return this.#session?.streams.get(stream);
  }

  /** Copies what the container lacks of a system's closure, and reads the system. */
  async #bring(session: Session, topLevel: string): Promise<SystemDescription> {
    const { store } = this.#platform;
    const tree = (path: string) => store.tree(path.slice("/nix/store/".length));
    const closure = closureOf(topLevel, await store.infos());
    const missing = closure.map(({ path }) => path).filter((path) => !session.mounted.has(path));
    const trees = await Promise.all(missing.map(async (path) => [path.slice(11), await tree(path)] as const));
    await session.container.mount(await containerTree(new Map(trees), (sha256) => store.blob(sha256)));
    for (const path of missing) session.mounted.add(path);
    return readSystem(topLevel, { tree, blob: (sha256) => store.blob(sha256), closure: async () => closure });
  }

  #current(system: SystemDescription): void {
    this.#system = system;
    this.#listener.onEvent({ kind: "current", topLevel: system.topLevel });
  }

  /** What `switch-to-configuration` does on the Linux machine, with its named steps and its words. */
  async #switchTo(topLevel: string, action: string, print: (text: string) => void): Promise<number> {
    const session = this.#running();
    const before = this.#system;
    if (before === undefined) throw new MachineError("wrong-state", "no system runs");
    if (action === "boot") return 0;
    const after = await this.#bring(session, topLevel);
    const { units } = diffSystems(before, after, session.units.running);
    const stop = units.filter(({ action: what }) => what !== "start").map(({ name }) => name);
    const start = units.filter(({ action: what }) => what !== "stop").map(({ name }) => name);
    const dry = action === "dry-activate";
    const list = (what: string, names: readonly string[]) => {
      if (names.length > 0) print(`${what}: ${[...names].sort().join(", ")}\n`);
    };
    list(dry ? "would stop the following units" : "stopping the following units", stop);
    if (dry) {
      list("would start the following units", start);
      return 0;
    }
    await this.#step("stop-units", "stopping units that changed");
    for (const name of stop) await session.units.stop(name);
    print("activating the configuration...\n");
    await this.#step("current-system", "the running system is now this one");
    this.#current(after);
    await this.#step("reload", "reading the new units");
    await this.#step("start-units", "starting units");
    list("starting the following units", start);
    for (const name of start) {
      const unit = after.units.get(name);
      if (unit !== undefined) await session.units.start(unit);
    }
    const { failed } = session.units;
    list("warning: the following units failed", failed);
    await this.#step("done", "");
    return failed.length > 0 ? 4 : 0;
  }

  async #step(name: string, text: string): Promise<void> {
    const session = this.#running();
    await this.#listener.onStep({ name, text });
    if (this.#session !== session) throw new MachineError("cut", "the plug was pulled");
  }

  /** The answer to `journalctl -u UNIT`, the one program of the guest that the page itself calls. */
  #journal(argv: readonly string[]): string | undefined {
    const { units } = this.#running();
    const unit = argv[argv.indexOf("-u") + 1];
    if (argv[0] !== "journalctl" || unit === undefined) return undefined;
    return units.log(unit).join("\n");
  }

  /** Without a command: the container's own shell. */
  async #spawn({ argv, env, terminal }: ExecRequest): Promise<ContainerProcess> {
    const [command = "jsh", ...args] = argv;
    const { container } = this.#running();
    const size = terminal === undefined ? {} : { terminal: { cols: terminal.columns, rows: terminal.rows } };
    return container.spawn(containerPath(command), args, { ...(env === undefined ? {} : { env }), ...size });
  }
}

/** The units that a boot starts, by name. */
function unitsOf(system: SystemDescription): Unit[] {
  const names = [...pulledUnits(system)].sort();
  return names.flatMap((name) => system.units.get(name) ?? []);
}

function closureOf(
  root: string,
  infos: readonly { readonly path: string; readonly narSize: number; readonly references: readonly string[] }[],
): { path: string; narSize: number }[] {
  const byPath = new Map(infos.map((info) => [info.path, info]));
  const reached = new Set<string>();
  const pending = [root];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    if (reached.has(path)) continue;
    reached.add(path);
    pending.push(...(byPath.get(path)?.references ?? []));
  }
  return [...reached].map((path) => ({ path, narSize: byPath.get(path)?.narSize ?? 0 }));
}

const relative = (path: string): string => path.replace(/^\/+/, "");

const base64 = (bytes: Uint8Array): string => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
