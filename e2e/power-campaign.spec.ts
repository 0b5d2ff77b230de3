/**
 * The campaign of power cuts (`npm run campaign power`; a short sample with fixed steps is power-cut.spec.ts). TERRARIUM_CAMPAIGN names
 * the file that takes the figures, TERRARIUM_CUTS how many cuts there are, TERRARIUM_SEED where the random instants begin.
 */
import { writeFileSync } from "node:fs";
import { expect, test, type Terrarium } from "./support.ts";

const campaign = process.env.TERRARIUM_CAMPAIGN;
const cuts = Number(process.env.TERRARIUM_CUTS ?? 0);
let random = Number(process.env.TERRARIUM_SEED ?? 1);

/** A number below the limit, the same for the same seed. */
function below(limit: number): number {
  random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((random / 2 ** 32) * limit);
}

/** The session's own buttons, for what a hand is too slow for. */
interface Session {
  terrarium: {
    actions: {
      cut(): Promise<void>;
      switch(action: string, plug: null): Promise<void>;
      runCommand(line: string): Promise<void>;
    };
  };
}

const STEPS = ["register", "profile", "stop-units", "etc", "users", "current-system", "reload", "start-units", "done"];

interface Cut {
  readonly name: string;
  /** What is under way when the power goes, and how it goes; the machine starts again by itself. */
  readonly run: (terrarium: Terrarium) => Promise<void>;
  /** What must hold of the work that was cut, once the machine runs again. */
  readonly after?: (terrarium: Terrarium) => Promise<string[]>;
}

async function pull({ page }: Terrarium, after: number): Promise<void> {
  await page.evaluate(async (milliseconds) => {
    const { actions } = (globalThis as unknown as Session).terrarium;
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    await actions.cut();
  }, after);
}

async function beginSwitch({ page }: Terrarium): Promise<void> {
  await page.evaluate(() => {
    void (globalThis as unknown as Session).terrarium.actions.switch("switch", null);
  });
}

async function whole({ page }: Terrarium): Promise<void> {
  await expect(page.getByText(/Whole again, on generation \d+\./)).toBeVisible({ timeout: 90_000 });
}

const planted = STEPS.map((step): Cut => ({
  name: `plug pulled before "${step}"`,
  async run(terrarium) {
    await terrarium.plant(step);
    await terrarium.button("Switch").click();
    await whole(terrarium);
  },
}));

/** A build of a text never built before, of some seconds, in the builder's machine. */
let builds = 0;
const buildLine = () =>
  `nix-build --no-out-link -E '(import <nixpkgs> {}).runCommand "cut" {} "mkdir $out; for i in 0 1 2 3 4 5 6 7 8 9; do echo ${builds} > $out/$i; sleep 0.2; done"'`;

async function beginBuild({ page }: Terrarium): Promise<void> {
  builds++;
  await page.evaluate((line) => {
    void (globalThis as unknown as Session).terrarium.actions.runCommand(line);
  }, buildLine());
}

/** Appends numbered lines, each synced by itself. */
const appending =
  "i=$(wc -l < /var/lib/lines 2>/dev/null || echo 0); while i=$((i+1)); do echo $i | dd of=/var/lib/lines oflag=append conv=fsync,notrunc 2>/dev/null; done";

/** Whether the lines are whole and in order. */
async function ordered(terrarium: Terrarium): Promise<string[]> {
  await terrarium.panel("Terminal");
  await terrarium.button("Shell").click();
  await terrarium.type(
    `awk '$1 != NR { bad = 1 } END { print bad ? "LINES TO""RN" : "LINES WHO""LE" }' /var/lib/lines`,
  );
  await terrarium.terminalShows(/LINES (TORN|WHOLE)/);
  const text = (await terrarium.page.locator(".xterm-rows").last().textContent()) ?? "";
  return text.includes("LINES TORN") ? ["lines that were synced are torn or lost"] : [];
}

const anyTime: readonly Cut[] = [
  {
    name: "tab reloaded at a random instant of a build",
    async run(terrarium) {
      await beginBuild(terrarium);
      await terrarium.page.waitForTimeout(200 + below(6000));
      await terrarium.page.reload();
    },
    async after(terrarium) {
      const code = await terrarium.command(buildLine());
      return code === 0 ? [] : [`the same build ends with exit code ${code} after the cut`];
    },
  },
  {
    name: "plug pulled at a random instant of a build",
    async run(terrarium) {
      await beginBuild(terrarium);
      await pull(terrarium, below(3000));
      await whole(terrarium);
      await expect.poll(() => lastExit(terrarium), { timeout: 60_000 }).not.toBeNull();
    },
    // The builder's machine is another one: its power did not go.
    after: async (terrarium) => ((await lastExit(terrarium)) === 0 ? [] : ["the build was lost"]),
  },
  {
    name: "plug pulled at a random instant of a switch",
    async run(terrarium) {
      await beginSwitch(terrarium);
      await pull(terrarium, below(2500));
      await whole(terrarium);
    },
  },
  {
    name: "plug pulled at a random instant of the boot after a cut",
    async run(terrarium) {
      void pull(terrarium, 0).catch(() => undefined);
      await pull(terrarium, 200 + below(2500));
      await whole(terrarium);
    },
  },
  {
    name: "plug pulled at a random instant of a loop that writes and syncs",
    async run(terrarium) {
      await terrarium.type(appending);
      await pull(terrarium, 300 + below(1500));
      await whole(terrarium);
    },
    after: ordered,
  },
  {
    name: "tab reloaded at a random instant of a switch",
    async run(terrarium) {
      await beginSwitch(terrarium);
      await terrarium.page.waitForTimeout(below(2500));
      await terrarium.page.reload();
    },
  },
  {
    name: "tab reloaded at a random instant of a boot",
    async run(terrarium) {
      void pull(terrarium, 0).catch(() => undefined);
      await terrarium.page.waitForTimeout(200 + below(2500));
      await terrarium.page.reload();
    },
  },
];

