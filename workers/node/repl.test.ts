/** Whole sessions of `nix repl` against what C++ Nix printed for the same lines (scripts/record-repl.mjs). */
import fs from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import golden from "#engine/testdata/commands/repl/golden.json" with { type: "json" };
import { openFsStore } from "./fs-store.ts";
import { toByteString } from "./language.ts";
import { converse } from "./repl.ts";
import { nodeContext } from "./store-commands.ts";

const place = "/tmp/terrarium-repl";
const world = `${place}/world`;
const before = { ...process.env };

beforeAll(() => {
  fs.rmSync(place, { recursive: true, force: true });
  const source = fileURLToPath(new URL("../../engine/testdata/commands/repl/world", import.meta.url));
  fs.cpSync(source, world, { recursive: true });
  const NIX_CONFIG = "system = i686-linux\nflake-registry =";
  Object.assign(process.env, { HOME: place, NIX_REMOTE: `local?root=${place}/root`, NIX_CONFIG });
  delete process.env["NIX_PATH"];
});

afterAll(() => {
  process.env = before;
  fs.rmSync(place, { recursive: true, force: true });
});

async function* each(lines: readonly string[]): AsyncGenerator<string> {
  for (const line of lines) yield toByteString(line);
}

test.each(
  golden.map((session) => [`${session.argv.join(" ")}: ${session.lines.join("; ")}`.slice(0, 80), session] as const),
)("%s", async (_, { argv, lines, ...printed }) => {
  let stdout = "";
  let stderr = "";
  const context = await nodeContext(new AbortController().signal, world);
  const host = {
    storeDir: "/nix/store",
    store: await openFsStore(`${place}/root`),
    root: `${place}/root`,
    cwd: world,
    print: (text: string) => void (stdout += text),
    error: (text: string) => void (stderr += text),
    context: async () => context,
  };
  const status = await converse(argv.map(toByteString), host, context, {
    lines: each(lines),
    ask: host.print,
    echo: (line) => host.print(`${line}\n`),
  });
  expect({ status, stdout, stderr }).toEqual(printed);
});
