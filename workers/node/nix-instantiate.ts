/**
 * `nix-instantiate` on Node: the engine's command over real files and, with NIX_REMOTE=local?root=DIR, a real store.
 */
import fs from "node:fs";
import { BuildError } from "#engine/build/builder.ts";
import { realise } from "#engine/build/realise.ts";
import { instantiate, newSession } from "#engine/eval/instantiate.ts";
import { NeedsIO, type IoRequest } from "#engine/eval/io.ts";
import type { Addition } from "#engine/eval/pending-writes.ts";
import type { Settings } from "#engine/eval/settings.ts";
import { DEFAULT_STORE_DIR } from "#engine/store/format/store-path.ts";
import type { Store } from "#engine/store/store.ts";
import { openFsStore } from "./fs-store.ts";
import { NodeIo } from "./io.ts";
import { nodeContext } from "./store-commands.ts";

/** A process argument or variable as a byte string. */
export const toByteString = (text: string): string => Buffer.from(text, "utf8").toString("latin1");

const environment = (name: string): string | undefined => {
  const value = process.env[name];
  return value === undefined ? undefined : toByteString(value);
};

/** `local?root=DIR` names the directory; `dummy://` and anything else has no files. */
export function storeRoot(remote: string | undefined): string | undefined {
  const match = /^(?:local)?\?(?:.*&)?root=([^&]*)/.exec(remote ?? "");
  return match === null ? undefined : decodeURIComponent(match[1]!);
}

/** Settings of this host: Node's stack holds about twice what a browser worker's does. */
export const hostSettings = (): Partial<Settings> => ({
  directDepth: 800,
  system: process.arch === "arm64" ? "aarch64-linux" : process.arch === "ia32" ? "i686-linux" : "x86_64-linux",
});

export async function nixInstantiate(argv: readonly string[]): Promise<number> {
  const storeDir = environment("NIX_STORE_DIR") ?? DEFAULT_STORE_DIR;
  const root = storeRoot(process.env["NIX_REMOTE"]);
  const store = root === undefined ? undefined : await openFsStore(root, { storeDir });
  const out = new Output();
  const session = newSession();
  const readOnly = (): boolean => session.evaluator?.settings.readOnly ?? true;
  const io = new NodeIo({
    storeDir,
    root,
    readOnly: () => readOnly(),
    info: (path) => store?.info(path),
    env: environment,
    log: (line) => out.error(`${line}\n`),
  });
  const args = argv.map(toByteString);
  const world = {
    io,
    cwd: toByteString(process.cwd()),
    env: environment,
    stdin: () => fs.readFileSync(0, "latin1"),
    settings: hostSettings(),
    print: (text: string) => out.print(text),
    error: (text: string) => out.error(text),
  };
  for (;;) {
    try {
      const status = instantiate(args, world, session);
      if (store !== undefined && !readOnly()) await writeAdditions(store, io.writes.take());
      return status;
    } catch (thrown) {
      if (!(thrown instanceof NeedsIO)) throw thrown;
      const problem = await fulfil(thrown.request, store, io, out);
      if (problem === undefined) continue;
      out.error(`error: ${problem}\n`);
      return 1;
    } finally {
      out.flush();
    }
  }
}

/** Does what an evaluation needs before it can go on; gives the reason when that is not possible. */
async function fulfil(
  request: IoRequest,
  store: Store | undefined,
  io: NodeIo,
  out: Output,
): Promise<string | undefined> {
  if (request.kind !== "realise" || store === undefined)
    return `this evaluation needs to ${request.kind}, which is not possible here`;
  await writeAdditions(store, io.writes.take());
  const { substituters, tools } = await nodeContext(new AbortController().signal);
  try {
    const goal = { drvPath: request.drvPath, outputs: request.outputs };
    out.error(`building '${request.drvPath}'...\n`);
    await realise([goal], {
      store,
      substituters,
      ...(tools === undefined ? {} : { tools }),
      signal: neverCancelled,
      owner: `eval-${process.pid}`,
    });
    return undefined;
  } catch (thrown) {
    if (thrown instanceof BuildError) return thrown.message;
    throw thrown;
  }
}

const neverCancelled = new AbortController().signal;

/** Puts what an evaluation added into the store, texts together. */
export async function writeAdditions(store: Store, additions: readonly Addition[]): Promise<void> {
  const missing = additions.filter(({ storePath }) => !store.isValid(storePath));
  for (const addition of missing) {
    if (addition.kind === "tree") await store.addTree(addition.name, addition.tree);
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

function writeAll(descriptor: number, text: string): void {
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
