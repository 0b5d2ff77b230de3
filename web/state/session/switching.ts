/**
 * Switching and rolling back: every button runs the very command it shows, `nixos-rebuild`, in the store worker. The page only follows its
 * named steps, holds each one if the plug is to be pulled there, and says afterwards which generation it is and why.
 */
import type { CommandServices, ProfileRecord } from "#workers/api.ts";
import { proxy } from "#workers/client.ts";
import type { Generation, SwitchState, SwitchStep, Verdict, WorkFile } from "../model.ts";
import { switchSteps } from "../steps.ts";
import type { BuildService } from "./building.ts";
import { type Context, filesOf, guarded, measure, messageOf, notifyFull, patch, saysFull } from "./context.ts";
import type { EvaluationService } from "./evaluation.ts";
import type { MachineService } from "./machining.ts";

/** Thrown inside a command when the plug was pulled; the store worker knows it by its name. */
class PowerCut extends Error {
  override readonly name = "PowerCut";
  constructor() {
    super("the plug was pulled");
  }
}

export interface SwitchService {
  run(argv: readonly string[], action: SwitchState["action"], plugBefore: string | null): Promise<number | null>;
  /** A step that the guest announces. */
  step(name: string, text: string): Promise<void>;
  /** The plug was pulled by hand. */
  pulled(): Promise<void>;
  refreshGenerations(): Promise<void>;
  cancel(): void;
  /** The workspace is left: what is under way ends where it stands, as by a cut. */
  abandon(): void;
  /** What a command line needs of the page. */
  services(out: (text: string) => void, err: (text: string) => void): CommandServices;
}

export interface SwitchDependencies {
  readonly evaluation: EvaluationService;
  readonly building: BuildService;
  readonly machining: () => MachineService;
  readonly afterCut: () => Promise<void>;
}

const key = (workspace: string, number: number) => `snapshot/${workspace}/${number}`;

