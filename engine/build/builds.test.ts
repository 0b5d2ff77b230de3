/**
 * What a builder is given, and what becomes of what it leaves, against native builds of the same derivations
 * (testdata/store/builds.nix). The shell is played: a script there is lines `printf %s "TEXT" > $OUTPUT`.
 */
import { expect, test } from "vitest";
import golden from "../testdata/store/builds.json" with { type: "json" };
import { toBytes } from "../store/format/bytes.ts";
import {
  type Derivation,
  derivationPath,
  derivationReferences,
  parseDerivation,
  printDerivation,
} from "../store/format/derivation.ts";
import { parseHash, printHash, sha256Hex } from "../store/format/hash.ts";
import { nameOf } from "../store/format/store-path.ts";
import { type SourceTree, regularFile, storeTree } from "../store/format/tree.ts";
import { MemoryBacking } from "../store/memory-backing.ts";
import { Store } from "../store/store.ts";
import { BuildError, type BuildRequest, type Builder, type CancelSignal } from "./builder.ts";
import { describePlan, planRealisation } from "./plan.ts";
import { type RealiseEvent, type RealiseOptions, realise } from "./realise.ts";

const never: CancelSignal = { aborted: false, addEventListener: () => undefined, removeEventListener: () => undefined };

type Cook = (request: BuildRequest) => ReadonlyMap<string, SourceTree> | Promise<ReadonlyMap<string, SourceTree>>;

/** A builder whose outputs a function makes. */
function builderOf(cook: Cook, log = ""): Builder {
  return {
    systems: ["i686-linux"],
    async build(request, onLog) {
      if (log !== "") onLog(toBytes(log));
      const blobs = new Map<string, Uint8Array>();
      const trees = new Map(
        Array.from(
          await cook(request),
          ([name, tree]) => [name, storeTree(tree, (sha256, bytes) => void blobs.set(sha256, bytes))] as const,
        ),
      );
      return { trees, blob: async (sha256) => blobs.get(sha256) as Uint8Array };
    },
  };
}

/** Plays `/bin/sh -c SCRIPT` and `busybox env|cat`. */
function playShell({ argv, env, files }: BuildRequest): ReadonlyMap<string, SourceTree> {
  const [, first, ...rest] = argv;
  if (first === "env") throw new Shown(Array.from(env, ([name, value]) => `${name}=${value}\n`).join(""));
  if (first === "cat") throw new Shown(rest.map((name) => files.get(name) ?? "").join(""));
  const variable = (text: string) => text.replace(/\$(\w+)/g, (_, name: string) => env.get(name) ?? "");
  return new Map(
    (rest[0] as string).split("\n").map((line) => {
      const [, text, output] = /^printf %s "(.*)" > \$(\w+)$/.exec(line) as unknown as [string, string, string];
      return [output, regularFile(toBytes(variable(text)))];
    }),
  );
}

class Shown extends Error {}

async function storeOf(derivations: Readonly<Record<string, string>>): Promise<Store> {
  const store = await Store.open(new MemoryBacking(), { now: () => 1 });
  await store.addTexts(
    Object.entries(derivations).map(([path, text]) => ({
      name: nameOf(path),
      text,
      references: derivationReferences(parseDerivation(text)),
    })),
  );
  return store;
}

const options = (store: Store, builder: Builder, more: Partial<RealiseOptions> = {}): RealiseOptions => {
  return { store, builder, substituters: [], signal: never, owner: "test", ...more };
};

test.each(golden.cases.map((item) => [item.name, item] as const))("%s", async (_, item) => {
  const store = await storeOf(golden.derivations);
  const run = realise([{ drvPath: item.drvPath, outputs: [] }], options(store, builderOf(playShell)));
  if ("log" in item) {
    const shown = await run.then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(shown).toBeInstanceOf(Shown);
    expect((shown as Shown).message.trimEnd()).toBe(item.log?.trimEnd());
    return;
  }
  const paths = [...((await run).outputs[0] as ReadonlyMap<string, string>).values()].sort();
  const got = paths.map((path) => {
    const info = store.requireInfo(path);
    return {
      path,
      narHash: printHash(parseHash(info.narHash), "sri"),
      references: info.references,
      ca: info.ca ?? null,
    };
  });
  expect(got).toEqual([...(item.outputs ?? [])].sort((left, right) => (left.path < right.path ? -1 : 1)));
});

