/**
 * One derivation in a fresh sandbox of the builder VM (PROTOCOL.md, "Builder"): the specification is laid into `/build/spec`, only the
 * input closure is visible, the log streams out, and what the guest left in `/build/out` becomes trees and blobs. The VM stays warm
 * between builds; a build that has to be ended by force takes the VM with it, because a cut is the only sure end.
 */
import { concatBytes, fromBytes, toBytes } from "#engine/store/format/bytes.ts";
import { sha256Hex } from "#engine/store/format/hash.ts";
import { directory as directoryNode, type FileTree } from "#engine/store/format/tree.ts";
import type { GuestStream } from "./control.ts";
import { memorySize } from "./drivers/v86-options.ts";
import { MachineError, errorText } from "./errors.ts";
import { toGuest } from "./frames.ts";
import type { StateInode, StateTree } from "./p9/state-tree.ts";
import type { StoreTree } from "./p9/store-tree.ts";
import { S } from "./p9/tree.ts";
import type { Session } from "./session.ts";
import type { ExitStatus, SandboxFailure, SandboxRequest, SandboxResult } from "./types.ts";

/** The machine that runs the builds, as far as they need it. */
export interface BuilderMachine {
  /** The running session, started if need be. */
  session(): Promise<Session>;
  cut(): Promise<void>;
}

/** Seconds a killed sandbox has to end before the whole VM is cut. */
const killPatience = 3;
/**
 * Bytes a build may use, files in /build and /tmp included. Below what the guest has free, because a kernel that has run out of memory
 * as a whole reads its programs over and over before it kills anything.
 */
const memoryLimit = memorySize - 40 * 1024 * 1024;
/** What counts as reading the same again and again: within so many seconds, so many bytes, so many times the files' sizes. */
const thrashing = { window: 5, bytes: 2 * 1024 * 1024, times: 8 };
/** Seconds that the clock of a second build is ahead: another day, month and year. */
const later = (400 + 37) * 86_400 + 12_345;
/** How the guest begins when it could not execute the builder. */
const refusal = "sandbox: executing '";
/** SIGKILL. */
const kill = 9;
/** What the kernel prints when it ends a process for want of memory. */
const outOfMemory = /out of memory: killed process/i;

const cancelled: SandboxResult = { ok: false, failure: { kind: "cancelled" }, milliseconds: 0 };

export class Sandbox {
  readonly #machine: BuilderMachine;
  readonly #now: () => number;
  #queue: Promise<unknown> = Promise.resolve();
  #running: Build | undefined;
  /** Counts cancellations. */
  #era = 0;

  constructor(machine: BuilderMachine, now: () => number) {
    this.#machine = machine;
    this.#now = now;
  }

  /** Builds wait for each other. Resolves also when the build fails; what it throws is a bug or an image that cannot start. */
  build(request: SandboxRequest, onLog: (bytes: Uint8Array) => void): Promise<SandboxResult> {
    const era = this.#era;
    const result = this.#queue.then(() => (era === this.#era ? this.#build(request, onLog) : cancelled));
    this.#queue = result.catch(() => undefined);
    return result;
  }

