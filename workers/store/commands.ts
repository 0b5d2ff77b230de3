/** What a command of engine/commands sees of the world when it runs in the page: the open store, and the page's services. */
import type { Builder, CancelSignal } from "#engine/build/builder.ts";
import type { Substituter } from "#engine/build/substituter.ts";
import {
  CommandError,
  type CommandContext,
  type CommandFiles,
  type EvaluationOutcome,
} from "#engine/commands/command.ts";
import { type ByteString, decodeUtf8, encodeUtf8, toBytes } from "#engine/store/format/bytes.ts";
import { regularFile } from "#engine/store/format/tree.ts";
import type { RootLink } from "#engine/store/gc.ts";
import type { Store } from "#engine/store/store.ts";
import type { CommandServices } from "../api.ts";
import { register } from "./adding.ts";
import { packageKeys } from "./package-cache.ts";

export interface CommandEnvironment {
  readonly store: Store;
  readonly services: CommandServices;
  readonly builder: Builder;
  readonly packages: Substituter;
  readonly signal: CancelSignal;
  readonly fetch: (url: string) => Promise<Uint8Array>;
  readonly extraRoots: () => readonly RootLink[];
}

export function commandContext(environment: CommandEnvironment): CommandContext {
  const { store, services, builder, packages, signal, extraRoots } = environment;
  return {
    store,
    files: commandFiles(environment),
    print: (text) => services.out(decodeUtf8(text)),
    error: (text) => services.err(decodeUtf8(text)),
    input: async () => toBytes(await services.input()),
    cwd: "/etc/nixos",
    env: () => undefined,
    now: () => Math.floor(Date.now() / 1000),
    localTime,
    random: (length) => crypto.getRandomValues(new Uint8Array(length)),
    signal,
    substituters: [packages],
    trustedKeys: packageKeys,
    builder,
    evaluate: (argv) => evaluate(environment, argv),
    extraRoots: async () => extraRoots(),
  };
}

function commandFiles({ store, services, extraRoots }: CommandEnvironment): CommandFiles {
  const refuse = (path: string) => {
    throw new CommandError(`cannot write '${path}': files are written in the editor or in the machine's own terminal`);
  };
  return {
    async readTree(path) {
      const bytes = await services.readFile(decodeUtf8(path));
      return bytes === null ? undefined : regularFile(bytes);
    },
    writeTree: async (path) => refuse(path),
    writeFile: async (path) => refuse(path),
    async readLink(path) {
      const root = [...store.roots(), ...extraRoots()].find(({ name }) => name === path);
      return root?.path;
    },
    // A link to a result is a root; there is no directory here for it to lie in.
    makeLink: (path, target) => store.addRoot(path, target),
  };
}

/** Runs a program of the language in the evaluator; what it instantiated is registered before the answer. */
async function evaluate(
  { store, services, fetch }: CommandEnvironment,
  argv: readonly ByteString[],
): Promise<EvaluationOutcome> {
  const { exitCode, stdout, stderr, items } = await services.evaluate(argv.map(decodeUtf8));
  services.err(stderr);
  await register(store, items, fetch);
  return { exitCode, stdout: encodeUtf8(stdout) };
}

/** "2026-01-31 23:59:59", in the visitor's own time zone. */
function localTime(seconds: number): string {
  const date = new Date(seconds * 1000);
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}
