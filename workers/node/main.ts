/**
 * The command line: `terrarium COMMAND ARGUMENTS…`, or the command by the name the program was started under. What a command needs is
 * loaded when it is asked for, because a program that evaluates one expression should not wait for the machine's code.
 */
import path from "node:path";
import v8 from "node:v8";
import { hasDeepStack, onDeepStack } from "./deep-stack.ts";

type CommandLine = (argv: readonly string[]) => Promise<number>;

/** Commands that do nothing but evaluate, each a module of its own: they run on a thread with a deep stack. */
const evaluating: Readonly<Record<string, () => Promise<CommandLine>>> = {
  "nix-instantiate": async () => (await import("./nix-instantiate.ts")).nixInstantiate,
  bench: async () => (await import("./bench.ts")).bench,
};

/**
 * How much of a function runs before V8 optimises it, in bytes of bytecode. A command ends soon, so most of what V8 would optimise by its
 * own measure (a third of this) is time lost; a benchmark is a long run.
 */
const INTERRUPT_BUDGET = 400_000;

/** Runs a command; undefined when there is none of that name. */
async function run(name: string, args: readonly string[]): Promise<number | undefined> {
  const program = evaluating[name];
  if (program !== undefined) return hasDeepStack() ? (await program())(args) : onDeepStack([name, ...args]);
  return (await import("./store-commands.ts")).storeCommands[name]?.(args);
}

async function main(): Promise<number> {
  const called = hasDeepStack() ? "terrarium" : path.basename(process.argv[1] ?? "", ".mjs");
  const [name, ...rest] = called === "terrarium" ? process.argv.slice(2) : [called, ...process.argv.slice(2)];
  if (name !== "bench") v8.setFlagsFromString(`--interrupt-budget=${INTERRUPT_BUDGET}`);
  const code = name === undefined ? undefined : await run(name, rest);
  if (code !== undefined) return code;
  const { storeCommands } = await import("./store-commands.ts");
  const names = [...Object.keys(storeCommands), ...Object.keys(evaluating)];
  process.stderr.write(`usage: terrarium COMMAND ARGUMENTS…\ncommands: ${names.join(", ")}\n`);
  return 1;
}

process.exitCode = await main();
