/** `nix search`: packages whose attribute path, name or description matches every one of some regular expressions. */
import { parseDrvName } from "../builtins/versions.ts";
import { isDerivationForced } from "../eval/equality.ts";
import { NixError } from "../eval/error.ts";
import { Attrs, isString, textOf, type Slot } from "../eval/value.ts";
import { flakeAttributes, parseFlakeArgument } from "./flakes.ts";
import { installableValue } from "./installables.ts";
import type { LanguageProgram, LanguageRun } from "./language.ts";
import { SOURCE_FLAGS, usage } from "./language-options.ts";

export const NIX_SEARCH: LanguageProgram = {
  words: "nix search",
  flags: {
    flags: { ...SOURCE_FLAGS, "--json": 0, "--exclude": 1 },
    short: { "-e": "--exclude", "-f": "--file" },
    most: Infinity,
  },
  run: (run) => new Search(run).run(),
};

interface Package {
  readonly path: string;
  readonly name: string;
  readonly version: string;
  readonly description: string;
}

class Search {
  readonly #run: LanguageRun;
  readonly #patterns: readonly RegExp[];
  readonly #excluded: readonly RegExp[];
  readonly #found: Package[] = [];

  constructor(run: LanguageRun) {
    this.#run = run;
    const texts = run.flags.args.slice(1);
    if (texts.length === 0) {
      throw usage("Must provide at least one regex! To match all packages, use 'nix search <installable> ^'.");
    }
    this.#patterns = texts.map(pattern);
    this.#excluded = run.flags.all("--exclude").map(([text]) => pattern(text!));
  }

  run(): number {
    const { flags, world } = this.#run;
    for (const { path, slot } of this.#roots()) this.#visit(slot, path, true);
    if (flags.has("--json")) {
      const entries = this.#found.map(({ path, name, version, description }) => [
        path,
        { description, pname: name, version },
      ]);
      entries.sort(([left], [right]) => ((left as string) < (right as string) ? -1 : 1));
      world.print(`${JSON.stringify(Object.fromEntries(entries))}\n`);
      return 0;
    }
    if (this.#found.length === 0) throw new NixError("eval", "no results for the given search term(s)!");
    world.print(this.#found.map((found) => this.#shown(found)).join("\n"));
    return 0;
  }

  #roots(): readonly { readonly path: readonly string[]; readonly slot: Slot }[] {
    const { flags } = this.#run;
    const argument = flags.args[0]!;
    if (flags.has("--expr") || flags.has("--file")) {
      return [{ path: [], slot: installableValue(this.#run, argument).slot }];
    }
    const { system } = flags.settings;
    const folders = [`packages.${system}`, `legacyPackages.${system}`];
    const candidates = { prefixes: folders.map((folder) => `${folder}.`), defaults: folders };
    const found = flakeAttributes(this.#run, parseFlakeArgument(this.#run, argument), candidates);
    return found.map(({ path, slot }) => ({ path: path.split("."), slot }));
  }

  #visit(slot: Slot, path: readonly string[], isRoot: boolean): void {
    const { evaluator, session, world } = this.#run;
    const shown = path.join(".");
    session.once(`evaluating ${shown}`, () => world.error(`evaluating '${shown}'...\n`));
    const isLegacy = path[0] === "legacyPackages";
    try {
      const value = evaluator.force(slot);
      if (!(value instanceof Attrs)) return;
      if (evaluator.run(() => isDerivationForced(value))) this.#consider(value, shown);
      else if (isRoot || (path.length <= 2 && (isLegacy || path[0] === "packages" || path.length === 0))) {
        this.#below(value, path);
      } else if (isLegacy && path.length > 2) {
        const marker = value.get("recurseForDerivations");
        if (marker !== undefined && evaluator.force(marker) === true) this.#below(value, path);
      }
    } catch (thrown) {
      if (!(thrown instanceof NixError) || !isLegacy) throw thrown;
    }
  }

  #below(set: Attrs, path: readonly string[]): void {
    set.keys.names.forEach((name, index) => this.#visit(set.values[index]!, [...path, name], false));
  }

  #consider(set: Attrs, path: string): void {
    const { name, version } = parseDrvName(this.#text(set, "name"));
    const meta = set.get("meta");
    const info = meta === undefined ? undefined : this.#run.evaluator.force(meta);
    const description = (info instanceof Attrs ? this.#text(info, "description") : "").replaceAll("\n", " ");
    const matches = (regex: RegExp): boolean => [path, name, description].some((text) => text.search(regex) >= 0);
    if (this.#excluded.some(matches) || !this.#patterns.every(matches)) return;
    this.#found.push({ path, name, version, description });
  }

  #text(set: Attrs, name: string): string {
    const slot = set.get(name);
    const value = slot === undefined ? undefined : this.#run.evaluator.force(slot);
    return value !== undefined && isString(value) ? textOf(value) : "";
  }

  #shown({ path, version, description }: Package): string {
    const title = `\x1b[0;1m${this.#highlight(path, "\x1b[0;1m")}\x1b[0m`;
    const line = `* ${title}${version === "" ? "" : ` (${version})`}\n`;
    return description === "" ? line : `${line}  ${this.#highlight(description, "\x1b[0m")}\n`;
  }

  /** A text with its matches in green; those that overlap are one. */
  #highlight(text: string, after: string): string {
    const spans = this.#patterns
      .flatMap((regex) =>
        [...text.matchAll(regex)].map(({ 0: match, index }) => [index, index + match.length] as const),
      )
      .sort(([left], [right]) => left - right);
    let out = "";
    let at = 0;
    for (let index = 0; index < spans.length;) {
      const [start] = spans[index]!;
      let end = start;
      for (; index < spans.length && spans[index]![0] <= end; index++) end = Math.max(end, spans[index]![1]);
      out += `${text.slice(at, start)}\x1b[32;1m${text.slice(start, end)}${after}`;
      at = end;
    }
    return out + text.slice(at);
  }
}

function pattern(text: string): RegExp {
  try {
    return new RegExp(text, "gi");
  } catch {
    const count = (char: string): number => text.split(char).length;
    const isUneven = count("(") !== count(")");
    throw new NixError(
      "eval",
      isUneven ? "Mismatched '(' and ')' in regular expression" : "Invalid regular expression",
    );
  }
}
