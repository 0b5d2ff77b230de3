/** `nix`: the verbs that concern the store, derivations, hashes, archives and keys. */
import type { ByteString } from "../store/format/bytes.ts";
import { type Command, type CommandContext } from "./command.ts";
import { runBuild } from "./nix-build.ts";
import { DERIVATION_VERBS } from "./nix-derivation.ts";
import { LANGUAGE_VERBS, runInEvaluator } from "./language-verbs.ts";
import { HASH_VERBS } from "./nix-hash-verbs.ts";
import { NAR_VERBS } from "./nix-nar.ts";
import { PATH_INFO_VERBS } from "./nix-path-info.ts";
import { PROFILE_VERBS } from "./nix-profile.ts";
import { REALISE_VERBS } from "./nix-realise.ts";
import { STORE_VERBS } from "./nix-store-verbs.ts";
import { WHY_DEPENDS_VERBS } from "./nix-why-depends.ts";
import { type Subcommand, runSubcommand } from "./subcommand.ts";
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
  const [first, second, ...rest] = withoutLeadingFlags(argv);
  if (first === undefined) throw new UsageError("no subcommand specified");
  if (first === "--version") {
    context.print(`nix (Nix) ${NIX_VERSION}\n`);
    return 0;
  }
  const isOfLanguage = LANGUAGE_VERBS.some(({ verb }) => verb === first || verb === `${first} ${second ?? ""}`);
  if (isOfLanguage) return runInEvaluator(context, ["nix", ...withoutLeadingFlags(argv)]);
  if (first === "build") return runBuild(withoutLeadingFlags(argv).slice(1), context);
  const single = NIX_VERBS.find(({ verb }) => verb === first);
  if (single !== undefined) return runSubcommand(single, second === undefined ? [] : [second, ...rest], context);
  const double = NIX_VERBS.find(({ verb }) => verb === `${first} ${second ?? ""}`);
  if (double !== undefined) return runSubcommand(double, rest, context);
  return unknownVerb(first, second);
}

/** `nix --extra-experimental-features X store …`. */
function withoutLeadingFlags(argv: readonly ByteString[]): readonly ByteString[] {
  const [first, ...rest] = argv;
  if (first === "--extra-experimental-features" || first === "--store") return withoutLeadingFlags(rest.slice(1));
  return argv;
}

function unknownVerb(first: ByteString, second: ByteString | undefined): never {
  const family = [...NIX_VERBS, ...LANGUAGE_VERBS].filter(({ verb }) => verb.startsWith(`${first} `));
  if (family.length === 0)
    throw new UsageError(`'${first}' is not a recognised command${suggestion(first, NIX_WORDS)}`);
  if (second === undefined) throw new UsageError(`'nix ${first}' requires a sub-command.`);
  const words = family.map(({ verb }) => verb.slice(first.length + 1));
  throw new UsageError(`'${second}' is not a recognised command${suggestion(second, words)}`);
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
