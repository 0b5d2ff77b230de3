/**
 * The machine over a VM that speaks the control protocol: what the page calls, turned into frames, and what the guest says, turned into
 * events. It is created off; each start makes a session, each cut ends one. Calls that need a running guest are refused otherwise.
 */
import { concatBytes } from "#engine/store/format/bytes.ts";
import type { GuestStream } from "./control.ts";
import { MachineError, errorText } from "./errors.ts";
import { toGuest } from "./frames.ts";
import { ResponseReader, printRequest } from "./http.ts";
import { openStateTree } from "./host-tree.ts";
import { ImageSet, type FetchImage } from "./images.ts";
import { Meter } from "./meter.ts";
import type { StateBacking } from "./p9/state-backing.ts";
import type { StoreSource } from "./p9/store-tree.ts";
import type { StateStorage, StateTree } from "./p9/state-tree.ts";
import { Session, type SessionOptions } from "./session.ts";
import { readStateFile, writeStateFile } from "./state-files.ts";
import type {
  BootRequest,
  ExecRequest,
  ExecResult,
  ExitStatus,
  HttpRequest,
  HttpResponse,
  Machine,
  MachineEvent,
  MachineListener,
  MachineOptions,
  MachineStats,
  PowerReason,
  PowerState,
  ProfileLinks,
  ShimCall,
  StreamSink,
} from "./types.ts";
import type { CreateVirtualMachine, LoadedImages } from "./vm.ts";

/** What differs between a browser and Node. */
export interface MachinePlatform {
  createVm: CreateVirtualMachine;
  fetchImage: FetchImage;
  store: StoreSource;
  /** Opens the workspace's persistent tree; called for every start. */
  openState(workspaceId: string): Promise<StateBacking>;
  /** Milliseconds since the epoch. */
  now(): number;
  random(bytes: number): Uint8Array;
  /** An exception that is nobody's mistake but ours. */
  onBug(error: unknown): void;
}

/** How far each phase of a start is, for a progress bar; the guest's own phases among them. */
const progress: Record<string, number> = {
  images: 0.05,
  power: 0.2,
  ready: 0.35,
  clock: 0.4,
  mount: 0.5,
  stage2: 0.6,
  activate: 0.7,
  supervisor: 0.85,
  running: 1,
};

const phaseText: Record<string, string> = {
  images: "Loading the machine's images",
  power: "Switching on",
  ready: "Linux is up, waiting for a system",
  clock: "Setting the clock",
  mount: "Mounting the store",
  stage2: "Starting the system",
  activate: "Activating the configuration",
  supervisor: "Starting services",
  running: "Running",
};

/** Milliseconds without a boot event until a boot counts as stuck. */
const bootPatience = 90_000;
/** Most bytes of output that `exec` gathers. */
const execLimit = 8 * 1024 * 1024;
const defaultCapacity = 512 * 1024 * 1024;
/** Replaces a file by rename, so that nobody in the guest ever sees half of it. */
const writeScript =
  'd=$(dirname "$1"); mkdir -p "$d" && cat > "$1.new~" && chmod "$2" "$1.new~" && mv -f "$1.new~" "$1"';

/** A boot that is under way. */
interface PendingBoot {
  resolve(result: { degraded: boolean }): void;
  reject(error: MachineError): void;
  /** Starts the patience anew. */
  heard(): void;
}

export class LinuxMachine implements Machine {
  readonly #options: MachineOptions;
  readonly #listener: MachineListener;
  readonly #platform: MachinePlatform;
  readonly #images: ImageSet;
  readonly #meter: Meter;
  readonly #streams = new Map<number, GuestStream>();
  #session: Session | undefined;
  #starting: Promise<Session> | undefined;
  #power: PowerState = "off";
  #boot: PendingBoot | undefined;
  #storage: StateStorage | undefined;
  #storageTimer: ReturnType<typeof setTimeout> | undefined;
  /** Called when the machine is off the next time. */
  readonly #onceOff: (() => void)[] = [];

