/**
 * Builds bit for bit: derivations made for one feature of a builder each (engine/testdata/builds/cases.nix) and every derivation of the
 * channel, built by the builder's machine and compared with what C++ Nix made of them natively. Here a fixed sample; all of them, each
 * built twice, with `npm run campaign builds` (TERRARIUM_CAMPAIGN names the file that takes its rows).
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import cases from "#engine/testdata/builds/cases.json" with { type: "json" };
import channel from "#engine/testdata/builds/channel.json" with { type: "json" };
import type { CommandContext } from "#engine/commands/command.ts";
import { nixBuild } from "#engine/commands/nix-build.ts";
import { parseHash, printHash } from "#engine/store/format/hash.ts";
import { DEFAULT_STORE_DIR } from "#engine/store/format/store-path.ts";
import type { Store } from "#engine/store/store.ts";
import { decompress, unpackArchive } from "../store/decompress.ts";
import { openFsStore } from "./fs-store.ts";
import { type LanguageHost, runOnNode } from "./language.ts";
import { createNodeBuilder, readImages, repositoryImages } from "./machine.ts";

const campaign = process.env["TERRARIUM_CAMPAIGN"];
const root = fileURLToPath(new URL("../..", import.meta.url));
const file = path.join(root, "engine/testdata/builds/cases.nix");
const scratch = mkdtempSync(path.join(os.tmpdir(), "terrarium-builds-"));

interface Output {
  readonly path: string;
  readonly narHash: string;
  readonly narSize: number;
  readonly references: readonly string[];
  readonly ca: string | null;
}

interface Golden {
  readonly drvPath: string;
  readonly group?: string;
  readonly name?: string;
  readonly flags?: readonly string[];
  readonly outputs?: Readonly<Record<string, Output>>;
  readonly check?: number;
  readonly exit?: number;
  readonly stderr?: string;
}

/** Rows that cannot be equal, and why. */
const EXCLUDED: Readonly<Record<string, string>> = {
  etcOfFixedOutput: "Nix adds the host's resolver files; the machine has no network and no such files",
  worldWritable: "the machine's own umask takes away what Nix refuses",
  fifo: "the machine does not say which file it was that no store can hold",
};

/** What `npm test` builds: one row of each kind that is quick. */
const SAMPLE = new Set([
  "environment",
  "structuredGraph",
  "identity",
  "setuid",
  "modes",
  "oddNames",
  "referencesEverywhere",
  "outputChecksBroken",
  "fixedReferring",
  "floatingSelf",
]);

const rows = [...(cases as readonly Golden[]), ...(campaign === undefined ? [] : (channel as readonly Golden[]))];
const wanted = rows.filter(({ name = "" }) => !(name in EXCLUDED) && (campaign !== undefined || SAMPLE.has(name)));

describe("builds equal to C++ Nix's", { timeout: 240_000 }, () => {
  const builder = createNodeBuilder(readImages(repositoryImages(root)));
  const results: { name: string; made: string; drvPath: string; verdict: string; problems: readonly string[] }[] = [];
  let store: Store;
  /** What `nix-build` is given, by derivation. */
  let instantiated: ReadonlyMap<string, string>;

  beforeAll(async () => {
    process.env["NIX_PATH"] = `nixpkgs=${path.join(root, "samples/channel")}`;
    store = await openFsStore(scratch, { storeDir: DEFAULT_STORE_DIR });
    instantiated = await instantiate(store);
  }, 120_000);

  afterAll(async () => {
    await builder.close();
    execFileSync("chmod", ["-R", "u+w", scratch]);
    rmSync(scratch, { recursive: true });
  }, 60_000);

  /** `nix-build` as a visitor runs it: exit code and what it says. */
  async function build(drvPath: string, flags: readonly string[]): Promise<{ exit: number; stderr: string }> {
    let stderr = "";
    const context: CommandContext = {
      ...contextOf(store),
      builder,
      error: (text) => void (stderr += text),
      evaluate: async () => ({ exitCode: 0, stdout: `${instantiated.get(drvPath) ?? drvPath}\n` }),
    };
    const exit = await nixBuild.run(["cases.nix", "--no-out-link", ...flags], context);
    return { exit, stderr };
  }

  it.each(wanted.map((golden) => [golden.name ?? golden.drvPath.slice(44), golden] as const))(
    "%s",
    async (name, golden) => {
      const problems: string[] = [];
      if (!instantiated.has(golden.drvPath)) problems.push(`another derivation than ${golden.drvPath}`);
      else problems.push(...(await compare(golden)));
      const verdict =
        golden.outputs === undefined ? "refused" : golden.check === 0 ? "reproducible" : "not reproducible";
      const made = golden.group === undefined ? "of the channel" : "made for a feature";
      results.push({ name, made, drvPath: golden.drvPath, verdict, problems });
      if (campaign !== undefined) writeFileSync(campaign, JSON.stringify({ rows: results, excluded: EXCLUDED }));
      expect(problems).toEqual([]);
    },
  );

  async function compare(golden: Golden): Promise<string[]> {
    const { drvPath, flags = [], outputs, check, exit = 0, stderr } = golden;
    const built = await build(drvPath, flags);
    if (built.exit !== exit) return [`exit code ${built.exit}, not ${exit}: ${built.stderr}`];
    if (outputs === undefined) return refusalProblems(built.stderr, stderr);
    const problems = check === 0 ? outputProblems(golden) : [];
    if (campaign === undefined && check === 0) return problems;
    const again = await build(drvPath, ["--check", ...flags]);
    return again.exit === check
      ? problems
      : [...problems, `--check: exit code ${again.exit}, not ${check}: ${again.stderr}`];
  }

  function outputProblems({ drvPath, outputs }: Golden): string[] {
    return Object.entries(outputs ?? {}).flatMap(([name, wantedOutput]) => {
      const info = store.info(wantedOutput.path);
      if (info === undefined) return [`${drvPath}^${name} is another path than ${wantedOutput.path}`];
      const got = {
        path: info.path,
        narHash: printHash(parseHash(info.narHash), "sri"),
        narSize: info.narSize,
        references: [...info.references].sort(),
        ca: info.ca ?? null,
      };
      return JSON.stringify(got) === JSON.stringify(wantedOutput)
        ? []
        : [difference(JSON.stringify(got), JSON.stringify(wantedOutput))];
    });
  }
});

