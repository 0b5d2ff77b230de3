/**
 * The machine as the page shows it: starting, events, terminals, the preview, and the plug. Invariant: after `cut` nothing of the old
 * machine reaches the state; the sentence shown afterwards is worked out from the store, not remembered.
 */
import type { MachineEvent, MachineListener } from "#workers/api.ts";
import { proxy } from "#workers/client.ts";
import type { GuestResponse, MachineState, TerminalConnection, TerminalEntry, UnitState } from "../model.ts";
import { type Context, codeOf, guarded, measure, messageOf, notify, patch } from "./context.ts";
import { ElsewhereError, type MachineApi } from "./machine-host.ts";

const CONSOLE_LIMIT = 200_000;
const STATS_INTERVAL = 2000;
const RETRY_DELAY = 300;

export interface MachineService {
  boot(topLevel: string, generation: number | null): Promise<boolean>;
  /** Switches on a machine that waits for its system, unseen; the next boot takes it. */
  prepare(): Promise<void>;
  powerOff(): Promise<void>;
  /** Before another workspace is opened: what runs is shut down, what only starts is ended. */
  leave(): Promise<void>;
  /** Ends the machine at once. True when there was one to end. */
  cut(): boolean;
  /** The running machine's interface, or null. */
  api(): MachineApi | null;
  /** The generation that was booted, or null. */
  booted(): number | null;
  openTerminal(
    kind: TerminalEntry["kind"],
    size: { columns: number; rows: number },
    onData: (bytes: Uint8Array) => void,
    onClose: (reason: string) => void,
  ): Promise<TerminalConnection | null>;
  /** Asks the guest's web server; for so many milliseconds again when nobody listens yet. */
  openPreview(path: string, patience?: number): Promise<void>;
  fetchGuest(path: string): Promise<GuestResponse | null>;
  unitLog(unit: string): Promise<string[]>;
  /** Lays a file in the machine. True when it is there. */
  putFile(path: string, bytes: Uint8Array): Promise<boolean>;
  /** A file of the machine, or null, which was said. */
  getFile(path: string): Promise<Uint8Array | null>;
}

export interface MachineHooks {
  /** A named step of activation: resolves when the guest may go on. */
  onStep(name: string, text: string): Promise<void>;
  /** A Nix command typed in the guest. */
  onShim: MachineListener["onShim"];
  onCurrent(topLevel: string): void;
  /** There is no machine any more. */
  onGone(): void;
  profileLinks(): Promise<[name: string, target: string][]>;
}