  constructor(options: MachineOptions, listener: MachineListener, platform: MachinePlatform) {
    this.#options = options;
    this.#listener = listener;
    this.#platform = platform;
    this.#images = new ImageSet(options.images, platform.fetchImage);
    this.#meter = new Meter(platform.now);
  }

  /** Fetches and unpacks what starts need; a start does it too. */
  async loadImages(): Promise<void> {
    await this.#images.load();
  }

  async start(): Promise<void> {
    await this.session();
  }

  /** The running session, or a new one. */
  session(): Promise<Session> {
    if (this.#starting === undefined && this.#session !== undefined) return Promise.resolve(this.#session);
    this.#starting ??= this.#startSession().finally(() => (this.#starting = undefined));
    return this.#starting;
  }

  async boot(request: BootRequest): Promise<{ degraded: boolean }> {
    const session = await this.session();
    if (this.#power !== "ready") throw new MachineError("wrong-state", `the machine is ${this.#power}`);
    const { control } = session;
    for (const profile of request.profiles) control.send(toGuest.PROFILE, 0, profileFields(profile));
    this.#setPower("booting");
    this.#meter.booting();
    const running = this.#awaitBoot();
    const settings = Object.entries(request.settings ?? {}).map(([key, value]) => `${key}=${value}`);
    const seed = `seed=${hexadecimal(this.#platform.random(32))}`;
    const seconds = Math.round(this.#platform.now() / 1000);
    control.send(toGuest.BOOT, 0, [seconds, request.topLevel, seed, ...settings]);
    try {
      return await running;
    } catch (error) {
      if (this.#session === session) await this.#end("boot-failed", error as MachineError);
      throw error;
    }
  }

  async cut(): Promise<void> {
    if (this.#session === undefined) await this.#starting?.catch(() => undefined); // loading images is not yet power
    await this.#end("cut", new MachineError("cut", "the power was cut"));
  }

  async poweroff(timeout = 15_000): Promise<void> {
    const session = this.#running();
    this.#setPower("stopping");
    const off = new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeout);
      this.#onceOff.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
    this.exec({ argv: ["/run/current-system/systemd/bin/systemctl", "poweroff"] }).catch(() => undefined);
    await off;
    if (this.#session === session) await this.#end("poweroff", new MachineError("cut", "the machine was switched off"));
  }

  async exec(request: ExecRequest, stdin: Uint8Array = new Uint8Array(0)): Promise<ExecResult> {
    const output = { stdout: [] as Uint8Array[], stderr: [] as Uint8Array[] };
    let length = 0;
    const stream = this.#open(request, (kind, bytes) => {
      length += bytes.length;
      output[kind].push(bytes);
      if (length <= execLimit) return;
      stream.signal(9);
      throw new MachineError("too-large", `more than ${execLimit} bytes of output`);
    });
    stream
      .write(stdin)
      .then(() => stream.end())
      .catch(() => undefined); // a process need not read its input
    const status = await stream.exit;
    return { ...status, stdout: concatBytes(output.stdout), stderr: concatBytes(output.stderr) };
  }

  async openStream(request: ExecRequest, sink: StreamSink): Promise<number> {
    const stream = this.#open(request, (kind, bytes) => sink({ kind, bytes }));
    this.#streams.set(stream.id, stream);
    const ended = (status: ExitStatus): void => {
      this.#streams.delete(stream.id);
      void sink({ kind: "exit", status });
    };
    stream.exit.then(ended, () => ended({ code: 129, signal: 1 })); // a dead machine hangs its terminals up
    return stream.id;
  }

  async writeStream(stream: number, bytes: Uint8Array): Promise<void> {
    await this.#streams.get(stream)?.write(bytes);
  }

  async endStream(stream: number): Promise<void> {
    await this.#streams.get(stream)?.end();
  }

  async resizeStream(stream: number, columns: number, rows: number): Promise<void> {
    this.#streams.get(stream)?.resize(columns, rows);
  }

  async signalStream(stream: number, signal: number): Promise<void> {
    this.#streams.get(stream)?.signal(signal);
  }

  http(request: HttpRequest): Promise<HttpResponse> {
    return new Promise((resolve, reject) => {
      const { control } = this.#running();
      const { port, method, limit = 16 * 1024 * 1024, timeout = 20_000 } = request;
      const bytes = printRequest(request);
      const reader = new ResponseReader(limit, method);
      const settle = (then: () => void): void => {
        clearTimeout(timer);
        stream.end().catch(() => undefined); // the guest has closed it perhaps
        then();
      };
      const stream = control.open(toGuest.CONNECT, [port], (_kind, piece) => {
        const response = reader.push(piece);
        if (response !== undefined) settle(() => resolve(response));
      });
      const late = new MachineError("timeout", `port ${port} does not answer`, { port });
      const timer = setTimeout(() => settle(() => reject(late)), timeout);
      stream.opened.then(() => stream.write(bytes)).catch(() => undefined); // the exit tells why
      const finish = (): void => settle(() => resolve(reader.end()));
      const fail = (error: unknown): void => settle(() => reject(error));
      stream.ended.then(finish).catch(fail);
      // The exit's error is a refused connection, a cut, or what the reader threw.
      stream.exit.then(finish).catch(fail);
    });
  }

  async setProfileLinks(profile: ProfileLinks): Promise<void> {
    this.#running().control.send(toGuest.PROFILE, 0, profileFields(profile));
  }

  async writeFile(path: string, bytes: Uint8Array, mode = 0o644): Promise<void> {
    if (this.#power === "off") return this.#withState((tree) => writeStateFile(tree, path, bytes, mode));
    const argv = ["/bin/sh", "-c", writeScript, "sh", path, mode.toString(8)];
    this.#mustSucceed(await this.exec({ argv }, bytes), path);
  }

  async readFile(path: string): Promise<Uint8Array> {
    if (this.#power === "off") return this.#withState((tree) => readStateFile(tree, path));
    const result = await this.exec({ argv: ["/bin/sh", "-c", 'cat < "$1"', "sh", path] });
    this.#mustSucceed(result, path);
    return result.stdout;
  }

  /** The store's names are asked for afresh at each lookup, so there is nothing to tell the guest. */
  async storeChanged(): Promise<void> {}

  async shimRead(id: number): Promise<Uint8Array> {
    return (await this.#streams.get(id)?.read()) ?? new Uint8Array(0);
  }

  async shimWrite(id: number, output: "stdout" | "stderr", bytes: Uint8Array): Promise<void> {
    await this.#streams.get(id)?.write(bytes, output === "stdout" ? toGuest.DATA : toGuest.STDERR);
  }

  async stats(): Promise<MachineStats> {
    const session = this.#session;
    if (session !== undefined) this.#meter.sample(session.instructions());
    if (this.#power === "running")
      await this.#meter.sampleMemory(() => this.exec({ argv: ["/bin/sh", "-c", "cat /proc/meminfo"] }));
    const nothing = { requests: {}, bytesRead: 0, bytesWritten: 0 };
    return {
      power: this.#power,
      memory: this.#meter.memory,
      instructions: this.#meter.instructions,
      instructionsPerSecond: this.#meter.instructionsPerSecond,
      ninep: session === undefined ? nothing : structuredClone(session.tree.server.counters),
      store: session === undefined ? { trees: 0, blobs: 0, bytes: 0 } : { ...session.tree.store.counters },
      timings: this.#meter.timings,
    };
  }

  #open(
    request: ExecRequest,
    onOutput: (kind: "stdout" | "stderr", bytes: Uint8Array) => void | Promise<void>,
  ): GuestStream {
    const session = this.#session;
    if (session === undefined || this.#power === "starting") {
      throw new MachineError("wrong-state", `the machine is ${this.#power}`);
    }
    return session.control.open(toGuest.EXEC, execFields(request), onOutput);
  }

  /** The session of a booted system; its services may answer before all of them are up. */
  #running(): Session {
    if (this.#session === undefined || (this.#power !== "running" && this.#power !== "booting")) {
      throw new MachineError("wrong-state", `the machine is ${this.#power}`);
    }
    return this.#session;
  }

  #mustSucceed({ code, stderr }: ExecResult, path: string): void {
    if (code === 0) return;
    throw new MachineError("refused", new TextDecoder().decode(stderr).trim() || `cannot access ${path}`, { path });
  }

  async #startSession(): Promise<Session> {
    this.#setPower("starting");
    this.#meter.starting();
    let session: Session | undefined;
    try {
      this.#phase("images");
      const images = await this.#images.load();
      this.#phase("power");
      session = await Session.create(await this.#sessionOptions(images));
      this.#session = session;
      await session.begin();
      this.#meter.ready();
      this.#phase("ready");
      this.#setPower("ready");
      return session;
    } catch (error) {
      const reason = error instanceof MachineError ? error : new MachineError("died", errorText(error));
      if (session === undefined) this.#setPower("off", "crashed", reason.message);
      else if (this.#session === session) await this.#end("crashed", reason); // else it was ended, by a cut for instance
      throw error;
    }
  }

  async #sessionOptions(images: LoadedImages): Promise<SessionOptions> {
    const { createVm, store, now, onBug } = this.#platform;
    return {
      mode: this.#options.mode,
      images,
      backing: await this.#platform.openState(this.#options.workspaceId),
      createVm,
      store,
      now,
      onBug,
      capacity: this.#options.stateCapacity ?? defaultCapacity,
      onStorage: (storage) => this.#stored(storage),
      onConsole: (text) => this.#tell({ kind: "console", text }),
      onHello: () => this.#meter.sample(this.#session?.instructions() ?? 0),
      onDead: (error) => void this.#end("crashed", error),
      onSleep: () => this.#setClock(),
      handlers: {
        onEvent: (topic, fields) => this.#event(topic, fields),
        onStep: (name, text) => this.#step(name, text),
        onShim: (stream, fields) => void this.#shim(stream, fields),
      },
    };
  }

  /** BOOT sets the clock of a machine that starts; one that slept is set by its own command. */
  #setClock(): void {
    if (this.#power !== "running") return;
    const seconds = Math.round(this.#platform.now() / 1000);
    this.exec({ argv: ["date", "-s", `@${seconds}`] }).catch(this.#platform.onBug);
  }

  /** A page that fails to hold a step lets it go: a machine must not hang on a broken listener. */
  async #step(name: string, text: string): Promise<void> {
    try {
      await this.#listener.onStep({ name, text });
    } catch (error) {
      this.#platform.onBug(error);
    }
  }

  async #end(reason: PowerReason, error: MachineError): Promise<void> {
    const session = this.#session;
    if (session === undefined) return;
    this.#session = undefined;
    this.#boot?.reject(error);
    this.#streams.clear();
    await session.end(error);
    this.#setPower("off", reason, error.message);
    for (const resolve of this.#onceOff.splice(0)) resolve();
  }

  #awaitBoot(): Promise<{ degraded: boolean }> {
    return new Promise((resolve, reject) => {
      let timer: ReturnType<typeof setTimeout>;
      const settle = (then: () => void): void => {
        clearTimeout(timer);
        this.#boot = undefined;
        then();
      };
      const heard = (): void => {
        clearTimeout(timer);
        timer = setTimeout(() => this.#boot?.reject(new MachineError("no-answer", "the boot is stuck")), bootPatience);
      };
      this.#boot = {
        heard,
        resolve: (result) => settle(() => resolve(result)),
        reject: (error) => settle(() => reject(error)),
      };
      heard();
    });
  }

  #event(topic: string, fields: string[]): void {
    const [first = "", second = "", third = "", fourth = "", fifth = ""] = fields;
    switch (topic) {
      case "boot":
        this.#bootEvent(first, second);
        return;
      case "unit":
        this.#tell({ kind: "unit", unit: { name: first, load: second, active: third, sub: fourth, result: fifth } });
        return;
      case "current":
        this.#tell({ kind: "current", topLevel: first });
        return;
      case "log":
        this.#tell({ kind: "log", unit: first, priority: Number(second), text: third });
        return;
      case "power":
        void this.#guestOff(first === "reboot" ? "reboot" : "poweroff");
    }
  }

  #bootEvent(phase: string, text: string): void {
    if (phase === "failed") {
      this.#boot?.reject(new MachineError("boot-failed", text));
      return;
    }
    this.#boot?.heard();
    this.#phase(phase, text);
    if (phase !== "running") return;
    this.#meter.booted();
    this.#setPower("running");
    this.#boot?.resolve({ degraded: text === "degraded" });
  }

  /** The guest has stopped its services and synced: what it wrote is stored before the plug is pulled. */
  async #guestOff(reason: "poweroff" | "reboot"): Promise<void> {
    await this.#session?.tree.writable.sync().catch(this.#platform.onBug);
    await this.#end(reason, new MachineError("cut", `the guest asked for ${reason}`));
  }

  async #shim(stream: GuestStream, [cwd = "", user = "", count = "0", ...rest]: string[]): Promise<void> {
    this.#streams.set(stream.id, stream);
    const call: ShimCall = {
      id: stream.id,
      cwd,
      user,
      env: Object.fromEntries(rest.slice(0, Number(count)).map(splitAssignment)),
      argv: rest.slice(Number(count)),
    };
    let code = 1;
    try {
      code = await this.#listener.onShim(call);
    } catch (error) {
      await this.shimWrite(stream.id, "stderr", new TextEncoder().encode(`error: ${errorText(error)}\n`)).catch(
        () => undefined,
      );
    }
    this.#streams.delete(stream.id);
    await stream.finish(code).catch(() => undefined); // the machine may be gone
  }

