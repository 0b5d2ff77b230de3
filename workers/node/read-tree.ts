/** File trees from the disk: names and link targets as bytes, contents in memory. */
import fs from "node:fs";
import { type SourceTree, directory, regularFile, symlink } from "#engine/store/format/tree.ts";

/** Undefined when nothing is there. */
export function readTree(place: Buffer): SourceTree | undefined {
  const status = fs.lstatSync(place, { throwIfNoEntry: false });
  if (status === undefined) return undefined;
  if (status.isSymbolicLink()) return symlink(fs.readlinkSync(place, "latin1"));
  if (!status.isDirectory()) return regularFile(fs.readFileSync(place), (status.mode & 0o100) !== 0);
  const names = fs.readdirSync(place, "latin1");
  return directory(names.map((name) => [name, readTree(childOf(place, name)) as SourceTree] as const));
}

export function childOf(place: Buffer, name: string): Buffer {
  return Buffer.concat([place, Buffer.from(`/${name}`, "latin1")]);
}
