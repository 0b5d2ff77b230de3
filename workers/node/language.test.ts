/**
 * `nix eval` and `nix flake` against what C++ Nix printed for the same lines (scripts/record-commands.mjs): values, errors, lock files.
 */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import golden from "#engine/testdata/commands/language/golden.json" with { type: "json" };
import type { Store } from "#engine/store/store.ts";
import { openFsStore } from "./fs-store.ts";
import { type LanguageHost, runOnNode, toByteString } from "./language.ts";

const world = "/tmp/terrarium-commands";
const root = fs.mkdtempSync(path.join(os.tmpdir(), "terrarium-language-"));
const TIME = 1_706_933_106;
let store: Store;

beforeAll(async () => {
  fs.rmSync(world, { recursive: true, force: true });
  const source = new URL("../../engine/testdata/commands/language/world", import.meta.url);
  fs.cpSync(fileURLToPath(source), world, { recursive: true });
  store = await openFsStore(root);
  process.env["NIX_CONFIG"] = "system = i686-linux";
});

afterAll(() => {
  delete process.env["NIX_CONFIG"];
  fs.rmSync(world, { recursive: true });
  fs.rmSync(root, { recursive: true });
});

function setTimes(place: string): void {
  if (fs.lstatSync(place).isDirectory()) for (const name of fs.readdirSync(place)) setTimes(path.join(place, name));
  fs.lutimesSync(place, TIME, TIME);
}

async function run(where: string, argv: readonly string[]): Promise<object> {
  let stdout = "";
  let stderr = "";
  const host: LanguageHost = {
    storeDir: "/nix/store",
    store,
    root,
    cwd: path.join(world, where),
    print: (text) => void (stdout += text),
    error: (text) => void (stderr += text),
    context: () => Promise.reject(new Error("nothing is built here")),
  };
  const status = await runOnNode(argv.map(toByteString), host);
  return { status, stdout: stdout.replaceAll(root, ""), stderr: stderr.replaceAll(root, "") };
}

test.each(golden.map((item) => [`${item.in}: ${item.argv.join(" ")}`, item] as const))(
  "%s",
  async (_, { in: where, argv, status, stdout, stderr }) => {
    setTimes(world);
    expect(await run(where, argv)).toEqual({ status, stdout, stderr });
  },
);
