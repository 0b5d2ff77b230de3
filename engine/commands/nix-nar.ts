/** `nix nar …`: looking into archives and packing them. */
import { fromBytes } from "../store/format/bytes.ts";
import { decodeNar, encodeNar } from "../store/format/nar.ts";
import { type SourceTree, nodeAt } from "../store/format/tree.ts";
import { readArgumentTree } from "./add.ts";
import { type CommandContext, CommandError } from "./command.ts";
import { LISTING_FLAGS, LISTING_SHORT, printListing } from "./listing.ts";
import type { Subcommand } from "./subcommand.ts";

export const NAR_VERBS: readonly Subcommand[] = [
  {
    verb: "nar ls",
    doc: "list what an archive holds",
    flags: LISTING_FLAGS,
    short: LISTING_SHORT,
    args: [2, 2],
    run: async (context, [archive, path], options) => {
      const node = await archivedNode(context, archive as string, path as string);
      const name = (path as string).slice((path as string).lastIndexOf("/") + 1);
      return printListing(context, { node, name, size: ({ contents }) => contents.length }, options);
    },
  },
  {
    verb: "nar cat",
    doc: "print a file of an archive",
    flags: {},
    args: [2, 2],
    run: async (context, [archive, path]) => {
      const node = await archivedNode(context, archive as string, path as string);
      if (node.type !== "regular") throw new CommandError(`file '${path ?? ""}' is not a regular file`);
      context.print(fromBytes(node.contents));
      return 0;
    },
  },
  { verb: "nar pack", doc: "print the archive of a path", flags: {}, args: [1, 1], run: pack },
  {
    verb: "nar dump-path",
    doc: "the old name of pack",
    flags: {},
    args: [1, 1],
    deprecated: "'nix nar dump-path' is a deprecated alias for 'nix nar pack'",
    run: pack,
  },
];

async function pack(context: CommandContext, [path]: readonly string[]): Promise<number> {
  context.print(fromBytes(encodeNar(await readArgumentTree(context, path as string))));
  return 0;
}

async function archivedNode(context: CommandContext, archive: string, path: string): Promise<SourceTree> {
  const file = await readArgumentTree(context, archive);
  if (file.type !== "regular") throw new CommandError(`'${archive}' is not an archive`);
  const node = nodeAt(decodeNar(file.contents), path);
  if (node === undefined) throw new CommandError(`path '${path}' does not exist`);
  return node;
}