  /** The persistent tree of a machine that is off, for one reading or writing. */
  async #withState<T>(act: (tree: StateTree) => Promise<T>): Promise<T> {
    const backing = await this.#platform.openState(this.#options.workspaceId);
    const capacity = this.#options.stateCapacity ?? defaultCapacity;
    const tree = await openStateTree(backing, { now: this.#platform.now, capacity, onStorage: (s) => this.#stored(s) });
    try {
      return await act(tree);
    } finally {
      tree.kill();
    }
  }

  /** Commits come by the hundred when the guest syncs: the page hears of the last at most four times a second. */
  #stored(storage: StateStorage): void {
    if (storage.full !== this.#storage?.full) this.#tell({ kind: "storage", ...storage });
    this.#storage = storage;
    if (this.#storageTimer !== undefined) return;
    this.#storageTimer = setTimeout(() => {
      this.#storageTimer = undefined;
      if (this.#storage !== undefined) this.#tell({ kind: "storage", ...this.#storage });
    }, 250);
  }

  #phase(phase: string, text = ""): void {
    const shown = phase === "running" || text === "" ? phaseText[phase] : text;
    this.#tell({ kind: "phase", phase, text: shown ?? phase, progress: progress[phase] ?? 0.7 });
  }

  #setPower(state: PowerState, reason?: PowerReason, text?: string): void {
    this.#power = state;
    const why = { ...(reason === undefined ? {} : { reason }), ...(text === undefined ? {} : { text }) };
    this.#tell({ kind: "power", state, ...why });
  }

  #tell(event: MachineEvent): void {
    void this.#listener.onEvent(event);
  }
}

function profileFields({ profile, links }: ProfileLinks): string[] {
  return [profile, ...links.flat()];
}

function execFields({ argv, user = "", cwd = "", env = {}, terminal }: ExecRequest): (string | number)[] {
  const entries = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const { columns = 80, rows = 24 } = terminal ?? {};
  return [terminal === undefined ? "-" : "p", columns, rows, user, cwd, entries.length, ...entries, ...argv];
}

function splitAssignment(text: string): [name: string, value: string] {
  const at = text.indexOf("=");
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

function hexadecimal(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
