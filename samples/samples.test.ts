/**
 * The samples against C++ Nix (scripts/record-samples.mjs): the same derivations, byte for byte, or the same error. And each
 * example is whole: its files exist, and the seeds are the ones that seeds.json names.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { createEvaluator } from "#engine/eval/evaluator.ts";
import { printAmbiguous } from "#engine/eval/print.ts";
import type { Addition } from "#engine/eval/pending-writes.ts";
import { parseHash, printHash, sha256Hex } from "#engine/store/format/hash.ts";
import { MemoryBacking } from "#engine/store/memory-backing.ts";
import { Store } from "#engine/store/store.ts";
import { realise, type RealiseEvent } from "#engine/build/realise.ts";
import { NodeIo } from "#workers/node/io.ts";

const samples = import.meta.dirname;
const goldens = path.join(samples, "../engine/testdata/samples");
const channel = path.join(samples, "channel");
/** Where the store's files would be: nothing is ever written there. */
const emptyStore = mkdtempSync(path.join(tmpdir(), "samples-"));
afterAll(() => rmSync(emptyStore, { recursive: true }));

interface Golden {
  readonly drvPath?: string;
  readonly derivations?: Readonly<Record<string, string>>;
  readonly error?: string;
  readonly paths?: Readonly<Record<string, GoldenPath>> | null;
}

interface GoldenPath {
  readonly narHash: string;
  readonly narSize: number;
  readonly references: readonly string[];
}

function readJson<T>(file: string): T {
  return JSON.parse(readFileSync(file, "utf8")) as T;
}

/** Instantiates an expression: what it gives, and everything written on the way. */
function instantiate(expression: string): { text: string; derivations: Record<string, string>; additions: Addition[] } {
  const io = new NodeIo({
    storeDir: "/nix/store",
    root: emptyStore,
    readOnly: () => false,
    info: () => undefined,
    env: () => undefined,
    log: () => undefined,
  });
  const nixPath = [`nixpkgs=${channel}`];
  const evaluator = createEvaluator({ io, settings: { nixPath, readOnly: false, system: "i686-linux" } });
  const value = evaluator.expression(expression);
  evaluator.forceDeep(value);
  const derivations: Record<string, string> = {};
  const additions = io.writes.take();
  for (const addition of additions) {
    if (addition.kind === "text" && addition.storePath.endsWith(".drv")) {
      derivations[addition.storePath] = sha256Hex(addition.text);
    }
  }
  return { text: printAmbiguous(evaluator.force(value)), derivations, additions };
}

const never = { aborted: false, addEventListener: () => undefined, removeEventListener: () => undefined };
const examples = readdirSync(path.join(samples, "examples"));

describe("an example is whole", () => {
  for (const name of examples) {
    it(name, () => {
      const folder = path.join(samples, "examples", name);
      const example = readJson<Record<string, unknown>>(path.join(folder, "example.json"));
      expect(Object.keys(example)).toEqual(["title", "summary", "files", "entry"]);
      const files = example["files"] as string[];
      expect(files).toContain(example["entry"]);
      expect([...files, "example.json"].sort()).toEqual(readdirSync(folder).sort());
    });
  }
});

describe("an example is what C++ Nix makes of it", () => {
  for (const name of examples) {
    it(name, () => {
      const folder = path.join(samples, "examples", name);
      const golden = readJson<Golden>(path.join(goldens, `${name}.json`));
      const call = `(import <nixpkgs/nixos> { configuration = ${folder}/configuration.nix; }).system.drvPath`;
      if (golden.error !== undefined) {
        const message = golden.error.replace(/^error: /, "").replaceAll("<example>", folder);
        // Nix indents the lines that follow the first one.
        expect(() => instantiate(call)).toThrow(message.replaceAll("\n       ", "\n"));
        return;
      }
      const { text, derivations } = instantiate(call);
      expect(text).toBe(`"${golden.drvPath}"`);
      expect(derivations).toEqual(golden.derivations);
    });
  }
});

/** Examples whose packages are built by scripts of their own, or fetched: they need a machine, or the cache. */
const needsMachine = new Set(["compile", "cross", "database", "failing-builder", "nginx", "overlay", "package"]);

/** A store that holds what an instantiation wrote. */
async function storeOf(additions: readonly Addition[]): Promise<Store> {
  const store = await Store.open(new MemoryBacking(), { now: () => 1 });
  const texts = additions.filter((addition) => addition.kind === "text");
  for (const addition of additions) if (addition.kind === "tree") await store.addTree(addition.name, addition.tree);
  await store.addTexts(texts.map(({ name, text, references }) => ({ name, text, references })));
  return store;
}

describe("an example is built without a machine, as C++ Nix builds it with one", () => {
  for (const name of examples) {
    const golden = readJson<Golden>(path.join(goldens, `${name}.json`));
    const { drvPath, paths } = golden;
    if (drvPath === undefined || !paths || needsMachine.has(name)) continue;
    it(name, async () => {
      const folder = path.join(samples, "examples", name);
      const call = `(import <nixpkgs/nixos> { configuration = ${folder}/configuration.nix; }).system.drvPath`;
      const store = await storeOf(instantiate(call).additions);
      const means = new Set<string>();
      const onEvent = (event: RealiseEvent): void => void (event.kind === "start" && means.add(event.means));
      await realise([{ drvPath, outputs: [] }], { store, substituters: [], signal: never, owner: "test", onEvent });
      expect([...means]).toEqual(["recipe"]);
      const built = Object.keys(paths).map((each) => {
        const { narHash, narSize, references } = store.requireInfo(each);
        return [each, { narHash: printHash(parseHash(narHash), "sri"), narSize, references }] as const;
      });
      expect(Object.fromEntries(built)).toEqual(paths);
    });
  }
});

describe("the seeds", () => {
  const seeds = readJson<Record<string, { sha256: string }>>(path.join(channel, "seeds.json"));
  it("are all there", () => expect(Object.keys(seeds).sort()).toEqual(readdirSync(path.join(channel, "seeds")).sort()));
  for (const [name, seed] of Object.entries(seeds)) {
    it(`${name} has its hash`, () => {
      const { text } = instantiate(`builtins.path { path = ${channel}/seeds/${name}; sha256 = "${seed.sha256}"; }`);
      expect(text).toMatch(/^"\/nix\/store\//);
    });
  }
});

describe("the page's own expression", () => {
  it("gives what the page asks for", () => {
    const configuration = `${samples}/examples/first/configuration.nix`;
    const { text } = instantiate(`(import <nixpkgs/nixos/lib/page.nix> { configuration = ${configuration}; }).json`);
    const page = JSON.parse(JSON.parse(text) as string) as Record<string, unknown>;
    expect(page["drvPath"]).toBe(readJson<Golden>(path.join(goldens, "first.json")).drvPath);
    expect(page["hostName"]).toBe("moss");
    expect(page["web"]).toEqual({ port: 80, unit: "static-web-server.service" });
    expect(page["packages"]).toEqual([
      { name: "hello", version: "2.12" },
      { name: "cowsay", version: "" },
    ]);
  });
});

describe("the library's own tests", () => {
  it("all pass", () => {
    expect(existsSync(path.join(goldens, "lib-tests.nix"))).toBe(true);
    expect(instantiate(`import ${goldens}/lib-tests.nix { lib = import ${channel}/lib; }`).text).toBe("[ ]");
  });
});