export function createMachining(context: Context, hooks: MachineHooks): MachineService {
  const { page, machine: host, store } = context;
  const logs = new Map<string, string[]>();
  const consoleListeners = new Set<(bytes: Uint8Array) => void>();
  const terminalEnds = new Set<(reason: string) => void>();
  let consoleText = "";
  let statsTimer: ReturnType<typeof setInterval> | undefined;
  let startedAt = 0;
  let terminals = 0;
  let booted: number | null = null;
  /** Boots begun: one that was left for another says nothing any more. */
  let boots = 0;
  /** A machine is on that no boot has taken yet. */
  let standby = false;

  const set = (change: Partial<MachineState>) => patch(page, "machine", change);

  const gone = (phase: MachineState["phase"], error: string | null, reason: string) => {
    clearInterval(statsTimer);
    standby = false;
    for (const end of terminalEnds) end(reason);
    terminalEnds.clear();
    booted = null;
    set({ phase, error, generation: null, units: [], stats: null, progress: { text: "", fraction: null } });
    page.setState((state) => ({
      terminals: [],
      preview: { ...state.preview, loading: false, status: null, text: null, error: null },
    }));
    void store.api.setRoot("run/booted-system", null).catch(() => undefined);
    void store.api.setRoot("run/current-system", null).catch(() => undefined);
    hooks.onGone();
  };

  /** Resolves when the machine does not stop any more, because it is off. */
  const stopped = () =>
    new Promise<void>((resolve) => {
      const forget = page.subscribe(({ machine }) => {
        if (machine.phase === "stopping") return;
        forget();
        resolve();
      });
    });

  const onEvent = (event: MachineEvent) => {
    switch (event.kind) {
      case "phase":
        return set({ progress: { text: event.text, fraction: event.progress } });
      case "unit":
        return set({ units: mergeUnit(page.getState().machine.units, event.unit) });
      case "current":
        set({ topLevel: event.topLevel, hostName: hostNameOf(event.topLevel) });
        return hooks.onCurrent(event.topLevel);
      case "log": {
        const lines = logs.get(event.unit) ?? [];
        lines.push(event.text);
        if (lines.length > 1000) lines.splice(0, 200);
        logs.set(event.unit, lines);
        return;
      }
      case "console": {
        consoleText = (consoleText + event.text).slice(-CONSOLE_LIMIT);
        const bytes = new TextEncoder().encode(event.text);
        for (const listener of consoleListeners) listener(bytes);
        return;
      }
      case "storage":
        if (event.full) {
          notify(page, "quota", "The machine's disk is full.", {
            detail: "The guest was told ENOSPC; what it had written before is safe.",
          });
        }
        return;
      case "power":
        return onPower(event);
    }
  };

  const onPower = (event: Extract<MachineEvent, { kind: "power" }>) => {
    if (event.state === "stopping")
      return set({ phase: "stopping", progress: { text: event.text ?? "Stopping", fraction: null } });
    if (event.state !== "off") return;
    host.terminate();
    if (event.reason === "reboot") {
      gone("off", null, "The machine restarts.");
      void rebootHook?.();
    } else if (event.reason === "crashed" || event.reason === "boot-failed") {
      gone("failed", event.text ?? "The machine stopped.", "The machine stopped.");
    } else gone("off", null, "The machine is off.");
  };
  let rebootHook: (() => Promise<unknown>) | undefined;

  const watchStats = () => {
    clearInterval(statsTimer);
    statsTimer = setInterval(() => {
      const api = host.api();
      if (api === null || document.hidden) return;
      void api
        .stats()
        .then(({ memory, ninep, instructionsPerSecond }) => {
          const filesRead = Object.values(ninep.requests).reduce((sum, count) => sum + count, 0);
          set({
            stats: {
              memoryUsed: memory.used,
              memoryTotal: memory.total,
              filesRead,
              bytesRead: ninep.bytesRead,
              instructionsPerSecond,
              uptimeMs: Date.now() - startedAt,
            },
          });
        })
        .catch(() => undefined);
    }, STATS_INTERVAL);
  };

  const open = () =>
    host.open(page.getState().workspace.id, {
      onEvent,
      onStep: ({ name, text }) => hooks.onStep(name, text),
      onShim: hooks.onShim,
    });

  /** Asks the guest for a path of the port that the configuration serves, or for `:PORT/PATH`. */
  const ask = (address: string) => {
    const [, port, path = "/"] = /^(?::(\d+))?(.*)$/.exec(address) ?? [];
    return askGuest(service, Number(port ?? page.getState().evaluation.result?.web?.port ?? 80), path);
  };

  /** Whether there is nothing to wait for: the web server's unit has given up. */
  const webFailed = () => {
    const { machine, evaluation } = page.getState();
    const unit = evaluation.result?.web?.unit.replace(/\.service$/, "");
    return machine.units.some(({ name, active }) => active === "failed" && name === `${unit}.service`);
  };

  const service: MachineService = {
    api: () => (page.getState().machine.phase === "running" ? host.api() : null),
    booted: () => booted,

    async prepare() {
      if (host.api() !== null || page.getState().machine.phase !== "off") return;
      standby = true;
      // The boot that needs it meets the same error, and tells.
      await open()
        .then((api) => api.start())
        .catch(() => undefined);
    },

    async boot(topLevel, generation) {
      if (page.getState().machine.phase === "booting") return false;
      if (host.api() !== null && !standby) {
        host.terminate();
        gone("off", null, "The machine starts anew.");
      }
      standby = false;
      const attempt = ++boots;
      const started = performance.now();
      consoleText = "";
      logs.clear();
      booted = generation;
      set({
        phase: "booting",
        topLevel,
        generation,
        hostName: hostNameOf(topLevel),
        error: null,
        units: [],
        progress: { text: "Starting", fraction: 0 },
      });
      rebootHook = async () => service.boot(topLevel, generation);
      try {
        const api = await open();
        set({ driver: host.driver() });
        await store.api.setRoot("run/booted-system", topLevel);
        await store.api.setRoot("run/current-system", topLevel);
        const links = await hooks.profileLinks();
        const request = { topLevel, profiles: [{ profile: "system", links }] };
        const { degraded } = await Promise.race([api.boot(request), host.ended()]);
        if (attempt !== boots) return false;
        startedAt = Date.now();
        set({
          phase: "running",
          progress: { text: degraded ? "Running, but a service failed" : "Running", fraction: 1 },
        });
        measure("boot", started);
        watchStats();
        return true;
      } catch (error) {
        if (attempt !== boots || page.getState().machine.phase !== "booting") return false;
        if (error instanceof ElsewhereError) {
          booted = null;
          set({ phase: "off", topLevel: null, generation: null, progress: { text: "", fraction: null } });
          notify(page, "other-tab", error.message, {
            detail: "Everything is kept for both. Close that tab, or shut its machine down, to start it here.",
          });
          return false;
        }
        host.terminate();
        gone("failed", bootFailure(error), "The machine did not start.");
        return false;
      }
    },

    async powerOff() {
      const api = service.api();
      if (api === null) return;
      set({ phase: "stopping", progress: { text: "Stopping services", fraction: null } });
      // A machine that is off ends its worker, which then answers nothing more.
      await Promise.race([api.poweroff().catch(() => undefined), stopped()]);
      host.terminate();
      if (page.getState().machine.phase === "stopping") gone("off", null, "The machine is off.");
    },

    async leave() {
      await service.powerOff();
      if (host.terminate()) gone("off", null, "The machine is off.");
    },

    cut() {
      const seen = !standby;
      standby = false;
      if (!host.terminate() || !seen) return false;
      gone("cut", null, "The plug was pulled.");
      return true;
    },

    async openTerminal(kind, size, onData, onClose) {
      const id = `${kind}-${++terminals}`;
      const title = kind === "console" ? "Console" : "Shell";
      const add = () => page.setState((state) => ({ terminals: [...state.terminals, { id, title, kind }] }));
      const remove = () =>
        page.setState((state) => ({ terminals: state.terminals.filter((entry) => entry.id !== id) }));
      if (kind === "console") {
        onData(new TextEncoder().encode(consoleText));
        consoleListeners.add(onData);
        add();
        return {
          write: () => undefined,
          resize: () => undefined,
          close: () => {
            consoleListeners.delete(onData);
            remove();
          },
        };
      }
      const api = service.api();
      if (api === null) return null;
      const closed = (reason: string) => {
        terminalEnds.delete(closed);
        remove();
        onClose(reason);
      };
      const stream = await guarded(page, "No terminal could be opened.", () =>
        api.openStream(
          { argv: [], terminal: size },
          proxy((event) => (event.kind === "exit" ? closed("The shell ended.") : onData(event.bytes))),
        ),
      );
      if (stream === null) return null;
      terminalEnds.add(closed);
      add();
      return {
        write: (bytes) => void api.writeStream(stream, bytes).catch(() => undefined),
        resize: (columns, rows) => void api.resizeStream(stream, columns, rows).catch(() => undefined),
        close: () => {
          terminalEnds.delete(closed);
          remove();
          void api.signalStream(stream, 1).catch(() => undefined);
        },
      };
    },

    async openPreview(path, patience = 0) {
      patch(page, "preview", { path, loading: true });
      const until = performance.now() + patience;
      let answer = await ask(path);
      while ("error" in answer && performance.now() < until && service.api() !== null && !webFailed()) {
        // What was shown is there no more.
        patch(page, "preview", { status: null, text: null, error: null });
        await new Promise((resolve) => setTimeout(resolve, RETRY_DELAY));
        answer = await ask(path);
      }
      const { revision } = page.getState().preview;
      if ("error" in answer) {
        return patch(page, "preview", {
          loading: false,
          status: null,
          text: null,
          error: answer.error,
          revision: revision + 1,
        });
      }
      const { status, contentType, body } = answer;
      patch(page, "preview", {
        loading: false,
        status,
        contentType,
        text: new TextDecoder().decode(body),
        error: null,
        revision: revision + 1,
      });
    },

    async fetchGuest(path) {
      const answer = await ask(path);
      return "error" in answer ? null : answer;
    },

    async putFile(path, bytes) {
      const done = await guarded(page, `${path} could not be written.`, async () => {
        await host.api()?.writeFile(path, bytes);
        return true;
      });
      return done ?? false;
    },

    getFile: (path) =>
      guarded(page, `${path} could not be read.`, async () => (await host.api()?.readFile(path)) ?? null),

    async unitLog(unit) {
      const api = service.api();
      if (api === null) return logs.get(unit) ?? [];
      const answer = await api.exec({ argv: ["journalctl", "--no-pager", "-u", unit, "-n", "200"] }).catch(() => null);
      return answer === null ? (logs.get(unit) ?? []) : new TextDecoder().decode(answer.stdout).split("\n");
    },
  };
  return service;
}