export function createSwitching(
  context: Context,
  { evaluation, building, machining, afterCut }: SwitchDependencies,
): SwitchService {
  const { page, store, evaluator } = context;
  let plug: string | null = null;
  let cutNow: (() => void) | null = null;
  let cuts = 0;

  const set = (change: Partial<SwitchState>) => patch(page, "switching", change);
  const steps = (change: (step: SwitchStep) => SwitchStep) =>
    set({ steps: page.getState().switching.steps.map(change) });
  const log = (text: string) =>
    set({ log: [...page.getState().switching.log, ...text.replace(/\n$/, "").split("\n")] });

  /** Marks a step as running and everything before it as done. */
  const reach = (name: string, text: string) => {
    const order = switchSteps.map(({ id }) => id);
    const at = order.indexOf(name);
    if (at < 0) return;
    steps((step) => {
      const position = order.indexOf(step.id);
      if (position < at && (step.state === "waiting" || step.state === "running")) {
        return { ...step, state: step.state === "running" ? "done" : "skipped" };
      }
      return step.id === name
        ? { ...step, state: name === "done" ? "done" : "running", text: text || step.text }
        : step;
    });
  };

  const step = async (name: string, text: string) => {
    if (page.getState().switching.phase !== "running") return;
    if (plug === name) {
      plug = null;
      await service.pulled();
      throw new PowerCut();
    }
    reach(name, text);
    // The arrow has moved when activation begins: show it at once.
    if (name === "stop-units") await refreshGenerations().catch(() => undefined);
  };

  /** The files a generation was made from are remembered beside it. */
  const remember = async (before: ProfileRecord) => {
    const { workspace } = page.getState();
    const profile = await store.api.profile();
    const made = profile.generations.filter(({ number }) => !before.generations.some((old) => old.number === number));
    for (const { number } of made) await store.api.putRecord(key(workspace.id, number), workspace.files);
  };

  const refreshGenerations = async () => {
    const { workspace } = page.getState();
    const profile = await store.api.profile();
    const snapshots = new Map(await store.api.records(`snapshot/${workspace.id}/`));
    const { machine } = page.getState();
    const running = machine.phase === "running" || machine.phase === "booting" ? machine.topLevel : null;
    const numbers = profile.generations.filter(({ path }) => path === running).map(({ number }) => number);
    const runs = numbers.includes(profile.current ?? 0) ? profile.current : (numbers[0] ?? null);
    patch(page, "machine", { generation: runs });
    const list = profile.generations.map((record): Generation => ({
      number: record.number,
      date: record.created * 1000,
      label: record.label,
      outPath: record.path,
      booted: running !== null && record.number === machining().booted(),
      current: record.number === runs,
      isDefault: record.number === profile.current,
      note: record.note,
      pinned: record.pinned,
      files: (snapshots.get(key(workspace.id, record.number)) as WorkFile[] | undefined) ?? null,
    }));
    const unsaved = running !== null && runs === null ? { outPath: running } : null;
    patch(page, "generations", { list, runningUnsaved: unsaved });
  };

  const activate = async (topLevel: string, action: string): Promise<number> => {
    const api = machining().api();
    if (api === null) return action === "boot" ? 0 : await bootInstead(topLevel);
    const links = [...(await store.api.profile()).links].map(([name, target]): [string, string] => [name, target]);
    await api.setProfileLinks({ profile: "system", links });
    await api.storeChanged();
    return new Promise<number>((resolve, reject) => {
      cutNow = () => reject(new PowerCut());
      api
        .openStream(
          { argv: [`${topLevel}/bin/switch-to-configuration`, action], env: { NIXOS_INSTALL_BOOTLOADER: "0" } },
          proxy((event) => {
            if (event.kind === "exit") resolve(event.status.code);
            else log(new TextDecoder().decode(event.bytes));
          }),
        )
        .catch(reject);
    });
  };

  /** Without a running machine, switching means that the new generation is what boots. */
  const bootInstead = async (topLevel: string): Promise<number> => {
    const profile = await store.api.profile();
    return (await machining().boot(topLevel, profile.current)) ? 0 : 1;
  };

  /** The store worker's side of a switch goes on until it asks again: what began before a cut must not move the arrow after it. */
  const sinceNow = () => {
    const began = cuts;
    const goOn = () => {
      if (cuts !== began) throw new PowerCut();
    };
    return {
      async step(name: string) {
        goOn();
        await step(name, "");
      },
      async activate(topLevel: string, action: string) {
        goOn();
        return activate(topLevel, action);
      },
    };
  };

  const service: SwitchService = {
    refreshGenerations,
    step,
    services: (out, err) => ({
      out,
      err,
      async evaluateSystem() {
        const outcome = await evaluation.settled();
        if (outcome === null)
          return { ok: false, text: page.getState().evaluation.failure ?? "The evaluation was stopped." };
        if (!outcome.ok) return { ok: false, text: outcome.problems.map(({ text }) => text).join("\n") };
        const items = await evaluator.instantiation(outcome.drvPath);
        return { ok: true, drvPath: outcome.drvPath, label: outcome.summary.label, items };
      },
      evaluate: (argv) =>
        evaluator.run(argv, filesOf(page.getState().workspace), page.getState().ui.settings.evaluationLimit),
      ...sinceNow(),
      realising: building.onEvent,
      input: async () => "",
      async readFile(path) {
        const file = page.getState().workspace.files.find((one) => `/etc/nixos/${one.path}` === path);
        return file === undefined ? null : new TextEncoder().encode(file.text);
      },
    }),

    async run(argv, action, plugBefore) {
      if (page.getState().switching.phase === "running") return null;
      const started = performance.now();
      const before = await store.api.profile();
      const { id } = page.getState().workspace;
      const left = () => page.getState().workspace.id !== id;
      const command = ["nixos-rebuild", ...argv].join(" ");
      const goesBack = action === "rollback" || action === "switch-generation";
      plug = plugBefore;
      page.setState({ verdict: null });
      set({
        phase: "running",
        action,
        command,
        steps: switchSteps
          .filter(({ id }) => !goesBack || (id !== "build" && id !== "register"))
          .map(({ id, meaning }) => ({ id, state: "waiting", text: meaning })),
        log: [`$ ${command}`],
        exitCode: null,
        failedUnits: [],
      });
      if (!goesBack) building.begin(command);
      try {
        const exitCode = await store.api.run(["nixos-rebuild", ...argv], proxy(service.services(log, log)));
        if (left()) return null;
        await remember(before);
        await finish(exitCode, before, action);
        measure("switch", started);
        return exitCode;
      } catch (error) {
        if (page.getState().switching.phase === "running" && !left()) {
          set({ phase: "failed", exitCode: 1 });
          log(`error: ${messageOf(error)}`);
          if (page.getState().build.phase === "running") building.finish({ error: messageOf(error), cancelled: false });
        }
        return null;
      } finally {
        cutNow = null;
        plug = null;
        if (!left()) {
          if (saysFull(page.getState().switching.log)) notifyFull(page);
          await remember(before).catch(() => undefined);
          await guarded(page, "The generations could not be read.", refreshGenerations);
        }
      }
    },

    async pulled() {
      const wasSwitching = page.getState().switching.phase === "running";
      cuts++;
      machining().cut();
      if (wasSwitching) {
        steps((one) => (one.state === "running" || one.state === "waiting" ? { ...one, state: "cut" } : one));
        set({ phase: "cut" });
        if (page.getState().build.phase === "running") {
          building.cancel();
          building.finish({ error: "The plug was pulled.", cancelled: true });
        }
      }
      cutNow?.();
      await afterCut();
    },

    cancel() {
      building.cancel();
    },

    abandon() {
      plug = null;
      if (page.getState().switching.phase !== "running") return;
      set({ phase: "cut" });
      building.cancel();
      cutNow?.();
    },
  };

  const finish = async (exitCode: number, before: ProfileRecord, action: SwitchState["action"]) => {
    const { build, machine } = page.getState();
    if (build.phase === "running") {
      const failed = build.steps.find((one) => one.state === "failed");
      const outPath = (await store.api.profile()).generations.at(-1)?.path ?? "";
      building.finish(
        failed || exitCode === 1 ? { error: failed?.log.at(-1) ?? lastError(), cancelled: false } : { outPath },
      );
    }
    if (exitCode === 0) {
      steps((one) =>
        one.state === "waiting"
          ? { ...one, state: "skipped" }
          : one.state === "running"
            ? { ...one, state: "done" }
            : one,
      );
    } else steps((one) => (one.state === "running" ? { ...one, state: "failed" } : one));
    const failedUnits = machine.units.filter(({ active }) => active === "failed").map(({ name }) => name);
    set({ phase: exitCode === 0 ? "done" : "failed", exitCode, failedUnits: exitCode === 4 ? failedUnits : [] });
    await refreshGenerations();
    page.setState({ verdict: await verdict(exitCode, before, action, failedUnits) });
  };

  const lastError = () =>
    page.getState().switching.log.findLast((line) => line.startsWith("error:")) ?? "The build failed.";

  const verdict = async (
    exitCode: number,
    before: ProfileRecord,
    action: SwitchState["action"],
    failedUnits: readonly string[],
  ): Promise<Verdict | null> => {
    const profile = await store.api.profile();
    const now = profile.generations.find(({ number }) => number === profile.current);
    if (exitCode === 4) {
      const what = failedUnits.length > 0 ? failedUnits.join(", ") : "A service";
      return {
        tone: "bad",
        text: `Generation ${now?.number} is in place, but ${what} failed.`,
        detail: "Roll back brings the previous one.",
      };
    }
    if (exitCode !== 0) {
      return { tone: "bad", text: "Nothing was switched: the machine is as it was.", detail: null };
    }
    switch (action) {
      case "rollback":
      case "switch-generation":
        return {
          tone: "good",
          text: `Back on generation ${now?.number}: the same store path as before.`,
          detail: "Nothing was rebuilt. That is why it was instant.",
        };
      case "switch":
        return before.current === profile.current
          ? { tone: "plain", text: `Still generation ${now?.number}: nothing changed.`, detail: null }
          : {
              tone: "good",
              text: `Generation ${now?.number} runs.`,
              detail: before.current === null ? null : "Only the arrow moved; the one before is still there.",
            };
      case "boot":
        return { tone: "good", text: `Generation ${now?.number} starts at the next boot.`, detail: null };
      case "test":
        return { tone: "plain", text: "This runs until the next boot; no generation was made.", detail: null };
      default:
        return null;
    }
  };

  return service;
}
