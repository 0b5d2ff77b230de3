/** `nix`: the verbs that concern the store, derivations, hashes, archives and keys. */
import { type ByteString, encodeUtf8 } from "../store/format/bytes.ts";
import { type Command, type CommandContext, CommandError } from "./command.ts";
import { runBuild } from "./nix-build.ts";
import { DERIVATION_VERBS } from "./nix-derivation.ts";
import { LANGUAGE_VERBS, runInEvaluator } from "./language-verbs.ts";
import { HASH_VERBS } from "./nix-hash-verbs.ts";
import { NAR_VERBS } from "./nix-nar.ts";
import { PATH_INFO_VERBS } from "./nix-path-info.ts";
import { PROFILE_VERBS } from "./nix-profile.ts";
import { REALISE_VERBS } from "./nix-realise.ts";
import { RUN_VERBS } from "./nix-run.ts";
import { DEVELOP_VERBS } from "./nix-shell.ts";
import { STORE_VERBS } from "./nix-store-verbs.ts";
import { WHY_DEPENDS_VERBS } from "./nix-why-depends.ts";
import { COMMON, type Subcommand, runSubcommand, takeValues } from "./subcommand.ts";
import { NIX_VERSION, UsageError, guard } from "./support.ts";

const NIX_VERBS: readonly Subcommand[] = [
  ...PATH_INFO_VERBS,
  ...WHY_DEPENDS_VERBS,
  ...STORE_VERBS,
  ...HASH_VERBS,
  ...DERIVATION_VERBS,
  ...NAR_VERBS,
  ...PROFILE_VERBS,
  ...REALISE_VERBS,
];

/** All of Nix's first words: what a mistyped one is compared with. */
const NIX_WORDS =
  "build bundle config copy daemon derivation develop edit env eval flake fmt formatter hash help help-stores key log nar path-info print-dev-env profile realisation registry repl run search shell store upgrade-nix why-depends".split(
    " ",
  );

export const nix: Command = {
  name: "nix",
  doc: "the newer command for everything",
  run: (argv, context) => guard("nix", context, () => runNix(argv, context)),
};

async function runNix(argv: readonly ByteString[], context: CommandContext): Promise<number> {
  const { flags, words } = splitLeadingFlags(argv);
  const [first, second, ...rest] = words;
  if (first === undefined) throw new UsageError("no subcommand specified");
  if (first === "--version") {
    context.print(`nix (Nix) ${NIX_VERSION}\n`);
    return 0;
  }
  if (first.startsWith("-")) throw new UsageError(`unrecognised flag '${first}'`);
  const isOfLanguage = LANGUAGE_VERBS.some(({ verb }) => verb === first || verb === `${first} ${second ?? ""}`);
  if (isOfLanguage) return runInEvaluator(context, ["nix", ...words]);
  if (first === "build") return runBuild(words.slice(1), context);
  const running = [...RUN_VERBS, ...DEVELOP_VERBS].find(
    ({ verb }) => verb === first || verb === `${first} ${second ?? ""}`,
  );
  if (running !== undefined) return running.run(words.slice(running.verb.split(" ").length), context);
  const verb = OLD_NAMES[first] ?? first;
  const single = NIX_VERBS.find((known) => known.verb === verb);
  if (single !== undefined) {
    if (verb !== first) context.error(`warning: '${first}' is a deprecated alias for '${verb}'\n`);
    return runSubcommand(single, [...flags, ...words.slice(1)], context);
  }
  const double = NIX_VERBS.find((known) => known.verb === `${first} ${second ?? ""}`);
  if (double !== undefined) return runSubcommand(double, [...flags, ...rest], context);
  return unknownVerb(first, second);
}