  /** Ends the running build and those that wait; what is asked for after this starts a new VM. */
  async cancel(): Promise<void> {
    this.#era++;
    this.#running?.stop({ kind: "cancelled" });
    if (this.#running !== undefined) await this.#machine.cut();
  }

  /** What the builder VM prints: the only place where the kernel says that memory ran out. */
  console(text: string): void {
    if (this.#running !== undefined && outOfMemory.test(text)) this.#running.outOfMemory = true;
  }

  async #build(request: SandboxRequest, onLog: (bytes: Uint8Array) => void): Promise<SandboxResult> {
    const began = this.#now();
    const build = new Build(request, onLog);
    this.#running = build;
    try {
      const session = await this.#machine.session();
      const failure =
        build.stopped ?? (await build.run(session, Math.floor(began / 1000) + (request.again === true ? later : 0)));
      const milliseconds = (): number => this.#now() - began;
      if (failure !== undefined) return { ok: false, failure, milliseconds: milliseconds() };
      const collected = await collectOutputs(session.tree.writable, request.outputs);
      if ("kind" in collected) return { ok: false, failure: collected, milliseconds: milliseconds() };
      return { ok: true, ...collected, milliseconds: milliseconds() };
    } catch (error) {
      if (!(error instanceof MachineError) || error.code === "bad-image") throw error;
      const failure = build.stopped ?? guestFailure(error, request);
      return { ok: false, failure, milliseconds: this.#now() - began };
    } finally {
      build.dispose();
      if (build.stuck) await this.#machine.cut();
      this.#running = undefined;
    }
  }
}

/** One build under way: its clocks, and why it was stopped. */
class Build {
  outOfMemory = false;
  stopped: SandboxFailure | undefined;
  /** The sandbox was killed and did not end: the VM has to go. */
  stuck = false;
  readonly #request: SandboxRequest;
  readonly #onLog: (bytes: Uint8Array) => void;
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  #stream: GuestStream | undefined;
  /** The log's first bytes, held until it is clear who says them; undefined from then on. */
  #held: string | undefined = "";
  #giveUp: (() => void) | undefined;

  constructor(request: SandboxRequest, onLog: (bytes: Uint8Array) => void) {
    this.#request = request;
    this.#onLog = onLog;
  }

  /** The failure, or undefined when the builder ended well and its outputs lie in the tree. */
  async run(session: Session, seconds: number): Promise<SandboxFailure | undefined> {
    const { closure, timeout, maxSilent, again } = this.#request;
    const { tree, control } = session;
    tree.store.restrict(new Set(closure.map(baseName)), again);
    await layOut(tree.writable, this.#request);
    const gaveUp = new Promise<undefined>((resolve) => (this.#giveUp = () => resolve(undefined)));
    this.#stream = control.open(toGuest.BUILD, [seconds, memoryLimit], (_kind, bytes) => {
      this.#after("silent", maxSilent);
      this.#log(bytes);
    });
    this.#after("timeout", timeout);
    this.#after("silent", maxSilent);
    this.#watchMemory(tree.store);
    const status = await Promise.race([this.#stream.exit, gaveUp]);
    this.#log(undefined);
    return this.stopped ?? this.#judge(status);
  }

  /** Passes the log on. What the sandbox itself says of a builder that cannot be executed comes in Nix's words. */
  #log(bytes: Uint8Array | undefined): void {
    if (this.#held === undefined) return bytes === undefined ? undefined : this.#onLog(bytes);
    const text = this.#held + (bytes === undefined ? "" : fromBytes(bytes));
    const undecided = bytes !== undefined && text.length < refusal.length && refusal.startsWith(text);
    this.#held = undecided ? text : undefined;
    if (!undecided && text !== "")
      this.#onLog(toBytes(text.startsWith(refusal) ? text.replace("sandbox", "error") : text));
  }

  /** Kills the sandbox for this reason. */
  stop(reason: SandboxFailure): void {
    this.stopped ??= reason;
    this.#stream?.signal(kill);
    this.#start("patience", killPatience, () => {
      this.stuck = true;
      this.#giveUp?.();
    });
  }

  dispose(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
  }

  #judge(status: ExitStatus | undefined): SandboxFailure | undefined {
    if (status?.code === 0) return undefined;
    if (this.outOfMemory) return { kind: "memory" };
    return status === undefined ? { kind: "machine", text: "no exit" } : { kind: "exit", status };
  }

  /** Without swap a guest short of memory drops and reads its programs for ever instead of killing anything: that is seen here. */
  #watchMemory(store: StoreTree): void {
    const { served, distinct } = store.takeReads();
    if (served > thrashing.bytes && served > thrashing.times * distinct) this.stop({ kind: "memory" });
    else this.#start("memory", thrashing.window, () => this.#watchMemory(store));
  }

  #after(kind: "timeout" | "silent", seconds: number): void {
    if (seconds > 0) this.#start(kind, seconds, () => this.stop({ kind, seconds }));
  }

  /** (Re)starts the named clock. */
  #start(name: string, seconds: number, act: () => void): void {
    clearTimeout(this.#timers.get(name));
    this.#timers.set(name, setTimeout(act, seconds * 1000));
  }
}

/** The guest ends the copy of the outputs with EINVAL at what is neither file, directory nor link, without a word on which it was. */
function guestFailure(error: MachineError, { outputs }: SandboxRequest): SandboxFailure {
  const [output] = outputs[0] ?? [];
  if (error.code === "refused" && error.message === "22" && output !== undefined)
    return { kind: "output", output, problem: "type", path: "" };
  return { kind: "machine", text: errorText(error) };
}

