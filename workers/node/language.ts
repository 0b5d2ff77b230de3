/**
 * The programs of the language on Node: the engine's own over real files and a real store. What an evaluation lacks (a build, a
 * download) is brought between two attempts at it.
 */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { BuildError } from "#engine/build/builder.ts";
import { realise } from "#engine/build/realise.ts";
import type { CommandContext } from "#engine/commands/command.ts";
import { type LanguageWorld, newLanguageSession, runLanguage } from "#engine/commands/language.ts";
import { IoError, NeedsIO, type IoRequest } from "#engine/eval/io.ts";
import { NixError } from "#engine/eval/error.ts";
import type { Addition } from "#engine/eval/pending-writes.ts";
import type { Settings } from "#engine/eval/settings.ts";
import { StoreError } from "#engine/store/error.ts";
import type { StorePath } from "#engine/store/format/store-path.ts";
import type { Store } from "#engine/store/store.ts";
import { DEEP_STACK_DEPTH, hasDeepStack } from "./deep-stack.ts";
import { NodeIo } from "./io.ts";
import { fetchInput } from "./fetch-input.ts";

/** A process argument or variable as a byte string. */
export const toByteString = (text: string): string => Buffer.from(text, "utf8").toString("latin1");

export const environment = (name: string): string | undefined => {
  const value = process.env[name];
  return value === undefined ? undefined : toByteString(value);
};

/** Settings of this host: Node's first stack holds about twice what a browser worker's does. */
export const hostSettings = (): Partial<Settings> => ({
  directDepth: hasDeepStack() ? DEEP_STACK_DEPTH : 800,
  system: process.arch === "arm64" ? "aarch64-linux" : process.arch === "ia32" ? "i686-linux" : "x86_64-linux",
});

/** Where a program runs: its store (none: paths are computed, nothing is written) and what it may realise with. */
export interface LanguageHost {
  readonly storeDir: string;
  readonly store: Store | undefined;
  /** The directory that holds the store's files; undefined for a store without files. */
  readonly root: string | undefined;
  /** Where relative paths start, if not in the process's own directory. */
  readonly cwd?: string;
  readonly print: (text: string) => void;
  readonly error: (text: string) => void;
  /** What import from derivation needs besides the store. */
  readonly context: () => Promise<CommandContext>;
}

/** A world for an evaluation on this host, and how what it lacks is brought. */
export interface NodeWorld {
  readonly world: LanguageWorld;
  /** Runs an evaluation to its end; gives its result, or undefined when something it needs cannot be had (which is told). */
  settle<T>(attempt: () => T): Promise<T | undefined>;
}

export function nodeWorld(host: LanguageHost, readOnly: () => boolean): NodeWorld {
  const { store, storeDir, root } = host;
  const io = new NodeIo({
    storeDir,
    root,
    readOnly,
    info: (path) => store?.info(path),
    env: environment,
    log: (line) => host.error(`${line}\n`),
  });
  const world: LanguageWorld = {
    io,
    cwd: host.cwd ?? toByteString(process.cwd()),
    env: environment,
    stdin: () => fs.readFileSync(0, "latin1"),
    settings: hostSettings(),
    print: host.print,
    error: host.error,
    writeFile,
    trackFile,
    cloneRepository,
  };
  return {
    world,
    async settle(attempt) {
      for (;;) {
        try {
          const result = attempt();
          if (store !== undefined && !readOnly()) await writeAdditions(store, io.writes.take());
          return result;
        } catch (thrown) {
          if (!(thrown instanceof NeedsIO)) throw thrown;
          const problem = await fulfil(thrown.request, host, io);
          if (problem === undefined) continue;
          host.error(`error: ${problem.replaceAll("\n", "\n       ")}\n`);
          return undefined;
        }
      }
    },
  };
}

/** Runs one program of the language; gives its exit code. */
export async function runOnNode(argv: readonly string[], host: LanguageHost): Promise<number> {
  const session = newLanguageSession();
  const { world, settle } = nodeWorld(host, () => session.evaluator?.settings.readOnly ?? true);
  const roots = new Map<string, string>();
  const rooted = { ...world, addRoot: (link: string, target: string) => void roots.set(link, target) };
  const status = (await settle(() => runLanguage(argv, argv[0] === "nix-instantiate" ? rooted : world, session))) ?? 1;
  for (const [link, target] of roots) await makeRoot(link, target, host);
  return status;
}

/** A link that keeps its target from the garbage collector. */
async function makeRoot(link: string, target: string, { store }: LanguageHost): Promise<void> {
  const place = Buffer.from(link, "latin1");
  fs.mkdirSync(path.dirname(place.toString("latin1")), { recursive: true });
  if (fs.lstatSync(place, { throwIfNoEntry: false })?.isSymbolicLink() === true) fs.unlinkSync(place);
  fs.symlinkSync(Buffer.from(target, "latin1"), place);
  await store?.addRoot(link, target as StorePath);
}