// Derivations made for these tests only.

interface Made {
  readonly store: Store;
  readonly path: string;
  readonly derivation: Derivation;
}

async function make(
  store: Store,
  name: string,
  env: Readonly<Record<string, string>>,
  inputs: readonly Made[] = [],
): Promise<Made> {
  const fixed = env["outputHash"];
  const out = `/nix/store/${sha256Hex(name)
    .replace(/[etuo]/g, "0")
    .slice(0, 32)}-${name}`;
  const derivation: Derivation = {
    outputs: new Map([["out", { path: out, hashAlgorithm: fixed === undefined ? "" : "sha256", hash: fixed ?? "" }]]),
    inputDerivations: new Map(inputs.map((input) => [input.path, { outputs: ["out"] }])),
    inputSources: [],
    system: env["system"] ?? "i686-linux",
    builder: "/bin/sh",
    args: [],
    env: new Map(Object.entries({ ...env, out })),
  };
  const { path } = await store.addText(`${name}.drv`, printDerivation(derivation), derivationReferences(derivation));
  expect(derivationPath(derivation, name)).toBe(path);
  return { store, path, derivation };
}

const outOf = ({ derivation }: Made) => derivation.outputs.get("out")?.path as string;
const goal = ({ path }: Made) => ({ drvPath: path, outputs: [] });
const one = (text: string) => new Map([["out", regularFile(toBytes(text))]]);

test("a failed build registers nothing, keeps its log and fails what needs it", async () => {
  const store = await storeOf({});
  const low = await make(store, "low", {});
  const high = await make(store, "high", {}, [low]);
  const failing = builderOf(() => {
    throw new BuildError("exit", "", { status: 3 });
  }, "one\n");
  const events: RealiseEvent[] = [];
  const run = realise([goal(high)], options(store, failing, { onEvent: (event) => void events.push(event) }));
  await expect(run).rejects.toThrow(
    `Cannot build '${high.path}'.\nReason: 1 dependency failed.\nOutput paths:\n  ${outOf(high)}`,
  );
  const messages = events.flatMap((event) => (event.kind === "failed" ? [event.message] : []));
  expect(messages[0]).toBe(
    `Cannot build '${low.path}'.\nReason: builder failed with exit code 3.\nOutput paths:\n  ${outOf(low)}`,
  );
  expect(store.isValid(outOf(low))).toBe(false);
  expect(String.fromCharCode(...((await store.log(low.path)) as Uint8Array))).toBe("one\n");
});

test.each<[string, Readonly<Record<string, string>>, (built: Made, input: Made) => string, string | undefined]>([
  [
    "allowedReferences empty",
    { allowedReferences: "" },
    (_, input) => outOf(input),
    "is not allowed to refer to the following paths",
  ],
  ["allowedReferences itself", { allowedReferences: "out" }, (built) => outOf(built), undefined],
  [
    "disallowedReferences",
    { disallowedReferences: "out" },
    (built) => outOf(built),
    "is not allowed to refer to the following paths",
  ],
  ["no rules", {}, (built, input) => outOf(built) + outOf(input), undefined],
])("output rules: %s", async (_, env, content, message) => {
  const store = await storeOf({});
  const input = await make(store, "input", {});
  const built = await make(store, "built", env, [input]);
  const builder = builderOf(({ name }) => one(name === "input" ? "x" : content(built, input)));
  const run = realise([goal(built)], options(store, builder));
  if (message === undefined) await run;
  else await expect(run).rejects.toThrow(message);
  expect(store.isValid(outOf(built))).toBe(message === undefined);
});

