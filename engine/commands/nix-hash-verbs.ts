/** `nix hash …`: hashing files and converting hashes. */
import {
  type HashAlgorithm,
  type HashFormat,
  hashLength,
  parseHash,
  parseHashAlgorithm,
  parseHashFormat,
  printHash,
} from "../store/format/hash.ts";
import { nix32Length } from "../store/format/base-n.ts";
import { contentHash } from "../store/store.ts";
import { readArgumentTree } from "./add.ts";
import { type CommandContext, CommandError } from "./command.ts";
import type { Options, Subcommand } from "./subcommand.ts";

const FORMAT_FLAGS = { "--base16": 0, "--base32": 0, "--base64": 0, "--sri": 0, "--format": 1 } as const;
const OLD_CONVERSION =
  "The old format conversion subcommands of `nix hash` were deprecated in favor of `nix hash convert`.";

export const HASH_VERBS: readonly Subcommand[] = [
  {
    verb: "hash path",
    doc: "hash the NAR of a path",
    flags: { ...FORMAT_FLAGS, "--algo": 1, "--type": 1, "--mode": 1 },
    args: [1, Infinity],
    run: (context, args, options) =>
      hashFiles(context, args, options, options.value("--mode") === "flat" ? "flat" : "nar"),
  },
  {
    verb: "hash file",
    doc: "hash the bytes of a file",
    flags: { ...FORMAT_FLAGS, "--type": 1 },
    args: [1, Infinity],
    run: (context, args, options) => hashFiles(context, args, options, "flat"),
  },
  {
    verb: "hash convert",
    doc: "write hashes in another form",
    flags: { "--hash-algo": 1, "--to": 1, "--from": 1 },
    args: [1, Infinity],
    run: convertHashes,
  },
  ...(["base16", "base32", "base64", "sri"] as const).map((format): Subcommand => {
    return {
      verb: `hash to-${format}`,
      doc: `write hashes as ${format}`,
      flags: { "--type": 1 },
      args: [1, Infinity],
      deprecated: OLD_CONVERSION,
      run: (context, args, options) => {
        return printAll(context, args, algorithmOf(options.value("--type")), format === "base32" ? "nix32" : format);
      },
    };
  }),
];

function algorithmOf(name: string | undefined): HashAlgorithm | undefined {
  return name === undefined ? undefined : parseHashAlgorithm(name);
}

async function hashFiles(
  context: CommandContext,
  args: readonly string[],
  options: Options,
  method: "nar" | "flat",
): Promise<number> {
  const algorithm = algorithmOf(options.value("--algo") ?? options.value("--type")) ?? "sha256";
  for (const argument of args) {
    const tree = await readArgumentTree(context, argument);
    context.print(`${printHash(contentHash(tree, method, algorithm), chosenFormat(options))}\n`);
  }
  return 0;
}

function chosenFormat(options: Options): HashFormat {
  const named = options.value("--format");
  if (named !== undefined) return parseHashFormat(named);
  if (options.has("--base16")) return "base16";
  if (options.has("--base32")) return "nix32";
  return options.has("--base64") ? "base64" : "sri";
}

async function convertHashes(context: CommandContext, args: readonly string[], options: Options): Promise<number> {
  const to = options.value("--to");
  const from = options.value("--from");
  const algorithm = algorithmOf(options.value("--hash-algo"));
  if (from !== undefined) for (const text of args) checkFormat(text, parseHashFormat(from), algorithm);
  return printAll(context, args, algorithm, to === undefined ? "sri" : parseHashFormat(to));
}

function checkFormat(text: string, wanted: HashFormat, algorithm: HashAlgorithm | undefined): void {
  const found = formatOf(text, parseHash(text, algorithm).algorithm);
  if (found === wanted) return;
  throw new CommandError(`input hash '${text}' has format '${found}', but '--from ${wanted}' was specified`);
}

function formatOf(text: string, algorithm: HashAlgorithm): HashFormat {
  if (/^[a-z0-9]+-/.test(text)) return "sri";
  const digits = text.slice(text.indexOf(":") + 1).length;
  const bytes = hashLength(algorithm);
  return digits === 2 * bytes ? "base16" : digits === nix32Length(bytes) ? "nix32" : "base64";
}

async function printAll(
  context: CommandContext,
  hashes: readonly string[],
  algorithm: HashAlgorithm | undefined,
  format: HashFormat,
): Promise<number> {
  for (const text of hashes) context.print(`${printHash(parseHash(text, algorithm), format)}\n`);
  return 0;
}
