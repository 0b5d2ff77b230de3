/** The worker of the test page: does one job on real IndexedDB and answers. */
import type { Backing } from "#engine/store/backing.ts";
import { storeContract } from "#engine/store/contract.ts";
import { StoreError } from "#engine/store/error.ts";
import { provideDigests } from "#engine/store/format/hash.ts";
import { Store } from "#engine/store/store.ts";
import { browserDigest } from "#workers/store/hashing.ts";
import { openIdb } from "#workers/store/idb.ts";
import { FaultyBacking } from "./faulty-backing.ts";
import { inspect, stateOf, unsound } from "./inspect.ts";
import type { Answers, Fault, Job, Message } from "./job.ts";
import { OPERATIONS, now, prepared } from "./operations.ts";
import { act } from "./random-actions.ts";

provideDigests(browserDigest);

const tell = (message: Message): void => self.postMessage(message);

const kill = (): void => tell({ kind: "kill" });

async function contract(database: string): Promise<Answers["contract"]> {
  let made = 0;
  const cases = storeContract(async () => {
    const name = `${database}-${made++}`;
    return { backing: openIdb(name), reopen: async () => openIdb(name) };
  });
  const failures: string[] = [];
  for (const { name, run } of cases) await run().catch((error: unknown) => failures.push(`${name}: ${String(error)}`));
  return { cases: cases.map(({ name }) => name), failures };
}

async function rehearse(): Promise<Answers["rehearse"]> {
  const all = Object.entries(OPERATIONS).map(async ([name, operation]) => {
    const backing = new FaultyBacking(await prepared(), null, kill);
    const store = await Store.open(backing, { now });
    const before = stateOf(store);
    await operation(store);
    return [name, { commits: backing.commits, before, after: stateOf(store) }] as const;
  });
  return Object.fromEntries(await Promise.all(all));
}

/** Everything of one backing into another, in one commit. */
async function copy(from: Backing, to: Backing): Promise<void> {
  const keys = await from.keys("");
  const values = await from.getMany(keys);
  const puts = keys.map((key, index) => [key, values[index]] as const);
  await to.commit({ puts, deletes: [], expect: [], require: [] });
}

async function operate(database: string, operation: string, fault: Fault | null): Promise<string> {
  const backing = openIdb(database);
  await copy(await prepared(), backing);
  const store = await Store.open(new FaultyBacking(backing, fault, kill), { now });
  try {
    await OPERATIONS[operation]?.(store);
    return "done";
  } catch (error) {
    return error instanceof StoreError ? error.code : error instanceof DOMException ? error.name : String(error);
  }
}

const openShared = (database: string): Promise<Store> =>
  Store.open(openIdb(database), {
    now,
    lock: (body) => navigator.locks.request(database, body) as ReturnType<typeof body>,
  });

async function check(database: string): Promise<Answers["check"]> {
  const store = await openShared(database);
  return { paths: store.paths().length, commits: store.sequence, problems: await unsound(store) };
}

async function perform(job: Job): Promise<Answers[keyof Answers]> {
  switch (job.kind) {
    case "contract":
      return contract(job.database);
    case "rehearse":
      return rehearse();
    case "operate":
      return operate(job.database, job.operation, job.fault);
    case "inspect":
      return inspect(openIdb(job.database), job.operation, job.rehearsal);
    case "act":
      return act(await openShared(job.database), job.seed, job.actions);
    case "check":
      return check(job.database);
  }
}

self.onmessage = ({ data }: MessageEvent<Job>) => {
  perform(data).then(
    (answer) => tell({ kind: "answer", answer }),
    (error: unknown) =>
      tell({ kind: "broken", message: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
};
