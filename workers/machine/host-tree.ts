/**
 * The file system one machine sees at `/host`: the store, the persistent state (machine) or the build directory (builder), under one
 * root. Made anew for every start, so that nothing of a dead guest's file handles lives on.
 */
import { RootTree } from "./p9/root-tree.ts";
import { P9Server } from "./p9/server.ts";
import { MemoryStateBacking, type StateBacking } from "./p9/state-backing.ts";
import { StateTree, type StateStorage } from "./p9/state-tree.ts";
import { StoreTree, type StoreSource } from "./p9/store-tree.ts";
import { S } from "./p9/tree.ts";
import type { MachineMode } from "./types.ts";

/** Inode numbers of the trees. All below 2^32: the guest's kernel folds larger ones, and two files would seem one. */
const firstId = { state: 1, root: 2 ** 30, build: 2 ** 30 + 1, store: 2 ** 31 };

/** The persistent directories and the modes they begin with. */
const stateDirectories: [name: string, mode: number][] = [
  ["var", 0o755],
  ["home", 0o755],
  ["root", 0o700],
  ["etc-nixos", 0o755],
];

export interface HostTreeOptions {
  store: StoreSource;
  now: () => number;
  /** Most bytes the writable tree holds. */
  capacity: number;
  onStorage: (storage: StateStorage) => void;
  onBug: (error: unknown) => void;
}

export interface HostTree {
  readonly server: P9Server;
  readonly store: StoreTree;
  /** `/state` of the machine, `/build` of the builder. */
  readonly writable: StateTree;
  /** The power is gone: nothing more is answered or stored. */
  kill(): void;
}

export async function openHostTree(
  mode: MachineMode,
  backing: StateBacking,
  options: HostTreeOptions,
): Promise<HostTree> {
  const store = new StoreTree(options.store, firstId.store);
  const writable = mode === "machine" ? await openStateTree(backing, options) : await openBuildTree(options);
  const mounts = { store: store.root, [mode === "machine" ? "state" : "build"]: writable.root };
  const root = new RootTree(firstId.root, mounts, writable);
  const server = new P9Server(root.root, options.onBug);
  const kill = (): void => {
    server.kill();
    writable.kill();
  };
  return { server, store, writable, kill };
}

/** The persistent tree with its directories; also opened alone, to read or write files while the machine is off. */
export async function openStateTree(
  backing: StateBacking,
  { now, capacity, onStorage }: Pick<HostTreeOptions, "now" | "capacity" | "onStorage">,
): Promise<StateTree> {
  const tree = await StateTree.open(backing, { now, capacity, onStorage, firstId: firstId.state });
  for (const [name, mode] of stateDirectories) {
    if (tree.lookup(tree.root, name) !== undefined) continue;
    tree.create(tree.root, name, { mode: S.DIRECTORY | mode, uid: 0, gid: 0 });
  }
  return tree;
}

/** Nothing of a build outlives its machine, and a commit costs nothing: the tree is its own backing. */
function openBuildTree({ now, capacity, onStorage }: HostTreeOptions): Promise<StateTree> {
  const options = { now, capacity, onStorage, firstId: firstId.build, delay: 2 ** 30 };
  return StateTree.open(new MemoryStateBacking(), options);
}
