/**
 * The same plug pulled on hosts of other kinds (workers/machine/hosts/*.sh): one that is changed in place, one that is replaced as a whole.
 * Here one cut of each; many with `npm run campaign hosts` (TERRARIUM_CAMPAIGN names the file that takes the rows, TERRARIUM_CUTS how
 * many cuts a kind gets).
 */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fromBytes, toBytes } from "#engine/store/format/bytes.ts";
import { type SourceTree, directory, regularFile, storeTree, symlink } from "#engine/store/format/tree.ts";
import { MemoryStoreSource } from "#workers/machine/p9/store-tree.ts";
import { createNodeMachine, readImages, repositoryImages } from "./machine.ts";

const campaign = process.env["TERRARIUM_CAMPAIGN"];
const cuts = campaign === undefined ? 1 : Number(process.env["TERRARIUM_CUTS"] ?? 40);
const root = fileURLToPath(new URL("../..", import.meta.url));
const busybox = `${"a".repeat(32)}-busybox`;
const system = `${"b".repeat(32)}-system`;
const bin = `/nix/store/${busybox}/bin`;

interface Row {
  readonly kind: string;
  /** What the upgrade had said last. */
  readonly at: string;
  /** Invariants that do not hold once the host is up again. */
  readonly broken: readonly string[];
  /** What it took until all hold again: "nothing", "configure -a", "reinstalling" what that refused, or the whole upgrade "again". */
  readonly recovery: string;
}

/** A store that holds the tools and both hosts' scripts, and an init that keeps the machine up. */
function store(): MemoryStoreSource {
  const source = new MemoryStoreSource();
  const add = (name: string, tree: SourceTree): void =>
    source.add(
      name,
      storeTree(tree, (sha256, bytes) => source.addBlob(sha256, bytes)),
    );
  const read = (file: string): Uint8Array => new Uint8Array(readFileSync(path.join(root, file)));
  const tools = regularFile(read("samples/channel/seeds/busybox/bin/busybox"), true);
  add(
    busybox,
    directory([
      [
        "bin",
        directory([
          ["busybox", tools],
          ["sh", symlink("busybox")],
        ]),
      ],
    ]),
  );
  const init = `#!${bin}/sh\n${bin}/busybox mkdir -p /bin\n${bin}/busybox --install -s /bin\n: > /run/up\nexec ${bin}/busybox sleep 100000\n`;
  const scripts = ["mutable", "image"].map((kind) => {
    return [`${kind}.sh`, regularFile(read(`workers/machine/hosts/${kind}.sh`))] as const;
  });
  add(system, directory([["init", regularFile(toBytes(init), true)], ...scripts]));
  return source;
}

describe("hosts of other kinds under a power cut", { timeout: 120_000 * cuts }, () => {
  const rows: Row[] = [];
  const machine = createNodeMachine(
    { mode: "machine", images: readImages(repositoryImages(root)), store: store() },
    { onEvent: () => undefined, onStep: () => undefined, onShim: () => 0 },
  );
  beforeAll(boot, 60_000);
  afterAll(() => machine.cut());

  async function boot(): Promise<void> {
    const links: [string, string][] = [["system", `/nix/store/${system}`]];
    machine.boot({ topLevel: `/nix/store/${system}`, profiles: [{ profile: "system", links }] }).catch(() => undefined);
    const up = { argv: [`${bin}/busybox`, "test", "-e", "/run/up"] };
    while ((await machine.exec(up).catch(() => undefined))?.code !== 0)
      await new Promise((resolve) => setTimeout(resolve, 20));
  }

  const argv = (kind: string, word: string) => [
    `${bin}/sh`,
    "-c",
    `PATH=/bin exec sh /nix/store/${system}/${kind}.sh ${word}`,
  ];

  async function run(kind: string, word: string): Promise<{ code: number; words: string[] }> {
    const { code, stdout } = await machine.exec({ argv: argv(kind, word) });
    return {
      code,
      words: fromBytes(stdout)
        .split("\n")
        .filter((line) => line !== ""),
    };
  }

  const broken = async (kind: string) => (await run(kind, "check")).words;

  /** Begins the upgrade and cuts the power after so many milliseconds; what it had said last. */
  async function cutDuringUpgrade(kind: string, milliseconds: number): Promise<string> {
    let said = "nothing yet\n";
    const ended = new Promise<void>((resolve) => {
      void machine
        .openStream({ argv: argv(kind, "upgrade") }, (event) => {
          if (event.kind === "exit") resolve();
          else said += fromBytes(event.bytes);
        })
        .catch(() => resolve());
    });
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, milliseconds))]);
    await machine.cut();
    await boot();
    return said.trimEnd().split("\n").at(-1) as string;
  }

  /** What an administrator has to do until every invariant holds. */
  async function recover(kind: string, found: readonly string[]): Promise<string> {
    if (found.length === 0) return "nothing";
    if (kind === "image") return "nothing helps";
    await run(kind, "configure");
    if ((await broken(kind)).length === 0) return "configure -a";
    await run(kind, "reinstall");
    if ((await broken(kind)).length === 0) return "reinstalling";
    await run(kind, "upgrade");
    return (await broken(kind)).length === 0 ? "again" : "nothing helps";
  }

  async function round(kind: string, milliseconds: number): Promise<Row> {
    await run(kind, "setup");
    expect(await broken(kind)).toEqual([]);
    const at = await cutDuringUpgrade(kind, milliseconds);
    const found = await broken(kind);
    return { kind, at, broken: found, recovery: await recover(kind, found) };
  }

  /** Milliseconds that an upgrade takes which nothing cuts short. */
  async function lengthOf(kind: string): Promise<number> {
    await run(kind, "setup");
    const began = performance.now();
    await run(kind, "upgrade");
    return performance.now() - began;
  }

  it.each(["mutable", "image"])("%s", async (kind) => {
    const length = campaign === undefined ? 1500 : await lengthOf(kind);
    for (let index = 0; index < cuts; index++) {
      rows.push(await round(kind, ((index + 0.5) / cuts) * length));
      if (campaign !== undefined) writeFileSync(campaign, JSON.stringify({ rows }));
    }
    expect(rows.filter(({ recovery }) => recovery === "nothing helps")).toEqual([]);
  });
});