function writeFile(path: string, contents: string, executable = false): void {
  const place = Buffer.from(path, "latin1");
  fs.mkdirSync(Buffer.from(path.slice(0, path.lastIndexOf("/")) || "/", "latin1"), { recursive: true });
  fs.writeFileSync(place, Buffer.from(contents, "latin1"), { mode: executable ? 0o777 : 0o666 });
}

/** Adds the name of a new file to a repository's index (what Git is told to ignore stays as it is), and commits it if asked. */
function trackFile(repository: string, name: string, message: string | undefined): void {
  const folder = Buffer.from(repository, "latin1").toString();
  const file = Buffer.from(name, "latin1").toString();
  const git = (args: readonly string[], input = ""): number | null =>
    spawnSync("git", ["-C", folder, ...args], { input, stdio: ["pipe", "ignore", "inherit"] }).status;
  if (git(["check-ignore", "--quiet", file]) === 0) return;
  const isDone = git(["add", "--intent-to-add", "--", file]) === 0;
  if (isDone && message === undefined) return;
  if (isDone && git(["commit", "--quiet", file, "-F", "-"], Buffer.from(message!, "latin1").toString()) === 0) return;
  throw new NixError("io", 'program "git" failed with exit code 1');
}

function cloneRepository(url: string, folder: string, ref: string | undefined, rev: string | undefined): void {
  const run = (args: readonly string[]): void => {
    const { status } = spawnSync("git", args, { stdio: "inherit" });
    if (status !== 0) throw new NixError("io", `program "git" failed with exit code ${status ?? 1}`);
  };
  const place = Buffer.from(folder, "latin1").toString();
  run(["clone", Buffer.from(url, "latin1").toString(), ...(ref === undefined ? [] : ["--branch", ref]), place]);
  if (rev !== undefined) run(["-C", place, "checkout", "--quiet", rev]);
}

/** Does what an evaluation needs before it can go on; gives the reason when that is not possible. */
async function fulfil(request: IoRequest, host: LanguageHost, io: NodeIo): Promise<string | undefined> {
  const { store } = host;
  if (store === undefined && request.kind === "fetch") {
    io.answerFetch(
      request.fetch,
      new IoError("EROFS", "", "operation 'addToStoreFromDump' is not supported by store 'dummy://'"),
    );
    return undefined;
  }
  if (store === undefined || request.kind === "read" || request.kind === "store") {
    return `this evaluation needs to ${request.kind}, which is not possible here`;
  }
  await writeAdditions(store, io.writes.take());
  if (request.kind === "fetch") {
    const tell = (line: string): void => host.error(`${line}\n`);
    io.answerFetch(request.fetch, await fetchInput(request.fetch, store, tell).catch(refusal));
    return undefined;
  }
  try {
    await realiseNow(request, store, host);
    return undefined;
  } catch (thrown) {
    if (thrown instanceof BuildError || thrown instanceof StoreError) return thrown.message;
    throw thrown;
  }
}

/** What cannot be fetched is an error of the program that asks for it. */
function refusal(thrown: unknown): IoError {
  if (thrown instanceof StoreError) return new IoError("EIO", "", thrown.message);
  throw thrown;
}

async function realiseNow(
  { drvPath, outputs }: IoRequest & { readonly kind: "realise" },
  store: Store,
  host: LanguageHost,
): Promise<void> {
  const { substituters, tools, builder, signal } = await host.context();
  host.error(`building '${drvPath}'...\n`);
  await realise([{ drvPath, outputs }], {
    store,
    substituters,
    ...(tools === undefined ? {} : { tools }),
    ...(builder === undefined ? {} : { builder }),
    signal,
    owner: `eval-${process.pid}`,
  });
}

/** Puts what an evaluation added into the store, texts together. */
async function writeAdditions(store: Store, additions: readonly Addition[]): Promise<void> {
  const missing = additions.filter(({ storePath }) => !store.isValid(storePath));
  for (const addition of missing) {
    if (addition.kind === "tree") await store.addTree(addition.name, addition.tree, addition.method);
  }
  const texts = missing.filter((addition) => addition.kind === "text");
  if (texts.length > 0)
    await store.addTexts(texts.map(({ name, text, references }) => ({ name, text, references: [...references] })));
}

/** Standard output and error as bytes, in one write each where possible. */
export class Output {
  private pending = "";

  print(text: string): void {
    this.pending += text;
    if (this.pending.length > 65_536) this.flush();
  }

  error(text: string): void {
    this.flush();
    writeAll(2, text);
  }

  flush(): void {
    const text = this.pending;
    this.pending = "";
    if (text !== "") writeAll(1, text);
  }
}

/** All of it, also into a pipe that takes little at a time. */
export function writeAll(descriptor: number, text: string): void {
  const bytes = Buffer.from(text, "latin1");
  for (let at = 0; at < bytes.length;) at += writeSome(descriptor, bytes, at);
}

/** A pipe that is full for the moment says EAGAIN. */
function writeSome(descriptor: number, bytes: Buffer, at: number): number {
  try {
    return fs.writeSync(descriptor, bytes, at);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== "EAGAIN") throw thrown;
    return 0;
  }
}
