/** Every recipe's output against what C++ Nix builds with the same script (engine/testdata/store/recipes.json). */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import golden from "../../testdata/store/recipes.json" with { type: "json" };
import { decodeBase64 } from "../../store/format/base-n.ts";
import { decodeNar } from "../../store/format/nar.ts";
import { parseHash, printHash } from "../../store/format/hash.ts";
import { makeSourcePath, nameOf } from "../../store/format/store-path.ts";
import { type SourceTree, directory, regularFile } from "../../store/format/tree.ts";
import { derivationReferences, parseDerivation } from "../../store/format/derivation.ts";
import { MemoryBacking } from "../../store/memory-backing.ts";
import { Store } from "../../store/store.ts";
import { hashNar } from "../../store/format/nar.ts";
import { realise } from "../realise.ts";
import { RECIPES } from "./index.ts";

const repository = join(import.meta.dirname, "../../..");
const never = { aborted: false, addEventListener: () => undefined, removeEventListener: () => undefined };
let store: Store;

beforeAll(async () => {
  store = await Store.open(new MemoryBacking(), { now: () => 1 });
  for (const [path, source] of Object.entries(golden.sources)) {
    const info = await store.addTree(nameOf(path), "nar" in source ? sourceOf(source.nar) : busybox());
    expect(info.path).toBe(path);
  }
  const texts = Object.entries(golden.derivations).map(([path, text]) => {
    return { name: nameOf(path), text, references: derivationReferences(parseDerivation(text)) };
  });
  expect((await store.addTexts(texts)).sort()).toEqual(Object.keys(golden.derivations).sort());
});

function sourceOf(nar: string): SourceTree {
  return decodeNar(decodeBase64(nar) as Uint8Array);
}

function busybox(): SourceTree {
  const program = readFileSync(join(repository, "samples/channel/seeds/busybox/bin/busybox"));
  return directory([["bin", directory([["busybox", regularFile(program, true)]])]]);
}

test.each(golden.cases.map((item) => [item.name, item] as const))("%s", async (_, item) => {
  const means: string[] = [];
  const logs: string[] = [];
  const run = realise([{ drvPath: item.drvPath, outputs: [] }], {
    store,
    substituters: [],
    signal: never,
    owner: "test",
    onEvent: (event) => {
      if (event.kind === "start") means.push(event.means);
      if (event.kind === "log") logs.push(String.fromCharCode(...event.bytes));
    },
  });
  if (item.status !== 0) {
    await expect(run).rejects.toThrow("builder failed with exit code 1");
    expect(logs.join("").trim()).toBe(item.log);
    return;
  }
  const { outputs } = await run;
  const info = store.requireInfo(outputs[0]?.get("out") as string);
  expect(means.every((kind) => kind === "recipe")).toBe(true);
  expect({
    outPath: info.path,
    narHash: printHash(parseHash(info.narHash), "sri"),
    narSize: info.narSize,
    references: info.references,
  }).toEqual({ outPath: item.outPath, narHash: item.narHash, narSize: item.narSize, references: item.references });
});

test.each(["text", "symlink-farm", "etc", "system"])("%s.sh is the script that its recipe knows", (name) => {
  const script = regularFile(readFileSync(join(repository, `samples/channel/recipes/${name}.sh`)));
  const path = makeSourcePath(`${name}.sh`, hashNar(script).hash);
  expect(RECIPES.map((recipe) => recipe.script)).toContain(path.slice("/nix/store/".length));
});
