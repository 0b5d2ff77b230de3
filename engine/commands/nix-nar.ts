/** `nix nar …`: looking into archives and packing them. */
import { encodeUtf8, fromBytes } from "../store/format/bytes.ts";
import { decodeNar } from "../store/format/nar.ts";
import type { Json } from "../store/format/json.ts";
import { type SourceTree, nodeAt } from "../store/format/tree.ts";
import { dumpArgument, readArgumentFile } from "./add.ts";
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
      return printListing(context, { node, name, size: ({ contents }) => contents.length, extra: offsetOf }, options);
    },
  },
  {
    verb: "nar cat",
    doc: "print a file of an archive",
    flags: {},
    args: [2, 2],
    run: async (context, [archive, path]) => {
      const node = nodeAt(await readArchive(context, archive as string), path as string);
      if (node?.type !== "regular") throw new CommandError(`NAR does not contain regular file '${path ?? ""}'`);
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
  await dumpArgument(context, path as string);
  return 0;
}

async function archivedNode(context: CommandContext, archive: string, path: string): Promise<SourceTree> {
  const node = nodeAt(await readArchive(context, archive), path);
  const shown = path.startsWith("/") ? path : `/${path}`;
  if (node === undefined) throw new CommandError(`path '${encodeUtf8("«unknown»")}${shown}' does not exist`);
  return node;
}

async function readArchive(context: CommandContext, archive: string): Promise<SourceTree> {
  const { contents } = await readArgumentFile(context, archive, "opening NAR file", 32_768);
  return decodeNar(new Uint8Array(contents));
}

/** Where a file's bytes lie in its archive: contents are views of it. */
function offsetOf({ contents }: { readonly contents: Uint8Array }): Readonly<Record<string, Json>> {
  return { narOffset: contents.byteOffset };
}
