/** A machine's persistent tree as a whole, from and into its IndexedDB database (workers/machine/p9/state-idb.ts has the keys). */
import { createStore, promisifyRequest } from "idb-keyval";
import type { InodeRecord } from "../machine/p9/state-backing.ts";
import { IndexedDbStateBacking } from "../machine/p9/state-idb.ts";
import type { MachineDisk } from "./archive.ts";

/** Chunks written in one transaction. */
const BATCH = 64;

/** In one transaction: the tree as after some commit, also while the machine runs. */
export function readDisk(workspace: string): Promise<MachineDisk> {
  const use = createStore(`terrarium-machine-${workspace}`, "store");
  return use("readonly", async (store) => {
    const [keys, values] = await Promise.all([
      promisifyRequest(store.getAllKeys() as IDBRequest<string[]>),
      promisifyRequest<unknown[]>(store.getAll()),
    ]);
    store.transaction.db.close();
    const inodes: InodeRecord[] = [];
    const chunks: [number, number, Uint8Array][] = [];
    keys.forEach((key, at) => {
      const [kind, inode, index] = key.split("/");
      if (kind === "i") inodes.push(values[at] as InodeRecord);
      else chunks.push([Number(inode), Number(index), values[at] as Uint8Array]);
    });
    const kept = new Set(inodes.map(({ id }) => id));
    return { inodes, chunks: chunks.filter(([inode]) => kept.has(inode)) };
  });
}

/** Into an empty database: contents first, so that no inode names what is not there. */
export async function writeDisk(workspace: string, { inodes, chunks }: MachineDisk): Promise<void> {
  if (inodes.length === 0) return;
  const backing = await IndexedDbStateBacking.open(workspace);
  for (let at = 0; at < chunks.length; at += BATCH) {
    await backing.commit({ inodes: [], chunks: chunks.slice(at, at + BATCH).map((chunk) => [...chunk]) });
  }
  await backing.commit({ inodes: inodes.map((inode) => [inode.id, inode]), chunks: [] });
  backing.close();
}