/** Empties the build tree and writes the specification into it. */
async function layOut(tree: StateTree, request: SandboxRequest): Promise<void> {
  for (const name of tree.root.entries!.keys()) removeAll(tree, tree.root, name);
  const spec = makeDirectory(tree, tree.root, "spec");
  const { program, argv, env, closure, files } = request;
  await makeFile(tree, spec, "argv", nulList([program, ...argv.slice(1)])); // the guest makes argv[0] of the program
  await makeFile(tree, spec, "env", nulList(env.map(([name, value]) => `${name}=${value}`)));
  await makeFile(tree, spec, "inputs", toBytes(closure.map((path) => `${path}\n`).join("")));
  makeDirectory(tree, tree.root, "out");
  if (files.length === 0) return;
  const directory = makeDirectory(tree, spec, "files");
  for (const [name, content] of files) await makeFile(tree, directory, name, toBytes(content));
}

function nulList(items: string[]): Uint8Array {
  if (items.some((item) => item.includes("\0")))
    throw new MachineError("refused", "a NUL byte in the build's environment");
  return concatBytes(items.map((item) => toBytes(`${item}\0`)));
}

function makeDirectory(tree: StateTree, parent: StateInode, name: string): StateInode {
  return tree.create(parent, name, { mode: S.DIRECTORY | 0o755, uid: 0, gid: 0 });
}

async function makeFile(tree: StateTree, parent: StateInode, name: string, bytes: Uint8Array): Promise<void> {
  const file = tree.create(parent, name, { mode: S.REGULAR | 0o644, uid: 0, gid: 0 });
  await tree.write(file, 0, bytes);
}

function removeAll(tree: StateTree, parent: StateInode, name: string): void {
  const inode = parent.entries!.get(name)!;
  for (const entry of inode.entries?.keys() ?? []) removeAll(tree, inode, entry);
  tree.unlink(parent, name, inode.entries !== undefined);
}

interface Collected {
  trees: Map<string, FileTree>;
  blobs: Map<string, Uint8Array>;
}

type OutputFailure = Extract<SandboxFailure, { kind: "output" }>;

/** The outputs that are there (one that the build did not make is missing from the map), or why a store cannot hold them. */
async function collectOutputs(tree: StateTree, outputs: SandboxRequest["outputs"]): Promise<Collected | OutputFailure> {
  const blobs = new Map<string, Uint8Array>();
  const trees = new Map<string, FileTree>();
  const out = tree.root.entries!.get("out");
  for (const [name, path] of outputs) {
    const inode = out?.entries?.get(baseName(path));
    if (inode === undefined) continue;
    const special = specialFile(inode, "");
    if (special !== undefined) return { kind: "output", output: name, problem: "type", path: special };
    if (inode.target === undefined && (inode.mode & 0o022) !== 0)
      return { kind: "output", output: name, problem: "permissions", path: "" };
    trees.set(name, await collect(tree, inode, blobs));
  }
  return { trees, blobs };
}

/** The first file, in order of names, that is neither file, directory nor link. */
function specialFile(inode: StateInode, path: string): string | undefined {
  if (inode.entries === undefined) return inode.target === undefined && inode.content === undefined ? path : undefined;
  for (const name of [...inode.entries.keys()].sort()) {
    const found = specialFile(inode.entries.get(name)!, `${path}/${name}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The canonical shape of a made file: only the owner's executable bit counts, as in Nix. */
async function collect(tree: StateTree, inode: StateInode, blobs: Map<string, Uint8Array>): Promise<FileTree> {
  if (inode.target !== undefined) return { type: "symlink", target: inode.target };
  if (inode.entries !== undefined) {
    const entries: [string, FileTree][] = [];
    for (const [name, child] of inode.entries) entries.push([name, await collect(tree, child, blobs)]);
    return directoryNode(entries);
  }
  const { content } = inode;
  if (content === undefined) throw new MachineError("refused", "a special file among the outputs");
  const bytes = await tree.read(inode, 0, content.size);
  const blob = sha256Hex(bytes);
  blobs.set(blob, bytes);
  return { type: "regular", executable: (inode.mode & 0o100) !== 0, size: bytes.length, blob };
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
