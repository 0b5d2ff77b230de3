/**
 * The store on real IndexedDB, on a real disk: the contract, two tabs at once, and every write of every operation made to fail in
 * every way. `npm run campaign store` sets TERRARIUM_CAMPAIGN to the file that takes the whole campaign's figures; without it a
 * fixed sample runs.
 */
import { type BrowserContext, type Page, chromium, expect, test } from "@playwright/test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { type PreviewServer, build, preview } from "vite";
import type { Answers, Ending, Fault, FaultMode, Job, Rehearsal } from "./store-page/job.ts";

const campaign = process.env.TERRARIUM_CAMPAIGN;
const whole = campaign !== undefined;
/** Actions of each of two tabs; the whole campaign goes on in such rounds for so many minutes. */
const ACTIONS = 150;
const minutes = whole ? Number(process.env.TERRARIUM_MINUTES ?? 5) : 0;

/** The page that does the work: never a part of the built site, but built and served here. */
const root = path.dirname(fileURLToPath(new URL("./store-page/page.ts", import.meta.url)));
const outDir = path.join(import.meta.dirname, "../.cache/store-page");

/** How a run is cut: the fault, who dies of it, and how many milliseconds after the commit has begun. */
interface Cut {
  readonly name: string;
  readonly mode: FaultMode;
  readonly end: "worker" | "tab" | "browser";
  readonly delays: readonly number[];
}

const fromZero = (count: number, step: number) => Array.from({ length: count }, (_, index) => index * step);

const CUTS: readonly Cut[] = [
  { name: "worker killed before the commit", mode: "kill-before", end: "worker", delays: [0] },
  {
    name: "worker killed during the commit",
    mode: "kill-during",
    end: "worker",
    delays: whole ? fromZero(28, 0.35) : [1],
  },
  { name: "worker killed after the commit", mode: "kill-after", end: "worker", delays: [0] },
  { name: "transaction aborted by the browser", mode: "abort", end: "worker", delays: [0] },
  { name: "no room in the quota", mode: "quota", end: "worker", delays: [0] },
  { name: "tab closed during the commit", mode: "kill-during", end: "tab", delays: whole ? [0, 1, 4] : [1] },
  { name: "browser killed during the commit", mode: "kill-during", end: "browser", delays: whole ? [0, 3] : [] },
];

interface Row {
  readonly operation: string;
  readonly point: number;
  readonly points: number;
  readonly cut: string;
  readonly outcome: string;
  readonly state: string;
  readonly problems: readonly string[];
}

const figures: { rows: Row[]; tabs?: object } = { rows: [] };

/** The browser's own folder: its disk. */
let profile: string;
let server: PreviewServer;
let origin: string;
let context: BrowserContext;
let page: Page;

/** Starts the browser on the same disk as before. */
async function launch(): Promise<void> {
  const { executablePath, args } = test.info().project.use.launchOptions ?? {};
  context = await chromium.launchPersistentContext(profile, { executablePath, args });
  page = await openPage();
}

async function openPage(at = origin): Promise<Page> {
  const next = await context.newPage();
  await next.exposeFunction("killOutside", () => killOutside());
  await next.goto(at);
  return next;
}

/** A page on an origin of its own that may store 20 MB: the browser remembers for a while how much room there was. */
async function openNarrowPage(number: number): Promise<Page> {
  const next = await context.newPage();
  const address = `http://narrow-${number}.localhost:${new URL(origin).port}`;
  const session = await context.newCDPSession(next);
  await session.send("Storage.overrideQuotaForOrigin", { origin: address, quotaSize: 20_000_000 });
  await next.goto(address);
  return next;
}

let killOutside: () => Promise<unknown> = async () => undefined;

/** Runs a job; a page that dies of it is a killed one. */
async function run<Kind extends Job["kind"]>(
  job: Extract<Job, { kind: Kind }>,
  end: "worker" | "outside" = "worker",
  delay = 0,
  on: Page = page,
): Promise<Ending<Kind>> {
  const ending = on.evaluate(([what, whose, after]) => globalThis.runJob(what, whose, after), [
    job as Job,
    end,
    delay,
  ] as const);
  return (await ending.catch((error: unknown) => {
    if (end === "outside") return { killed: true };
    throw error;
  })) as Ending<Kind>;
}

async function answer<Kind extends Job["kind"]>(
  job: Extract<Job, { kind: Kind }>,
  on: Page = page,
): Promise<Answers[Kind]> {
  const ending = await run<Kind>(job, "worker", 0, on);
  if (ending.killed) throw new Error(`nothing should have killed "${job.kind}"`);
  return ending.answer;
}