const lastExit = async (terrarium: Terrarium) =>
  (await terrarium.state<{ exitCode: number | null }[]>("console")).at(-1)?.exitCode ?? null;

interface Generation {
  readonly number: number;
  readonly outPath: string;
  readonly isDefault: boolean;
}

interface Row {
  readonly cut: string;
  /** Which generation runs; "unknown" when a step of the run itself did not succeed. */
  readonly state: "old" | "new" | "unknown";
  readonly problems: readonly string[];
}

/** Waits until the machine runs and its web page answers. */
async function settled(terrarium: Terrarium): Promise<void> {
  await expect.poll(() => terrarium.state("machine.phase"), { timeout: 90_000 }).toBe("running");
  await expect.poll(() => terrarium.state("preview.status"), { timeout: 90_000 }).toBe(200);
  await terrarium.serves("Hello from my own machine");
}

const generations = (terrarium: Terrarium) => terrarium.state<Generation[]>("generations.list");

/** Gives the page a new colour and waits for the system that it makes. */
async function changed(terrarium: Terrarium, colour: string): Promise<string> {
  const result = () => terrarium.state<string>("evaluation.result.outPath");
  const before = await result();
  await terrarium.recolour(colour);
  await expect.poll(result, { timeout: 30_000 }).not.toBe(before);
  await expect.poll(() => terrarium.state("pending.status"), { timeout: 30_000 }).toBe("ready");
  return result();
}

/** Checks every file of the store; the command's exit code. */
async function verify(terrarium: Terrarium): Promise<number> {
  const ran = async () => (await terrarium.state<{ exitCode: number | null }[]>("console")).map((one) => one.exitCode);
  const before = (await ran()).length;
  await terrarium.command("nix-store --verify --check-contents");
  await expect.poll(async () => (await ran())[before] ?? null, { timeout: 60_000 }).not.toBeNull();
  return (await ran())[before] as number;
}

/** Changes the colour, cuts the power as told, and compares what is whole again with what was before. */
async function cutOnce(terrarium: Terrarium, cut: Cut, colour: string): Promise<Row> {
  const old = await generations(terrarium);
  const wanted = await changed(terrarium, colour);
  await cut.run(terrarium);
  await settled(terrarium);
  const verified = await verify(terrarium);
  const now = await generations(terrarium);
  const problems = old.flatMap(({ number, outPath }) =>
    now.some((one) => one.number === number && one.outPath === outPath) ? [] : [`generation ${number} was lost`],
  );
  const chosen = now.find(({ isDefault }) => isDefault);
  const before = old.find(({ isDefault }) => isDefault);
  const topLevel = await terrarium.state<string>("machine.topLevel");
  if (topLevel !== chosen?.outPath) problems.push(`runs ${topLevel}, not generation ${chosen?.number}`);
  if (topLevel !== before?.outPath && topLevel !== wanted) problems.push(`${topLevel} is neither the old nor the new`);
  if (verified !== 0) problems.push("the store is damaged");
  problems.push(...((await cut.after?.(terrarium)) ?? []));
  return { cut: cut.name, state: chosen?.number === before?.number ? "old" : "new", problems };
}

/** A run that went wrong must not take the following ones with it. */
async function startAnew(terrarium: Terrarium): Promise<void> {
  await terrarium.page.reload();
  await settled(terrarium);
}

test("the power goes at any instant", async ({ terrarium }) => {
  test.skip(campaign === undefined, "a campaign: npm run campaign power");
  test.setTimeout(cuts * 120_000 + 120_000);
  const rows: Row[] = [];
  await terrarium.open();
  await settled(terrarium);
  await terrarium.type("echo kept > /var/lib/kept && sync && echo SYN''CED");
  await terrarium.terminalShows("SYNCED");
  for (let index = 0; index < cuts; index++) {
    const cut = (
      index % 2 === 0 ? planted[(index / 2) % planted.length] : anyTime[((index - 1) / 2) % anyTime.length]
    ) as Cut;
    console.log(`${index + 1}: ${cut.name}`);
    const row = await cutOnce(terrarium, cut, `rgb(${index % 256}, ${80 + Math.floor(index / 256)}, 120)`).catch(
      (error: unknown): Row => ({ cut: cut.name, state: "unknown", problems: [String(error)] }),
    );
    rows.push(row);
    writeFileSync(campaign as string, JSON.stringify({ rows }));
    if (row.problems.length > 0) console.log(row.problems.join("\n"));
    if (row.state === "unknown") await startAnew(terrarium);
  }
  await terrarium.type("cat /var/lib/kept && echo EN''D");
  await terrarium.terminalShows("kept");
  expect(rows.flatMap(({ problems }) => problems)).toEqual([]);
});
