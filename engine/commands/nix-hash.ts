/** `nix-hash`: hashes of files and trees, and hashes in other forms. */
import type { ByteString } from "../store/format/bytes.ts";
import {
  type Hash,
  type HashAlgorithm,
  type HashFormat,
  compressDigest,
  parseHash,
  printHash,
} from "../store/format/hash.ts";
import { contentHash } from "../store/store.ts";
import { readArgumentFile, readArgumentTree } from "./add.ts";
import type { Command, CommandContext } from "./command.ts";
import { NIX_VERSION, UsageError, algorithmNamed, guard } from "./support.ts";

export const nixHash: Command = {
  name: "nix-hash",
  doc: "hash files and convert hashes",
  run: (argv, context) => guard("nix-hash", context, () => runNixHash(argv, context)),
};

interface Settings {
  flat: boolean;
  truncate: boolean;
  algorithm: HashAlgorithm | undefined;
  format: HashFormat;
  /** Set when the arguments are hashes. */
  convert: boolean;
}

const FORMATS: Readonly<Record<string, HashFormat>> = {
  "--base16": "base16",
  "--base32": "nix32",
  "--base64": "base64",
  "--sri": "sri",
};

const CONVERSIONS: Readonly<Record<string, HashFormat>> = {
  "--to-base16": "base16",
  "--to-base32": "nix32",
  "--to-base64": "base64",
  "--to-sri": "sri",
};

async function runNixHash(argv: readonly ByteString[], context: CommandContext): Promise<number> {
  const settings: Settings = { flat: false, truncate: false, algorithm: undefined, format: "base16", convert: false };
  const args: ByteString[] = [];
  let type: string | undefined;
  let features: string | undefined;
  const words = [...argv];
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === "--version") {
      context.print(`nix-hash (Nix) ${NIX_VERSION}\n`);
      return 0;
    }
    if (word === "--type") type = requiredValue(words, word);
    else if (word === "--extra-experimental-features") features = requiredValue(words, word);
    else if (!takeFlag(settings, word)) args.push(word);
  }
  if (type !== undefined) settings.algorithm = algorithmNamed(context, features, type);
  for (const argument of args) context.print(`${await answer(context, settings, argument)}\n`);
  return 0;
}

function requiredValue(words: ByteString[], flag: string): string {
  const value = words.shift();
  if (value === undefined) throw new UsageError(`'${flag}' requires an argument`);
  return value;
}

function takeFlag(settings: Settings, word: string): boolean {
  if (!word.startsWith("-")) return false;
  const format = FORMATS[word];
  const conversion = CONVERSIONS[word];
  if (word === "--flat") settings.flat = true;
  else if (word === "--truncate") settings.truncate = true;
  else if (format !== undefined) settings.format = format;
  else if (conversion !== undefined) Object.assign(settings, { format: conversion, convert: true });
  else throw new UsageError(`unrecognised flag '${word}'`);
  return true;
}

async function answer(context: CommandContext, settings: Settings, argument: ByteString): Promise<string> {
  if (settings.convert) return printHash(parseHash(argument, settings.algorithm), settings.format);
  const tree = await (settings.flat ? readArgumentFile : readArgumentTree)(context, argument);
  const hash = contentHash(tree, settings.flat ? "flat" : "nar", settings.algorithm ?? "md5");
  return printHash(settings.truncate ? truncated(hash) : hash, settings.format);
}

/** Longer hashes folded to the 160 bits of a store path. */
function truncated(hash: Hash): Hash {
  return hash.bytes.length > 20 ? { ...hash, bytes: compressDigest(hash.bytes, 20) } : hash;
}
