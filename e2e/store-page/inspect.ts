/** What must hold of a store after anything has happened to it, as a list of what does not. */
import { BLOB, type Backing } from "#engine/store/backing.ts";
import { Store } from "#engine/store/store.ts";
import type { Inspection, Rehearsal, State } from "./job.ts";
import { OPERATIONS, now } from "./operations.ts";

export const stateOf = (store: Store): State => ({
  profiles: JSON.stringify(store.profiles()),
  links: JSON.stringify(store.roots().filter(({ name }) => !name.includes("/profiles/"))),
  paths: store.paths(),
});

const equal = (left: State, right: State): boolean => JSON.stringify(left) === JSON.stringify(right);

/** Whatever was done: contents are as registered, and every profile and root leads to valid paths. */
export async function unsound(store: Store): Promise<string[]> {
  const problems = (await store.verify(true)).map(({ message }) => message);
  for (const { name, current, generations } of store.profiles()) {
    if (current !== undefined && generations.every(({ number }) => number !== current))
      problems.push(`profile ${name}: its current generation ${current} does not exist`);
  }
  for (const { name, path } of store.roots()) {
    if (!store.isValid(path)) problems.push(`root ${name} leads to '${path}', which is not valid`);
  }
  return problems;
}

/** After a collection no content is left that no path needs. */
async function collected(store: Store, backing: Backing): Promise<string[]> {
  await store.collectGarbage();
  const problems = await unsound(store);
  const spare = (await backing.keys(BLOB)).length - (await store.optimiseReport()).blobs;
  return spare === 0 ? problems : [...problems, `${spare} files that no path needs are left after a collection`];
}

/** What lies outside of the way from the old state to the new one. */
function astray(found: State, { before, after }: Rehearsal): string[] {
  const problems: string[] = [];
  if (![before.profiles, after.profiles].includes(found.profiles)) problems.push(`profiles: ${found.profiles}`);
  if (![before.links, after.links].includes(found.links)) problems.push(`roots: ${found.links}`);
  for (const path of before.paths) {
    if (after.paths.includes(path) && !found.paths.includes(path)) problems.push(`'${path}' was lost`);
  }
  for (const path of found.paths) {
    if (!before.paths.includes(path) && !after.paths.includes(path)) problems.push(`'${path}' came from nowhere`);
  }
  return problems;
}

/** Opens what an operation left behind and checks it; where nothing had happened, the operation must succeed now. */
export async function inspect(backing: Backing, operation: string, rehearsal: Rehearsal): Promise<Inspection> {
  const store = await Store.open(backing, { now });
  const found = stateOf(store);
  const problems = [...astray(found, rehearsal), ...(await unsound(store))];
  const state = equal(found, rehearsal.before) ? "old" : equal(found, rehearsal.after) ? "new" : "between";
  if (state === "old") {
    await OPERATIONS[operation]?.(store);
    if (!equal(stateOf(store), rehearsal.after)) problems.push("done again, it did not come out as it should");
  }
  problems.push(...(await collected(store, backing)));
  return { state, problems };
}