/** Verbs by the names that they had before. */
const OLD_NAMES: Readonly<Record<string, string>> = {
  "add-to-store": "store add-path",
  "cat-nar": "nar cat",
  "cat-store": "store cat",
  "copy-sigs": "store copy-sigs",
  "dump-path": "store dump-path",
  "hash-file": "hash file",
  "hash-path": "hash path",
  "ls-nar": "nar ls",
  "ls-store": "store ls",
  "make-content-addressable": "store make-content-addressed",
  "optimise-store": "store optimise",
  "ping-store": "store info",
  "show-derivation": "derivation show",
  "show-config": "config show",
  "sign-paths": "store sign",
  "to-base16": "hash to-base16",
  "to-base32": "hash to-base32",
  "to-base64": "hash to-base64",
  verify: "store verify",
};

/** `nix --extra-experimental-features X store …`: flags that stand before the verb. */
function splitLeadingFlags(argv: readonly ByteString[]): { flags: ByteString[]; words: ByteString[] } {
  const words = [...argv];
  const flags: ByteString[] = [];
  for (let flag = words[0]; flag !== undefined && Object.hasOwn(COMMON, flag); flag = words[0]) {
    words.shift();
    flags.push(flag, ...takeValues(words, flag, COMMON[flag] as number));
  }
  return { flags, words };
}

/** Nix's own second words, as it lists them. */
const FAMILIES: Readonly<Record<string, string>> = {
  config: "check show",
  derivation: "add show",
  flake: "archive check clone info init lock metadata new prefetch-inputs prefetch show update",
  hash: "convert file path to-base16 to-base32 to-base64 to-sri",
  key: "convert-secret-to-public generate-secret",
  nar: "cat dump-path ls pack",
  profile: "add diff-closures history list remove rollback upgrade wipe-history",
  realisation: "info",
  registry: "add list pin remove resolve",
  store:
    "add-file add-path add cat copy-log copy-sigs delete diff-closures dump-path gc info ls make-content-addressed optimise path-from-hash-part prefetch-file repair roots-daemon sign verify",
};

function unknownVerb(first: ByteString, second: ByteString | undefined): never {
  const family = Object.hasOwn(FAMILIES, first) ? (FAMILIES[first] as string).split(" ") : undefined;
  if (family === undefined) {
    throw new UsageError(`'${first}' is not a recognised command${suggestion(first, NIX_WORDS)}`);
  }
  if (second === undefined) throw new UsageError(familyText(first, family));
  if (family.includes(second)) throw new CommandError(`'nix ${first} ${second}' is not offered here`);
  throw new UsageError(`'${second}' is not a recognised command${suggestion(second, family)}`);
}

const DOT = encodeUtf8("·");

/** Nix breaks the first line when it is longer than a narrow terminal's. */
function familyText(first: ByteString, family: readonly string[]): string {
  const head = `nix ${first} requires a sub-command. Available`;
  const space = `${head} sub-commands:`.length < 60 ? " " : "\n";
  return `${head}${space}sub-commands:\n\n${family.map((name) => `  ${DOT} ${name}`).join("\n")}`;
}

/** Nix's hint: the nearest names within two edits. */
function suggestion(word: string, names: readonly string[]): string {
  const near = names
    .map((name) => ({ name, distance: editDistance(word, name) }))
    .filter(({ distance }) => distance <= 2);
  near.sort((left, right) => left.distance - right.distance || (left.name < right.name ? -1 : 1));
  const [best, ...others] = near.slice(0, 5).map(({ name }) => name);
  if (best === undefined) return "";
  if (others.length === 0) return `\nDid you mean ${best}?`;
  return `\nDid you mean one of ${[best, ...others.slice(0, -1)].join(", ")} or ${others.at(-1) ?? ""}?`;
}

function editDistance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let at = 1; at <= left.length; at++) {
    const next = [at];
    for (let to = 1; to <= right.length; to++) {
      const same = left[at - 1] === right[to - 1] ? 0 : 1;
      next.push(Math.min((row[to] as number) + 1, (next[to - 1] as number) + 1, (row[to - 1] as number) + same));
    }
    row = next;
  }
  return row[right.length] as number;
}
