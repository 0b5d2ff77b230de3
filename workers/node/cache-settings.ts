/** Which binary caches a program of this computer asks, and whose signatures it believes: Nix's settings, as far as they say that. */

export interface CacheSettings {
  /** Addresses, in the order given. */
  readonly substituters: readonly string[];
  readonly trustedPublicKeys: readonly string[];
}

/**
 * From `--option NAME VALUE`, `--NAME VALUE` (both also with `extra-`, which adds) and, where these say nothing, the variables
 * NIX_SUBSTITUTERS and NIX_TRUSTED_PUBLIC_KEYS. `--option substitute false` and `--no-substitute` leave no cache.
 */
export function cacheSettings(
  argv: readonly string[],
  env: (name: string) => string | undefined = (name) => process.env[name],
): CacheSettings {
  const given = new Map<string, string[]>([
    ["substituters", words(env("NIX_SUBSTITUTERS"))],
    ["trusted-public-keys", words(env("NIX_TRUSTED_PUBLIC_KEYS"))],
  ]);
  let substitute = true;
  for (const [name, value] of settingsOf(argv)) {
    if (name === "substitute") substitute = value !== "false";
    const plain = name.replace(/^extra-/, "");
    const before = given.get(plain);
    if (before !== undefined) given.set(plain, plain === name ? words(value) : [...before, ...words(value)]);
  }
  return {
    substituters: substitute ? (given.get("substituters") as string[]) : [],
    trustedPublicKeys: given.get("trusted-public-keys") as string[],
  };
}

function* settingsOf(argv: readonly string[]): Generator<readonly [name: string, value: string]> {
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] as string;
    if (word === "--option" && at + 2 < argv.length) {
      yield [argv[at + 1] as string, argv[at + 2] as string];
      at += 2;
    } else if (word === "--no-substitute") yield ["substitute", "false"];
    else if (/^--(extra-)?(substituters|trusted-public-keys)$/.test(word) && at + 1 < argv.length)
      yield [word.slice(2), argv[++at] as string];
  }
}

function words(text: string | undefined): string[] {
  return (text ?? "").split(/\s+/).filter((word) => word !== "");
}