function refusalProblems(got: string, recorded: string | undefined): string[] {
  if (recorded === undefined || said(got) === said(recorded)) return [];
  return [difference(said(got), said(recorded))];
}

const difference = (got: string, wanted: string) => `got\n${got}\nwanted\n${wanted}`;

/** The messages without the plan, which depends on what was built before, and without what is the host's: its features, a scratch name. */
function said(stderr: string): string {
  const plan =
    /^(this derivation will be built|these \d+ derivations will be built):$|^ {2}\/nix\/store\/|^(building|checking outputs of) '/;
  return stderr
    .split("\n")
    .filter((line) => !plan.test(line))
    .join("\n")
    .replace(/^(error: output path )"[^"]*"/m, "$1…")
    .replace(/(Available features: ).*/, "$1…");
}

function contextOf(store: Store): CommandContext {
  const refuse = () => Promise.reject(new Error("nothing is written here"));
  return {
    store,
    files: {
      readTree: async () => undefined,
      readLink: async () => undefined,
      writeTree: refuse,
      writeFile: refuse,
      makeLink: refuse,
    },
    print: () => undefined,
    error: () => undefined,
    input: async () => new Uint8Array(),
    cwd: "/",
    env: () => undefined,
    now: () => 1,
    localTime: String,
    random: (length) => crypto.getRandomValues(new Uint8Array(length)),
    signal: new AbortController().signal,
    substituters: [],
    tools: { decompress, unpack: unpackArchive, download: (url) => read(url, store) },
  };
}

/** A file of the store by its `file://` address. */
async function read(url: string, store: Store): Promise<Uint8Array> {
  const tree = await store.tree(decodeURIComponent(url.slice("file://".length)));
  if (tree.type !== "regular") throw new Error(`${url} is no file`);
  return store.blob(tree.blob);
}

/** Instantiates every row by the engine; gives the derivations' paths. */
async function instantiate(store: Store): Promise<ReadonlyMap<string, string>> {
  let stdout = "";
  let stderr = "";
  const host: LanguageHost = {
    storeDir: store.storeDir,
    store,
    root: scratch,
    print: (text) => void (stdout += text),
    error: (text) => void (stderr += text),
    context: async () => contextOf(store),
  };
  const flags = [
    "--option",
    "system",
    "i686-linux",
    "--extra-experimental-features",
    "ca-derivations dynamic-derivations",
  ];
  const attributes = (cases as readonly Golden[]).flatMap(({ group, name }) => ["-A", `${group}.${name}`]);
  const exit = await runOnNode(["nix-instantiate", file, ...attributes, ...flags], host);
  if (exit !== 0) throw new Error(stderr);
  if (campaign !== undefined) await instantiateChannel(host, flags);
  const lines = [...store.paths(), ...stdout.trim().split("\n")];
  return new Map(lines.map((line) => [line.replace(/!.*/, ""), line]));
}

/** The channel's packages and the examples' systems; what fails to evaluate is somebody else's test. */
async function instantiateChannel(host: LanguageHost, flags: readonly string[]): Promise<void> {
  const quiet = { ...host, print: () => undefined, error: () => undefined };
  let names = "";
  const list = ["nix-instantiate", "--eval", "--json", "-E", "builtins.attrNames (import <nixpkgs> { })"];
  await runOnNode(list, { ...quiet, print: (text) => void (names += text) });
  for (const name of JSON.parse(names) as string[]) {
    await runOnNode(["nix-instantiate", "<nixpkgs>", "-A", name, ...flags], quiet);
  }
  const examples = path.join(root, "samples/examples");
  for (const example of readdirSync(examples)) {
    const folder = path.join(examples, example);
    const { entry } = JSON.parse(readFileSync(path.join(folder, "example.json"), "utf8")) as { entry: string };
    const configuration = ["--arg", "configuration", path.join(folder, entry), "-A", "system"];
    await runOnNode(["nix-instantiate", "<nixpkgs/nixos>", ...configuration, ...flags], quiet);
  }
}
