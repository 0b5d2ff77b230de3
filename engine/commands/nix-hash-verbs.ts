/** `nix hash …`: hashing files and converting hashes. */
import {
  type HashAlgorithm,
  type HashFormat,
  hashLength,
  parseHash,
  parseHashFormat,
  printHash,
} from "../store/format/hash.ts";
import { nix32Length } from "../store/format/base-n.ts";
import { contentHash } from "../store/store.ts";
import { readArgumentFile, readArgumentTree } from "./add.ts";
import { type CommandContext, CommandError } from "./command.ts";
import { FEATURES, type Options, type Subcommand } from "./subcommand.ts";
import { UsageError, algorithmNamed, requireFeature } from "./support.ts";

const FORMAT_FLAGS = { "--base16": 0, "--base32": 0, "--base64": 0, "--sri": 0, "--format": 1 } as const;
const OLD_CONVERSION =
  "The old format conversion subcommands of `nix hash` were deprecated in favor of `nix hash convert`.";

export const HASH_VERBS: readonly Subcommand[] = [
  {
    verb: "hash path",
    doc: "hash the NAR of a path",
    flags: { ...FORMAT_FLAGS, "--algo": 1, "--type": 1, "--mode": 1 },
    args: [0, Infinity],
    run: (context, args, options) => hashFiles(context, args, options, ingestionMethod(context, options)),
  },
  {
    verb: "hash file",
    doc: "hash the bytes of a file",
    flags: { "--base16": 0, "--base32": 0, "--base64": 0, "--sri": 0, "--type": 1 },
    args: [0, Infinity],
    run: (context, args, options) => hashFiles(context, args, options, "flat"),
  },
  {
    verb: "hash convert",
    doc: "write hashes in another form",
    flags: { "--hash-algo": 1, "--to": 1, "--from": 1 },
    args: [0, Infinity],
    run: convertHashes,
  },
  ...(["base16", "base32", "base64", "sri"] as const).map((format): Subcommand => {
    return {
      verb: `hash to-${format}`,
      doc: `write hashes as ${format}`,
      flags: { "--type": 1 },
      args: [0, Infinity],
      deprecated: OLD_CONVERSION,
      run: (context, args, options) => {
        return printAll(context, args, algorithmOf(context, options, "--type"), format === "base32" ? "nix32" : format);
      },
    };
  }),
];

function algorithmOf(
  context: CommandContext,
  options: Options,
  ...flags: readonly string[]
): HashAlgorithm | undefined {
  const name = flags.map((flag) => options.value(flag)).find((value) => value !== undefined);
  return name === undefined ? undefined : algorithmNamed(context, options.value(FEATURES), name);
}

function ingestionMethod(context: CommandContext, options: Options): "nar" | "flat" | "git" {
  const mode = options.value("--mode") ?? "nar";
  if (mode === "git") requireFeature(context, options.value(FEATURES), "git-hashing");
  if (mode === "nar" || mode === "flat" || mode === "git") return mode;
  throw new UsageError(`Unknown file ingestion method '${mode}', expect \`flat\`, \`nar\`, or \`git\``);
}

async function hashFiles(
  context: CommandContext,
  args: readonly string[],
  options: Options,
  method: "nar" | "flat" | "git",
): Promise<number> {
  const algorithm = algorithmOf(context, options, "--algo", "--type") ?? "sha256";
  const format = chosenFormat(context, options);
  for (const argument of args) {
    const tree = await (method === "flat" ? readArgumentFile : readArgumentTree)(context, argument);
    context.print(`${printHash(contentHash(tree, method, algorithm), format)}\n`);
  }
  return 0;
}

/** A format by its name; an old one is warned of. */
function formatNamed(context: CommandContext, name: string): HashFormat {
  if (name === "base32") context.error('warning: "base32" is a deprecated alias for hash format "nix32".\n');
  return parseHashFormat(name);
}

function chosenFormat(context: CommandContext, options: Options): HashFormat {
  const named = options.value("--format");
  if (named !== undefined) return formatNamed(context, named);
  if (options.has("--base16")) return "base16";
  if (options.has("--base32")) return "nix32";
  return options.has("--base64") ? "base64" : "sri";
}

async function convertHashes(context: CommandContext, args: readonly string[], options: Options): Promise<number> {
  const to = options.value("--to");
  const from = options.value("--from");
  const algorithm = algorithmOf(context, options, "--hash-algo");
  const target = to === undefined ? "sri" : formatNamed(context, to);
  const source = from === undefined ? undefined : formatNamed(context, from);
  if (source !== undefined) for (const text of args) checkFormat(text, source, algorithm);
  return printAll(context, args, algorithm, target);
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
