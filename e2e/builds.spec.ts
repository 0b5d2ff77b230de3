/**
 * Builds bit for bit, in the page: rows of engine/testdata/builds, built by the page's own builder machine, have the hashes of C++ Nix's native
 * builds; a failing one says what Nix says. Here a fixed sample, with the time of a small build; every row with `npm run campaign builds`
 * (TERRARIUM_CAMPAIGN names the file that takes the figures).
 */
import { readFileSync, writeFileSync } from "node:fs";
import { expect, test, type Terrarium } from "./support.ts";

interface Row {
  readonly name: string;
  readonly group: string;
  readonly outputs?: Readonly<Record<string, { readonly path: string; readonly narHash: string }>>;
  readonly check?: number;
  readonly exit?: number;
  readonly stderr?: string;
  readonly flags?: readonly string[];
}

interface Entry {
  readonly output: readonly { readonly stream: "out" | "err"; readonly text: string }[];
  readonly exitCode: number | null;
}

const SAMPLE = ["environment", "oddNames", "structuredGraph", "outputs", "floatingSelf", "exitCode"];
/** What these hold is the recording's own: files beside the expression, another host's. */
const ELSEWHERE = ["sources", "etcOfFixedOutput", "worldWritable", "fifo", "fetchurl", "unpackChannel"];
const campaign = process.env.TERRARIUM_CAMPAIGN;
const all = campaign !== undefined;
const read = (file: string) => readFileSync(new URL(`../engine/testdata/builds/${file}`, import.meta.url), "utf8");
const rows = (JSON.parse(read("cases.json")) as readonly Row[]).filter(({ name, check, flags }) => {
  if (!all) return SAMPLE.includes(name);
  return flags === undefined && !ELSEWHERE.includes(name) && (check === undefined || check === 0);
});
const text = read("cases.nix");
const features = "--extra-experimental-features 'ca-derivations dynamic-derivations'";

/** Runs a command line in the page's console, whatever it says. */
async function run({ page, state }: Terrarium, line: string): Promise<{ exit: number; out: string; err: string }> {
  await page.evaluate(async (command) => {
    const { terrarium } = globalThis as unknown as {
      terrarium: { actions: { runCommand(line: string): Promise<void> } };
    };
    await terrarium.actions.runCommand(command);
  }, line);
  const entry = (await state<Entry[]>("console")).at(-1) as Entry;
  const said = (stream: string) => entry.output.filter((one) => one.stream === stream).map((one) => one.text);
  return { exit: entry.exitCode ?? -1, out: said("out").join(""), err: said("err").join("") };
}

/** The last message, which is the build's own, without what is the host's. */
const lastError = (stderr: string) =>
  stderr
    .slice(stderr.lastIndexOf("error:"))
    .trim()
    .replace(/^(error: output path )"[^"]*"/, "$1…")
    .replace(/(Available features: ).*/, "$1…");

const quoted = (word: string) => `'${word.replaceAll("'", "'\\''")}'`;

test("what the page builds is what Nix builds", async ({ terrarium }) => {
  test.setTimeout(120_000 + rows.length * 30_000);
  await terrarium.open();
  await expect.poll(() => terrarium.state("machine.phase"), { timeout: 90_000 }).toBe("running");
  for (const { name, group, outputs, exit = 0, stderr = "" } of rows) {
    const line = `nix-build --no-out-link ${features} -E ${quoted(text)} -A ${group}.${name}`;
    const built = await run(terrarium, line);
    expect([name, built.exit, built.err]).toEqual([name, exit, expect.anything()]);
    if (outputs === undefined) {
      expect(lastError(built.err)).toBe(lastError(stderr));
      continue;
    }
    for (const { path, narHash } of Object.values(outputs)) {
      if (!built.out.includes(path)) continue;
      const hash = await run(terrarium, `nix path-info --json ${path}`);
      expect([name, JSON.parse(hash.out)[path].narHash]).toEqual([name, narHash]);
    }
  }
  const times: number[] = [];
  for (let index = 0; index < 3; index++) {
    const started = performance.now();
    const line = `nix-build --no-out-link -E '(import <nixpkgs> {}).runCommand "small" {} "echo ${index} > $out"'`;
    expect((await run(terrarium, line)).exit).toBe(0);
    times.push(Math.round(performance.now() - started));
  }
  console.log(`a small build, warm, from press to registered: ${times.join(", ")} ms`);
  if (campaign !== undefined) writeFileSync(campaign, JSON.stringify({ rows: rows.length, times }));
});
