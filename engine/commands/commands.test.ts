/**
 * The store's commands against what C++ Nix printed for the same lines on the same store (testdata/store/commands.json).
 * Left out of the comparison: figures that speak of disk blocks, the order of deletions, and dates.
 */
import { expect, test } from "vitest";
import golden from "../testdata/store/commands.golden.json" with { type: "json" };
import { decodeBase64 } from "../store/format/base-n.ts";
import { toBytes } from "../store/format/bytes.ts";
import { parseHash, printHash } from "../store/format/hash.ts";
import { decodeNar } from "../store/format/nar.ts";
import { regularFile, storeTree } from "../store/format/tree.ts";
import { MemoryBacking } from "../store/memory-backing.ts";
import { Store } from "../store/store.ts";
import { COMMANDS } from "./table.ts";
import type { CommandContext } from "./command.ts";

const variables: Record<string, string> = { ...golden.variables, profile: "/nix/var/nix/profiles/system" };
const never = { aborted: false, addEventListener: () => undefined, removeEventListener: () => undefined };

async function world(): Promise<Store> {
  const store = await Store.open(new MemoryBacking(), { now: () => 1_700_000_000 });
  const blobs = new Map<string, Uint8Array>();
  const registrations = golden.world.map(
    ({ nar, narHash, ca, deriver, path, narSize, references, registrationTime, ultimate }) => {
      const tree = storeTree(
        decodeNar(decodeBase64(nar) as Uint8Array),
        (sha256, bytes) => void blobs.set(sha256, bytes),
      );
      const info = {
        path,
        narSize,
        references,
        registrationTime,
        ultimate,
        signatures: [],
        narHash: printHash(parseHash(narHash), "nix32", true),
        ...(ca === null ? {} : { ca }),
        ...(deriver === null ? {} : { deriver }),
      };
      return { info, tree };
    },
  );
  await store.register(registrations, (sha256) => blobs.get(sha256) as Uint8Array);
  return store;
}

async function run(store: Store, line: string): Promise<{ status: number; stdout: string; stderr: string }> {
  let stdout = "";
  let stderr = "";
  const context: CommandContext = {
    store,
    files: {
      readTree: async (path) => (path === "/tmp/file.txt" ? regularFile(toBytes("Some text.\n")) : undefined),
      writeTree: async () => undefined,
      writeFile: async () => undefined,
      readLink: async () => undefined,
      makeLink: async () => undefined,
    },
    print: (text) => void (stdout += text),
    error: (text) => void (stderr += text),
    input: async () => new Uint8Array(0),
    cwd: "/tmp",
    env: (name) => (name === "NIX_REMOTE" ? "local?root=" : undefined),
    now: () => 1_700_000_000,
    localTime: () => "DATE TIME",
    random: (length) => new Uint8Array(length),
    signal: never,
    substituters: [],
  };
  const [program, ...args] = line
    .split(" ")
    .map((word) => word.replace(/\$([A-Za-z0-9]+)/g, (whole, name: string) => variables[name] ?? whole));
  const command = COMMANDS.find(({ name }) => name === program);
  const status = await (command as (typeof COMMANDS)[number]).run(args, context);
  return { status, stdout, stderr };
}

interface Shown {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function comparable({ status, stdout, stderr }: Shown): Shown {
  const lines = stderr.split("\n").filter((text) => !/^(note: hard linking|removing stale link)/.test(text));
  const deletions = lines.filter((text) => text.startsWith("deleting '")).sort();
  const others = lines.filter((text) => !text.startsWith("deleting '"));
  const figures = (text: string) =>
    text
      .replace(/[0-9.]+ [KM]iB freed/g, "N freed")
      .replace(/by hard-linking [0-9]+ files/g, "")
      .replace(/[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}/g, "DATE TIME");
  return { status, stdout: figures(stdout), stderr: figures([...others, ...deletions].join("\n")) };
}

test.each(golden.read.map((item) => [item.line, item] as const))("%s", async (line, item) => {
  expect(comparable(await run(await world(), line))).toEqual(comparable(item));
});

test.each(golden.sessions.map((session) => [session.name, session] as const))(
  "session: %s",
  async (_, { commands }) => {
    const store = await world();
    for (const item of commands) {
      expect({ line: item.line, ...comparable(await run(store, item.line)) }).toEqual({
        line: item.line,
        ...comparable(item),
      });
    }
  },
);

/** An evaluator that answers every question with the same text. */
async function query(line: string, answer: unknown): Promise<Shown> {
  let stdout = "";
  let stderr = "";
  const store = await Store.open(new MemoryBacking(), { now: () => 0 });
  const context = {
    store,
    print: (text: string) => void (stdout += text),
    error: (text: string) => void (stderr += text),
    cwd: "/tmp",
    evaluate: async () => ({ exitCode: 0, stdout: JSON.stringify(answer) }),
  } as unknown as CommandContext;
  const [, ...args] = line.split(" ");
  const status = await (COMMANDS.find(({ name }) => name === "nix-env") as (typeof COMMANDS)[number]).run(
    args,
    context,
  );
  return { status, stdout, stderr };
}

const offered = ["foo-1.0", "Bar-2", "foo-2.0"].map((name, index) => ({
  attrPath: `p${index}`,
  name,
  system: "i686-linux",
  outputName: "out",
  outputs: [
    { name: "dev", path: "/d" },
    { name: "out", path: "/o" },
  ],
  drvPath: null,
  description: `The ${name}`,
  meta: null,
}));

test.each([
  ["nix-env -f x -qa", "Bar-2\nfoo-1.0\nfoo-2.0\n", ""],
  ["nix-env -f x -qaP foo", "p0  foo-1.0\np2  foo-2.0\n", ""],
  ["nix-env -f x -qa foo-2.0", "foo-2.0\n", ""],
  ["nix-env -f x -qa --out-path --no-name .*r", "dev=/d;/o\n", ""],
  ["nix-env -f x -qa --description --no-name foo-1.0", "The foo-1.0\n", ""],
  ["nix-env -f x -qa none", "", "error: selector 'none' matches no derivations\n"],
  ["nix-env -q", "", ""],
])("%s", async (line, stdout, stderr) => {
  expect(await query(line, offered)).toEqual({ status: stderr === "" ? 0 : 1, stdout, stderr });
});
