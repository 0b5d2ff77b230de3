/**
 * Files of the persistent tree, read and written by the host while the machine is off. (While it runs, the guest's kernel caches what
 * it has mounted, so the host never touches these files: it goes through the agent.)
 */
import { encodeUtf8 } from "#engine/store/format/bytes.ts";
import { MachineError } from "./errors.ts";
import type { StateInode, StateTree } from "./p9/state-tree.ts";
import { S } from "./p9/tree.ts";

/** Where the guest sees the directories of the tree. */
const mounts: [guest: string, tree: string][] = [
  ["/etc/nixos/", "etc-nixos/"],
  ["/var/", "var/"],
  ["/home/", "home/"],
  ["/root/", "root/"],
];

/** Replaces the file as a whole, making the directories on the way. Durable when it resolves. */
export async function writeStateFile(tree: StateTree, path: string, bytes: Uint8Array, mode: number): Promise<void> {
  const names = treePath(path);
  const name = names.pop()!;
  const directory = names.reduce((at, entry) => childDirectory(tree, at, entry), tree.root);
  const temporary = `${name}.new~`;
  if (tree.lookup(directory, temporary) !== undefined) tree.unlink(directory, temporary, false);
  const file = tree.create(directory, temporary, { mode: S.REGULAR | mode, uid: 0, gid: 0 });
  await tree.write(file, 0, bytes);
  tree.rename(directory, temporary, directory, name);
  await tree.sync();
}

/** @throws MachineError "refused" when there is no such file */
export async function readStateFile(tree: StateTree, path: string): Promise<Uint8Array> {
  let inode: StateInode | undefined = tree.root;
  for (const name of treePath(path)) inode = inode?.entries?.get(name);
  if (inode?.content === undefined) throw new MachineError("refused", `no such file: ${path}`, { path });
  return tree.read(inode, 0, inode.content.size);
}

/** The names below the tree's root. @throws MachineError "wrong-state" for a path that is not persistent */
function treePath(path: string): string[] {
  const mount = mounts.find(([guest]) => path.startsWith(guest));
  const names = encodeUtf8(path.slice(mount?.[0].length ?? 0)).split("/");
  if (mount === undefined || names.some((name) => name === "" || name === "." || name === "..")) {
    throw new MachineError("wrong-state", `${path} exists only while the machine runs`, { path });
  }
  return [mount[1].slice(0, -1), ...names];
}

function childDirectory(tree: StateTree, directory: StateInode, name: string): StateInode {
  const mode = S.DIRECTORY | 0o755;
  return tree.lookup(directory, name) ?? tree.create(directory, name, { mode, uid: 0, gid: 0 });
}
