/**
 * The repl of the page: lines to an evaluator of its own, so that stopping one of them does not disturb the editor's. A stopped line ends
 * its worker; the next line's first makes the names again that were there (they are lazy, so that costs nothing).
 */
import type { ReplOutcome } from "#workers/api.ts";
import { proxy } from "#workers/client.ts";
import type { Actions, ReplEntry } from "../model.ts";
import { type Context, filesOf, messageOf, patch } from "./context.ts";
import { Stopped } from "./evaluator-host.ts";
import type { SwitchService } from "./switching.ts";

export type ReplActions = Pick<Actions, "replLine" | "completeRepl" | "stopRepl" | "clearRepl">;

const KEPT_ENTRIES = 200;
/** Seconds after which a line is stopped. */
const LIMIT = 300;

/** Lines that make names: they are given again to a new worker. */
const MAKES_NAMES = /^\s*(:(l|load|lf|load-flake|a|add)\s|inherit\s|[a-zA-Z_][\w'-]*(\.[\w'-]+)*\s*=[^=])/;

export function createReplActions(context: Context, switching: SwitchService): ReplActions {
  const { page, replEvaluator, store } = context;
  let next = 0;
  let names: string[] = [];
  let isFresh = true;

  const update = (id: number, change: (entry: ReplEntry) => ReplEntry): void =>
    patch(page, "repl", {
      entries: page.getState().repl.entries.map((entry) => (entry.id === id ? change(entry) : entry)),
    });

  const files = () => filesOf(page.getState().workspace);
  const evaluate = (line: string): Promise<ReplOutcome> =>
    replEvaluator.request((api) => api.replLine(line, files()), LIMIT);

  /** Makes a new worker's names those that were there. */
  const restore = async (): Promise<void> => {
    if (!isFresh) return;
    isFresh = false;
    for (const line of names) await evaluate(line);
  };

  const write = (id: number) => (stream: "out" | "err") => (text: string) =>
    update(id, (entry) => ({ ...entry, output: [...entry.output, { stream, text }] }));

  /** What a line asks for beyond evaluation. */
  const follow = async (id: number, outcome: ReplOutcome): Promise<void> => {
    const { drvPath, items } = outcome;
    const print = write(id);
    if (outcome.next === "edit") return print("out")(`${outcome.file ?? ""}\n`);
    if (outcome.next === "shell") {
      return print("err")("error: an environment can be entered in the machine's terminal only\n");
    }
    if (drvPath === undefined) return;
    await store.api.register(items ?? []);
    const argv = {
      build: ["nix", "build", "--no-link", "--print-out-paths", `${drvPath}^*`],
      install: ["nix", "profile", "install", drvPath],
      log: ["nix", "log", drvPath],
    }[outcome.next as "build" | "install" | "log"];
    await store.api.run(argv, proxy(switching.services(print("out"), print("err"))));
    await switching.refreshGenerations().catch(() => undefined);
  };

  return {
    async replLine(line) {
      const { pending } = page.getState().repl;
      const id = ++next;
      const entry: ReplEntry = { id, input: line, continues: pending !== "", output: [] };
      const entries = [...page.getState().repl.entries, entry].slice(-KEPT_ENTRIES);
      patch(page, "repl", { entries, running: true });
      const whole = `${pending}${line}`;
      let rest = "";
      try {
        await restore();
        const outcome = await evaluate(whole);
        update(id, (old) => ({ ...old, output: [...outcome.output] }));
        if (outcome.next === "incomplete") rest = `${whole}\n`;
        else if (outcome.next === "quit") {
          names = [];
          isFresh = true;
          replEvaluator.stop();
          patch(page, "repl", { entries: [] });
        } else {
          const isError = outcome.output.some(({ stream, text }) => stream === "err" && text.startsWith("error:"));
          if (!isError && MAKES_NAMES.test(whole)) names.push(whole);
          await follow(id, outcome);
        }
      } catch (error) {
        if (error instanceof Stopped) isFresh = true;
        write(id)("err")(
          error instanceof Stopped ? "error: interrupted by the user\n" : `error: ${messageOf(error)}\n`,
        );
      }
      patch(page, "repl", { pending: rest, running: false });
    },
    async completeRepl(line) {
      if (page.getState().repl.running) return [];
      await restore();
      return replEvaluator.request((api) => api.completeRepl(line), LIMIT).catch(() => []);
    },
    async stopRepl() {
      if (page.getState().repl.running) replEvaluator.stop();
      else patch(page, "repl", { pending: "" });
    },
    async clearRepl() {
      patch(page, "repl", { entries: [] });
    },
  };
}
