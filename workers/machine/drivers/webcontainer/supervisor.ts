/**
 * The simulated units: what runs of a system in a WebContainer, and in which state. Invariant: a unit is `running` only while the process
 * that stands in for it lives; what has no stand-in is `inactive`, "not simulated", and its log says why.
 */
import { type Unit } from "#engine/system/types.ts";
import { unitValue } from "#engine/system/unit-file.ts";
import type { MachineEvent, UnitState } from "../../types.ts";
import type { Container, ContainerProcess } from "./container.ts";
import { programOf } from "./programs.ts";

/** Where a port of the guest is in the container: ports below 1024 may be closed to a process there. */
export const containerPort = (port: number): number => (port < 1024 ? port + 20_000 : port);

/** A path of the guest in the container: the store is mounted in the working folder. */
export const containerPath = (path: string): string => (path.startsWith("/nix/store/") ? path.slice(1) : path);

/** Milliseconds in which a server that cannot run says so. */
const settling = 5000;

interface Running {
  readonly process: ContainerProcess | undefined;
  readonly port: number | undefined;
}

export class SimulatedUnits {
  readonly #container: Container;
  readonly #onEvent: (event: MachineEvent) => void;
  readonly #running = new Map<string, Running>();
  readonly #failed = new Set<string>();
  readonly #logs = new Map<string, string[]>();

  constructor(container: Container, onEvent: (event: MachineEvent) => void) {
    this.#container = container;
    this.#onEvent = onEvent;
  }

  get failed(): readonly string[] {
    return [...this.#failed].sort();
  }

  get running(): ReadonlySet<string> {
    return new Set(this.#running.keys());
  }

  log(unit: string): readonly string[] {
    return this.#logs.get(unit) ?? [];
  }

  /** True when something here serves this port of the guest. */
  serves(port: number): boolean {
    return [...this.#running.values()].some((running) => running.port === port);
  }

  /** Starts a service; resolves when it runs, failed, or turned out to have no stand-in. Other kinds of units are only counted. */
  async start(unit: Unit): Promise<void> {
    this.#failed.delete(unit.name);
    if (!unit.name.endsWith(".service")) return this.#became(unit.name, { process: undefined, port: undefined });
    const program = programOf(unitValue(unit.sections, "Service", "ExecStart") ?? "");
    switch (program.kind) {
      case "wait":
        return this.#became(unit.name, { process: undefined, port: undefined });
      case "native":
        this.#say(unit.name, `${program.name || "This service"} is a native program; the simulation does not run it.`);
        return this.#state(unit.name, "inactive", "not-simulated", "success");
      case "serve":
        return this.#serve(unit.name, program.port, program.root);
    }
  }

  async stop(name: string): Promise<void> {
    const running = this.#running.get(name);
    if (running === undefined) return;
    this.#running.delete(name);
    running.process?.kill();
    await running.process?.exit.catch(() => undefined);
    this.#state(name, "inactive", "dead", "success");
  }

  async stopAll(): Promise<void> {
    for (const name of this.running) await this.stop(name);
  }

  async #serve(name: string, port: number, root: string): Promise<void> {
    this.#state(name, "activating", "start", "success");
    const process = await this.#container.spawn("node", [
      "serve.mjs",
      String(containerPort(port)),
      containerPath(root),
    ]);
    const ready = new Promise<boolean>((resolve) => {
      void readLines(process.output, (line) => {
        if (line === "ready") resolve(true);
        else this.#say(name, line);
      });
      void process.exit.then(() => resolve(false));
      setTimeout(() => resolve(true), settling);
    });
    if (!(await ready)) return this.#fail(name);
    this.#became(name, { process, port });
    void process.exit.then(() => {
      if (this.#running.get(name)?.process === process) this.#fail(name);
    });
  }

  #became(name: string, running: Running): void {
    this.#running.set(name, running);
    this.#state(
      name,
      "active",
      running.process === undefined && !name.endsWith(".service") ? "active" : "running",
      "success",
    );
  }

  #fail(name: string): void {
    this.#running.delete(name);
    this.#failed.add(name);
    this.#say(name, `${name}: Failed with result 'exit-code'.`);
    this.#state(name, "failed", "failed", "exit-code");
  }

  #say(unit: string, text: string): void {
    this.#logs.set(unit, [...this.log(unit), text]);
    this.#onEvent({ kind: "log", unit, priority: 6, text });
  }

  #state(name: string, active: UnitState["active"], sub: string, result: string): void {
    this.#onEvent({ kind: "unit", unit: { name, load: "loaded", active, sub, result } });
  }
}

/** Every line that comes out of a process, without its end; a terminal's carriage returns are dropped. */
export async function readLines(output: ReadableStream<string>, onLine: (line: string) => void): Promise<void> {
  const reader = output.getReader();
  let open = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    const lines = (open + value).replaceAll("\r", "").split("\n");
    open = lines.pop() ?? "";
    for (const line of lines) onLine(line);
  }
  if (open !== "") onLine(open);
}
