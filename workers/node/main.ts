/**
 * The command line: `terrarium COMMAND ARGUMENTS…`, or the command by the name the program was started under.
 */
import path from "node:path";
import { bench } from "./bench.ts";
import { nixInstantiate } from "./nix-instantiate.ts";
import { storeCommands } from "./store-commands.ts";

type CommandLine = (argv: readonly string[]) => Promise<number>;

/** Commands by name; one line adds one. */
const commands: Readonly<Record<string, CommandLine>> = {
  ...storeCommands,
  "nix-instantiate": nixInstantiate,
  bench,
};

async function main(): Promise<number> {
  const called = path.basename(process.argv[1] ?? "");
  const args = process.argv.slice(2);
  const named = commands[called];
  if (named !== undefined) return named(args);
  const [name, ...rest] = args;
  const command = name === undefined ? undefined : commands[name];
  if (command !== undefined) return command(rest);
  process.stderr.write(`usage: terrarium COMMAND ARGUMENTS…\ncommands: ${Object.keys(commands).join(", ")}\n`);
  return 1;
}

process.exitCode = await main();
