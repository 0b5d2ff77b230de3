/**
 * Hashes of strings and files, and their written forms.
 */
import { NixError } from "#engine/eval/error.ts";
import type { EvalContext } from "#engine/eval/context.ts";
import { missingPath, resolveLinks } from "#engine/eval/paths.ts";
import type { Attrs, Slot } from "#engine/eval/value.ts";
import { textOf } from "#engine/eval/value.ts";
import { hashHex, parseHash, parseHashAlgorithm, parseHashFormat, printHash } from "#engine/store/format/hash.ts";
import type { HashAlgorithm } from "#engine/store/format/hash.ts";
import { demand, locate, withFormatErrors } from "./demand.ts";
import { arg, builtin } from "./record.ts";
import { realisePath } from "./realise-path.ts";
import type { BuiltinFamily, Routine } from "./record.ts";

/** What the operating system says to reading a directory. */
const READ_DIRECTORY = "read of 4096 bytes: Is a directory";

const algorithmOf = (name: string): HashAlgorithm => withFormatErrors(() => parseHashAlgorithm(name));

function* hashFile(name: string, slot: Slot, context: EvalContext): Routine<string> {
  const algorithm = algorithmOf(name);
  const path = yield* realisePath(slot, context);
  const real = resolveLinks(context.io, path);
  const status = context.io.lstat(real);
  if (status === undefined) throw missingPath(path);
  if (status.type === "directory") throw new NixError("io", READ_DIRECTORY);
  return hashHex(algorithm, context.io.readFile(real));
}

function* convertHash(attrs: Attrs, { warn }: EvalContext): Routine<string> {
  const attribute = (name: string): Routine<string> =>
    demand(locate(attrs, name), "plain", `while evaluating the attribute '${name}'`);
  const text = yield* attribute("hash");
  const algorithmName = attrs.has("hashAlgo") ? yield* attribute("hashAlgo") : undefined;
  const algorithm = algorithmName === undefined ? undefined : algorithmOf(algorithmName);
  const formatName = yield* attribute("toHashFormat");
  const format = withFormatErrors(() => parseHashFormat(formatName));
  if (formatName === "base32") warn('"base32" is a deprecated alias for hash format "nix32".');
  return withFormatErrors(() => printHash(parseHash(text, algorithm), format));
}

export const hashBuiltins: BuiltinFamily = [
  builtin({
    name: "hashString",
    args: [arg("type", "plain"), arg("s", "lazy")],
    doc: 'The hash of the string *s* in base 16. *type* is `"md5"`, `"sha1"`, `"sha256"` or `"sha512"` (or `"blake3"`, behind an experimental feature).',
    *routine([name, slot], context) {
      const algorithm = algorithmOf(name);
      if (algorithm === "blake3") context.requireFeature("blake3-hashes");
      const string = yield* demand(
        slot,
        "string",
        "while evaluating the second argument passed to builtins.hashString",
      );
      return hashHex(algorithm, textOf(string));
    },
  }),
  builtin({
    name: "hashFile",
    args: [arg("type", "plain"), arg("p", "lazy")],
    doc: "The hash of the contents of the file at path *p* in base 16; *type* as for `hashString`.",
    *routine([name, slot], context) {
      return yield* hashFile(name, slot, context);
    },
  }),
  builtin({
    name: "convertHash",
    args: [arg("args", "attrs")],
    doc: 'Writes a hash in another form. The set has `hash`, `toHashFormat` (`"base16"`, `"nix32"`, `"base64"` or `"sri"`) and, unless the hash names it, `hashAlgo`.',
    *routine([attrs], context) {
      return yield* convertHash(attrs, context);
    },
  }),
];