/** The host name in a top level's own name, "nixos-system-moss-26.05". */
const hostNameOf = (topLevel: string): string | null => /-nixos-system-(.+?)-\d/.exec(topLevel)?.[1] ?? null;

function mergeUnit(units: readonly UnitState[], unit: import("#workers/machine/types.ts").UnitState): UnitState[] {
  const known = units.find(({ name }) => name === unit.name);
  const active = unit.active === "reloading" ? "active" : (unit.active as UnitState["active"]);
  const merged: UnitState = {
    name: unit.name,
    description: known?.description ?? "",
    load: unit.load,
    active,
    sub: unit.sub,
  };
  return [...units.filter(({ name }) => name !== unit.name), merged].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function bootFailure(error: unknown): string {
  if (codeOf(error) === "in-use") return "Another tab runs this workspace's machine. Close it there, then boot here.";
  return messageOf(error);
}

async function askGuest(
  service: MachineService,
  port: number,
  path: string,
): Promise<GuestResponse | { error: string }> {
  const api = service.api();
  if (api === null) return { error: "The machine is not running." };
  const started = performance.now();
  try {
    const { status, statusText, headers, body } = await api.http({ port, path });
    const contentType = headers.find(([name]) => name === "content-type")?.[1] ?? "application/octet-stream";
    return { status, reason: statusText, contentType, body, ms: Math.round(performance.now() - started) };
  } catch (error) {
    return { error: codeOf(error) === "refused" ? `Nothing answers on port ${port}.` : messageOf(error) };
  }
}
