/** The page's console and the guest's Nix commands: the same command records, run in the store worker. */
import type { MachineListener } from "#workers/api.ts";
import { proxy } from "#workers/client.ts";
import type { ConsoleEntry } from "../model.ts";
import { type Context, messageOf } from "./context.ts";
import type { MachineService } from "./machining.ts";
import type { SwitchService } from "./switching.ts";

const KEPT_ENTRIES = 200;

/** Splits a line as a shell does: blanks, quotes, backslashes; no expansion. Null while a quote is open. */
export function splitLine(line: string): string[] | null {
  const words: string[] = [];
  let word: string | null = null;
  let quote: string | null = null;
  for (let at = 0; at < line.length; at++) {
    const char = line[at];
    if (quote !== null) {
      if (char === quote) quote = null;
      else if (char === "\\" && quote === '"' && at + 1 < line.length && '"\\$`'.includes(line[at + 1]))
        word += line[++at];
      else word += char;
    } else if (char === "'" || char === '"') {
      quote = char;
      word ??= "";
    } else if (char === "\\" && at + 1 < line.length) {
      word = (word ?? "") + line[++at];
    } else if (/\s/.test(char)) {
      if (word !== null) words.push(word);
      word = null;
    } else {
      word = (word ?? "") + char;
    }
  }
  if (quote !== null) return null;
  return word === null ? words : [...words, word];
}

export function createConsole(context: Context, switching: SwitchService) {
  const { page, store } = context;
  let next = 0;

  const update = (id: number, change: (entry: ConsoleEntry) => ConsoleEntry) =>
    page.setState((state) => ({ console: state.console.map((entry) => (entry.id === id ? change(entry) : entry)) }));

  return {
    async runCommand(line: string) {
      const id = ++next;
      const entry: ConsoleEntry = { id, command: line, output: [], exitCode: null };
      page.setState((state) => ({ console: [...state.console, entry].slice(-KEPT_ENTRIES) }));
      const write = (stream: "out" | "err") => (text: string) =>
        update(id, (old) => ({ ...old, output: [...old.output, { stream, text }] }));
      const argv = splitLine(line);
      if (argv === null || argv.length === 0) {
        write("err")(argv === null ? "A quote is still open.\n" : "");
        return update(id, (old) => ({ ...old, exitCode: argv === null ? 2 : 0 }));
      }
      try {
        const services = proxy(switching.services(write("out"), write("err")));
        const exitCode = await store.api.run(argv, services);
        update(id, (old) => ({ ...old, exitCode }));
      } catch (error) {
        write("err")(`error: ${messageOf(error)}\n`);
        update(id, (old) => ({ ...old, exitCode: 1 }));
      }
      await switching.refreshGenerations().catch(() => undefined);
    },
    async completeCommand(line: string): Promise<string[]> {
      const words = line.split(/\s+/);
      const last = words.at(-1) ?? "";
      if (words.length === 1)
        return (await store.api.commands()).map(({ name }) => name).filter((name) => name.startsWith(last));
      const files = page.getState().workspace.files.map(({ path }) => `./${path}`);
      const paths = page.getState().closure.paths.map(({ path }) => path);
      return last === "" ? files : [...files, ...paths].filter((word) => word.startsWith(last)).slice(0, 50);
    },
    clearConsole: () => page.setState({ console: [] }),
  };
}

/** Runs what was typed in the guest; its output goes back as it comes, in order. */
export function createShim(
  context: Context,
  switching: SwitchService,
  machining: () => MachineService,
): MachineListener["onShim"] {
  const { store } = context;
  return async (call) => {
    const api = machining().api();
    if (api === null) return 1;
    let written: Promise<unknown> = Promise.resolve();
    const write = (output: "stdout" | "stderr") => (text: string) => {
      const bytes = new TextEncoder().encode(text);
      written = written.then(() => api.shimWrite(call.id, output, bytes)).catch(() => undefined);
    };
    const services = {
      ...switching.services(write("stdout"), write("stderr")),
      input: () => readAll(() => api.shimRead(call.id)),
      readFile: (path: string) => api.readFile(path).catch(() => null),
    };
    try {
      return await store.api.run(call.argv, proxy(services));
    } catch (error) {
      write("stderr")(`error: ${messageOf(error)}\n`);
      return 1;
    } finally {
      await written;
      await switching.refreshGenerations().catch(() => undefined);
    }
  };
}

async function readAll(read: () => Promise<Uint8Array>): Promise<string> {
  let text = "";
  for (let piece = await read(); piece.length > 0; piece = await read()) {
    for (let at = 0; at < piece.length; at += 8192) text += String.fromCharCode(...piece.subarray(at, at + 8192));
  }
  return text;
}
