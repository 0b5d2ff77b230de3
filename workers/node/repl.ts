/** `nix repl` on a terminal or a pipe: lines to the engine's own, builds and logs to the commands that make and show them. */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import readline from "node:readline";
import type { CommandContext } from "#engine/commands/command.ts";
import { nix } from "#engine/commands/nix.ts";
import { makeRoot } from "#engine/commands/nix-build.ts";
import { REPL_BANNER, type Repl, type ReplAnswer, createRepl } from "#engine/commands/repl.ts";
import { realiseDerivationOutputs } from "#engine/commands/nix-store-realise.ts";
import { guard } from "#engine/commands/support.ts";
import { NixError } from "#engine/eval/error.ts";
import { reportError } from "#engine/eval/report.ts";
import { type LanguageHost, nodeWorld, toByteString } from "./language.ts";

/** Runs until `:q` or the end of the input. */
export async function runRepl(argv: readonly string[], host: LanguageHost, context: CommandContext): Promise<number> {
  let repl: Repl | undefined;
  const isTerminal = process.stdin.isTTY === true;
  const lines = readline.createInterface({
    input: process.stdin,
    ...(isTerminal
      ? {
          output: process.stdout,
          history: readHistory(),
          historySize: KEPT_LINES,
          removeHistoryDuplicates: true,
          completer: (line: string) => (repl === undefined ? [[], line] : completions(repl, line)),
        }
      : {}),
  });
  const ask = (prompt: string): void => {
    lines.setPrompt(prompt);
    if (isTerminal) lines.prompt();
    else host.print(prompt);
  };
  const echo = (line: string): void => host.print(isTerminal ? "" : `${line}\n`);
  // While a line is evaluated nothing else runs here: the terminal itself has to end the program then.
  const raw = (isRaw: boolean): void => void (isTerminal && process.stdin.setRawMode(isRaw));
  const typed = async function* (): AsyncGenerator<string> {
    for await (const line of lines) {
      raw(false);
      yield toByteString(line);
      raw(true);
    }
  };
  if (isTerminal) {
    process.removeAllListeners("SIGINT");
    lines.on("history", writeHistory);
    lines.on("SIGINT", () => {
      host.print("^C\n");
      lines.write(null, { ctrl: true, name: "e" });
      lines.write(null, { ctrl: true, name: "u" });
      lines.prompt();
    });
  }
  return converse(argv, host, context, { lines: typed(), ask, echo, onStart: (started) => (repl = started) }).finally(
    () => lines.close(),
  );
}

const KEPT_LINES = 1000;

function historyFile(): string {
  const data = process.env["XDG_DATA_HOME"] ?? path.join(os.homedir(), ".local/share");
  return path.join(data, "terrarium/repl-history");
}

/** Lines of earlier sessions, the newest first. */
function readHistory(): string[] {
  const file = historyFile();
  if (!fs.existsSync(file)) return [];
  return fs.readFileSync(file, "utf8").split("\n").filter(Boolean).reverse();
}

function writeHistory(newestFirst: readonly string[]): void {
  fs.mkdirSync(path.dirname(historyFile()), { recursive: true });
  fs.writeFileSync(historyFile(), `${[...newestFirst].reverse().join("\n")}\n`);
}

/** Where lines come from, and what stands before and after them. */
export interface Conversation {
  readonly lines: AsyncIterable<string>;
  readonly ask: (prompt: string) => void;
  readonly echo: (line: string) => void;
  readonly onStart?: (repl: Repl) => void;
}

/** A repl over lines from anywhere, byte strings all; gives the exit code. */
export async function converse(
  argv: readonly string[],
  host: LanguageHost,
  context: CommandContext,
  { lines, ask, echo, onStart }: Conversation,
): Promise<number> {
  const { world, settle } = nodeWorld(host, () => false);
  let repl: Repl;
  try {
    repl = createRepl(argv, world);
  } catch (thrown) {
    if (!(thrown instanceof NixError)) throw thrown;
    host.error(reportError(thrown));
    return thrown.status;
  }
  onStart?.(repl);
  host.error(REPL_BANNER);
  if ((await settle(() => repl.start()))?.kind !== "done") return 1;
  let before = "";
  ask(PROMPT);
  for await (const line of lines) {
    echo(line);
    const text = `${before}${line}`;
    const answer = await settle(() => repl.line(text));
    if (answer?.kind === "quit") return 0;
    before = answer?.kind === "incomplete" ? `${text}\n` : "";
    if (answer !== undefined) await follow(answer, context);
    if (answer?.kind === "edit") await settle(() => repl.line(":r"));
    if (before === "") host.print("\n");
    ask(before === "" ? PROMPT : CONTINUED);
  }
  host.print("\n");
  return 0;
}

const PROMPT = "nix-repl> ";
const CONTINUED = "        > ";

function completions(repl: Repl, line: string): [string[], string] {
  const found = repl.complete(toByteString(line));
  const word = /^\s*:\S*$/.test(line) ? line.trim() : /[^\s()[\]{};:,+*/=!<>&|?"']*$/.exec(line)![0];
  return [found, word];
}

/** Does what a line asked for besides evaluation. */
async function follow(answer: ReplAnswer, context: CommandContext): Promise<void> {
  switch (answer.kind) {
    case "build":
    case "build-link":
      await guard("nix", context, () => build(answer.drvPath, answer.kind === "build-link", context));
      return;
    case "log":
      await nix.run(["log", answer.drvPath], context);
      context.print("\n");
      return;
    case "install":
      await nix.run(["profile", "install", answer.drvPath], context);
      return;
    case "edit":
      edit(Buffer.from(answer.file, "latin1").toString(), answer.line);
  }
}

/** Opens a file in $EDITOR, at a line where the editor is known to take one. */
function edit(file: string, line: number): void {
  const [program = "cat", ...flags] = (process.env["EDITOR"] ?? "cat").split(/\s+/);
  const takesLine = /emacs|nano|vim|kak/.test(program);
  spawnSync(program, [...flags, ...(takesLine ? [`+${line}`] : []), file], { stdio: "inherit" });
}

async function build(drvPath: string, link: boolean, context: CommandContext): Promise<number> {
  const outputs = await realiseDerivationOutputs(context, drvPath);
  context.print("\nThis derivation produced the following outputs:\n");
  for (const [name, path] of outputs) {
    if (link) await makeRoot(context, `repl-result-${name}`, path);
    context.print(`  ${link ? `./repl-result-${name}` : name} -> ${path}\n`);
  }
  return 0;
}