test.beforeAll(async () => {
  profile = mkdtempSync(path.join(tmpdir(), "terrarium-store-"));
  await build({
    root,
    base: "./",
    configFile: false,
    logLevel: "error",
    worker: { format: "es" },
    build: { outDir, emptyOutDir: true, target: "es2022" },
  });
  server = await preview({
    root,
    configFile: false,
    logLevel: "error",
    build: { outDir },
    preview: { port: 0, host: "127.0.0.1" },
  });
  origin = `http://127.0.0.1:${(server.httpServer.address() as AddressInfo).port}`;
  await launch();
});

test.afterAll(async () => {
  await context.close();
  await server.close();
  rmSync(profile, { recursive: true, force: true });
  if (campaign !== undefined) writeFileSync(campaign, JSON.stringify(figures));
});

test("IndexedDB in a worker keeps the contract of a backing and of a store over it", async () => {
  const { cases, failures } = await answer({ kind: "contract", database: "contract" });
  expect(failures).toEqual([]);
  expect(cases.length).toBeGreaterThan(10);
});

test("two tabs doing random things leave a sound store", async () => {
  test.setTimeout(60_000 + minutes * 120_000);
  const other = await openPage();
  const until = Date.now() + minutes * 60_000;
  const sums = { rounds: 0, done: 0, refused: 0, paths: 0, commits: 0, problems: [] as string[] };
  do {
    const seed = sums.rounds * 2 + 1;
    const both = await Promise.all([
      answer({ kind: "act", database: "tabs", seed, actions: ACTIONS }),
      answer({ kind: "act", database: "tabs", seed: seed + 1, actions: ACTIONS }, other),
    ]);
    const { paths, commits, problems } = await answer({ kind: "check", database: "tabs" });
    sums.rounds += 1;
    sums.done += both[0].done + both[1].done;
    sums.refused += both[0].refused + both[1].refused;
    Object.assign(sums, { paths, commits });
    sums.problems.push(...problems, ...both.flatMap((one) => one.problems));
  } while (Date.now() < until && sums.problems.length === 0);
  await other.close();
  figures.tabs = sums;
  expect(sums.problems).toEqual([]);
  expect(sums.done).toBeGreaterThan(ACTIONS / 2);
});

let databases = 0;

/** One run: the operation cut as told, then what it left behind. */
async function cutOnce(operation: string, rehearsal: Rehearsal, point: number, cut: Cut, delay: number): Promise<Row> {
  const database = `faults-${databases++}`;
  const fault: Fault = { point, mode: cut.mode };
  const where = cut.mode === "quota" ? await openNarrowPage(databases) : page;
  killOutside = cut.end === "tab" ? () => page.close() : crashBrowser;
  const end = cut.end === "worker" ? "worker" : "outside";
  const ending = await run<"operate">({ kind: "operate", database, operation, fault }, end, delay, where);
  if (cut.end === "tab") page = await openPage();
  if (cut.end === "browser") await relaunch();
  const outcome = ending.killed ? "killed" : ending.answer;
  const inspection = await answer({ kind: "inspect", database, operation, rehearsal }, end === "worker" ? where : page);
  if (where !== page && cut.mode === "quota") await where.close();
  return { operation, point, points: rehearsal.commits, cut: cut.name, outcome, ...inspection };
}

async function crashBrowser(): Promise<void> {
  const session = await context.newCDPSession(page);
  await session.send("Browser.crash").catch(() => undefined);
}

async function relaunch(): Promise<void> {
  await context.close().catch(() => undefined);
  rmSync(path.join(profile, "SingletonLock"), { force: true });
  await launch();
}

/** What a fault must end in: a kill in silence, an aborted transaction and a full disk in their errors. */
const OUTCOMES: Readonly<Record<FaultMode, readonly string[]>> = {
  "kill-before": ["killed"],
  "kill-during": ["killed"],
  "kill-after": ["killed"],
  abort: ["DataCloneError"],
  quota: ["quota"],
};

function expectSound(row: Row, mode: FaultMode): void {
  const where = `${row.operation}, write ${row.point + 1} of ${row.points}, ${row.cut}`;
  expect(row.problems, where).toEqual([]);
  expect(OUTCOMES[mode], where).toContain(row.outcome);
  if (row.points === 1) expect(["old", "new"], where).toContain(row.state);
}

test("every write of every operation, cut in every way, leaves the old or the new store", async () => {
  test.setTimeout(whole ? 3_600_000 : 240_000);
  for (const [operation, rehearsal] of Object.entries(await answer({ kind: "rehearse" }))) {
    for (const cut of CUTS) {
      for (let point = 0; point < rehearsal.commits; point++) {
        for (const delay of cut.delays) {
          const row = await cutOnce(operation, rehearsal, point, cut, delay);
          figures.rows.push(row);
          expectSound(row, cut.mode);
        }
      }
    }
  }
});