test("a wrong fixed hash is refused with both hashes", async () => {
  const store = await storeOf({});
  const fixed = await make(store, "fixed", { outputHash: "0".repeat(64) });
  const run = realise(
    [goal(fixed)],
    options(
      store,
      builderOf(() => one("one\n")),
    ),
  );
  await expect(run).rejects.toThrow(
    `hash mismatch in fixed-output derivation '${fixed.path}':\n  specified: sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n     got:    sha256-LIsI2lzmA5jh8Zrw5dzMdE3ydLgmq+WF6rpoxSVDSAY=`,
  );
});

test("a missing output, another system, no builder", async () => {
  const store = await storeOf({});
  const plain = await make(store, "plain", {});
  const foreign = await make(store, "foreign", { system: "foo-linux" });
  await expect(
    realise(
      [goal(plain)],
      options(
        store,
        builderOf(() => new Map()),
      ),
    ),
  ).rejects.toThrow("failed to produce output path for output 'out'");
  await expect(
    realise(
      [goal(foreign)],
      options(
        store,
        builderOf(() => one("x")),
      ),
    ),
  ).rejects.toThrow("Required system: 'foo-linux'\nCurrent system: 'i686-linux'");
});

test("independent builds: --keep-going goes on, a cancel stops", async () => {
  const store = await storeOf({});
  const bad = await make(store, "bad", {});
  const good = await make(store, "good", {});
  const builder = builderOf(({ name }) => {
    if (name === "bad") throw new BuildError("exit", "", { status: 1 });
    return one(name);
  });
  await expect(realise([goal(bad), goal(good)], options(store, builder, { keepGoing: true }))).rejects.toThrow(
    `build of '${bad.path}' failed`,
  );
  expect(store.isValid(outOf(good))).toBe(true);
  const cancelled = realise([goal(bad)], options(store, builder, { signal: { ...never, aborted: true } }));
  await expect(cancelled).rejects.toThrow("interrupted by the user");
});

test("--check builds again and compares", async () => {
  const store = await storeOf({});
  const made = await make(store, "made", {});
  let content = "first";
  const builder = builderOf(() => one(content));
  await realise([goal(made)], options(store, builder));
  await realise([goal(made)], options(store, builder, { check: true }));
  content = "second";
  await expect(realise([goal(made)], options(store, builder, { check: true }))).rejects.toThrow(
    "may not be deterministic",
  );
  expect((await store.verify(true)).length).toBe(0);
});

test("one shared input is built once; the plan names the order", async () => {
  const store = await storeOf({});
  const base = await make(store, "base", {});
  const users = [await make(store, "left", {}, [base]), await make(store, "right", {}, [base])];
  const top = await make(store, "top", {}, users);
  const plan = await planRealisation([goal(top)], store, []);
  expect(plan.build[0]).toBe(base.path);
  expect(plan.build.at(-1)).toBe(top.path);
  expect(describePlan(plan)).toMatch(/^these 4 derivations will be built:\n(  \S+\n){4}$/);
  const names: string[] = [];
  await realise(
    [goal(top)],
    options(
      store,
      builderOf(({ name }) => (names.push(name), one(name))),
      { jobs: 4 },
    ),
  );
  expect(names.sort()).toEqual(["base", "left", "right", "top"]);
  expect((await planRealisation([goal(top)], store, [])).build).toEqual([]);
});

test("a collection while a build runs takes nothing that it needs", async () => {
  const store = await storeOf({});
  const base = await make(store, "base", {});
  const top = await make(store, "top", {}, [base]);
  const builder = builderOf(async ({ name }) => {
    const { deleted } = await store.collectGarbage();
    expect(deleted).toEqual([]);
    return one(name);
  });
  await realise([goal(top)], options(store, builder));
  expect(store.isValid(outOf(base))).toBe(true);
});
