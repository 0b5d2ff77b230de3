/** Git, flakes and registries against what C++ Nix printed for the same commands in the same world (scripts/record-flakes.mjs). */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CommandContext } from "#engine/commands/command.ts";
import { COMMANDS } from "#engine/commands/table.ts";
import { ROOT, environment, playScenario } from "../../scripts/scenario.mjs";
import { toByteString } from "./language.ts";
import { type NodeContext, nodeContext } from "./store-commands.ts";

interface Golden {
  readonly argv: readonly string[];
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

const folder = fileURLToPath(new URL("../../engine/testdata/commands/flakes", import.meta.url));
const before = { ...process.env };

beforeAll(() => void Object.assign(process.env, environment));

afterAll(() => {
  process.env = before;
});

/** Runs one command as the command line does; gives what it printed. */
async function run(cwd: string, argv: readonly string[]): Promise<Omit<Golden, "argv">> {
  const [program = "", ...args] = argv;
  const command = COMMANDS.find(({ name }) => name === program);
  if (command === undefined) {
    const { status, stdout, stderr } = spawnSync(program, args, { cwd, encoding: "latin1" });
    return { status: status ?? 1, stdout, stderr };
  }
  const context = (await nodeContext(new AbortController().signal, cwd)) as {
    -readonly [K in keyof NodeContext]: NodeContext[K];
  };
  let stdout = "";
  let stderr = "";
  context.print = (text) => void (stdout += text);
  context.error = (text) => void (stderr += text);
  const status = await command.run(args.map(toByteString), context as CommandContext);
  return { status, stdout: stdout.replaceAll(ROOT, ""), stderr: stderr.replaceAll(ROOT, "") };
}

for (const name of fs.readdirSync(folder).filter((file) => file.endsWith(".json"))) {
  const golden = JSON.parse(fs.readFileSync(path.join(folder, name), "utf8")) as Golden[];
  describe(name, { timeout: 120_000 }, () => {
    const scenario = playScenario(path.join(folder, name.replace(/json$/, "sh")));
    afterAll(async () => void (await scenario.return(undefined)));
    test.each(golden.map((item, index) => [`${index + 1} ${item.argv.join(" ")}`, item] as const))(
      "%s",
      async (_, { argv, ...printed }) => {
        const next = await scenario.next();
        expect(next.value?.argv).toEqual(argv);
        expect(await run(next.value!.cwd, argv)).toEqual(printed);
      },
    );
  });
}
