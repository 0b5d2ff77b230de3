/** `nix flake show`: a flake's outputs as a tree, or as JSON; what each is follows from where it lies. */
import { printFlakeRef } from "../builtins/flake-ref.ts";
import { isDerivationForced } from "../eval/equality.ts";
import { coerceToString } from "../eval/coerce.ts";
import { Attrs, isString, textOf, type Slot, type Value } from "../eval/value.ts";
import { flakeValue, lockArgument, parseFlakeArgument } from "./flakes.ts";
import type { LanguageRun } from "./language.ts";

type Json = { readonly [name: string]: Json | string };

const bold = (text: string): string => `\x1b[1m${text}\x1b[0m`;
const magenta = (text: string): string => `\x1b[35;1m${text}\x1b[0m`;
const MIDDLE = "\xe2\x94\x9c\xe2\x94\x80\xe2\x94\x80\xe2\x94\x80";
const LAST = "\xe2\x94\x94\xe2\x94\x80\xe2\x94\x80\xe2\x94\x80";
const BAR = "\xe2\x94\x82   ";

/** Where in the printed tree something is. */
interface Place {
  readonly path: readonly string[];
  /** The line as far as the name, and what stands before the lines below. */
  readonly header: string;
  readonly prefix: string;
}

export function showFlake(run: LanguageRun): number {
  const { ref } = parseFlakeArgument(run, run.flags.args[0] ?? "");
  const { flake } = lockArgument(run, ref);
  const outputs = run.evaluator.select(flakeValue(run, ref), "outputs", new Map());
  const lines: string[] = [];
  const shower = new Shower(run, lines);
  const json = shower.show(outputs, { path: [], header: bold(printFlakeRef(flake.locked)), prefix: "" });
  const isJson = run.flags.has("--json");
  for (const line of isJson ? [JSON.stringify(json)] : lines) run.world.print(`${line}\n`);
  return 0;
}

const PER_SYSTEM = ["packages", "checks", "devShells", "legacyPackages", "apps"];
const SYSTEM_LEAVES = ["formatter", "defaultPackage", "devShell", "defaultApp"];

const NAMED: Readonly<Record<string, readonly [text: string, type: string]>> = {
  nixosConfigurations: ["NixOS configuration", "nixos-configuration"],
  nixosModules: ["NixOS module", "nixos-module"],
  overlays: ["Nixpkgs overlay", "nixpkgs-overlay"],
};

const SINGLE: Readonly<Record<string, readonly [text: string, type: string]>> = {
  nixosModule: ["NixOS module", "nixos-module"],
  overlay: ["Nixpkgs overlay", "nixpkgs-overlay"],
};

class Shower {
  readonly #run: LanguageRun;
  readonly #lines: string[];

  constructor(run: LanguageRun, lines: string[]) {
    this.#run = run;
    this.#lines = lines;
  }

  /** Adds the lines of one output and what is below it; gives its JSON. */
  show(slot: Slot, place: Place): Json {
    const { evaluator, flags, session, world } = this.#run;
    const { path } = place;
    session.once(`evaluating ${path.join(".")}`, () => world.error(`evaluating '${path.join(".")}'...\n`));
    const [kind = ""] = path;
    const isSystemLeaf = path.length === 2 && SYSTEM_LEAVES.includes(kind);
    if (path.length === 0 || this.#isFolder(path)) return this.#folder(slot, place);
    if ((path.length === 3 && PER_SYSTEM.includes(kind)) || isSystemLeaf) {
      if (!flags.has("--all-systems") && path[1] !== flags.settings.system)
        return this.#omitted(place, "--all-systems");
      return kind === "apps" || kind === "defaultApp" ? this.#app(slot, place) : this.#derivation(slot, place);
    }
    if (kind === "hydraJobs" && path.length > 1) {
      const value = evaluator.force(slot);
      return this.#isDerivation(value) ? this.#derivation(slot, place) : this.#folder(slot, place);
    }
    if (kind === "legacyPackages" && path.length === 2) return this.#legacy(slot, place);
    if (kind === "templates" || kind === "defaultTemplate") return this.#template(slot, place);
    const known = (path.length === 2 ? NAMED : SINGLE)[kind];
    const [text, type] = known ?? ["unknown", "unknown"];
    return this.#leaf(place, `: ${magenta(text)}`, { type });
  }

  #isFolder(path: readonly string[]): boolean {
    const [kind = ""] = path;
    if (path.length === 1) {
      return [...PER_SYSTEM, ...SYSTEM_LEAVES, ...Object.keys(NAMED), "templates", "hydraJobs"].includes(kind);
    }
    return path.length === 2 && PER_SYSTEM.includes(kind) && kind !== "legacyPackages";
  }

  #folder(slot: Slot, { path, header, prefix }: Place): Json {
    this.#lines.push(header);
    const value = this.#run.evaluator.force(slot);
    if (!(value instanceof Attrs)) return {};
    const json: Record<string, Json> = {};
    value.keys.names.forEach((name, index) => {
      const isLast = index === value.size - 1;
      json[name] = this.show(value.values[index]!, {
        path: [...path, name],
        header: `\x1b[32;1m${prefix}${isLast ? LAST : MIDDLE}\x1b[0m${bold(name)}`,
        prefix: `${prefix}${isLast ? "    " : BAR}`,
      });
    });
    return json;
  }

  #leaf({ header }: Place, text: string, json: Json): Json {
    this.#lines.push(`${header}${text}`);
    return json;
  }

  #omitted(place: Place, flag: string): Json {
    const { flags, session, world } = this.#run;
    const path = place.path.join(".");
    if (flags.has("--json")) {
      session.once(`omitted ${path}`, () => world.error(`warning: ${path} omitted (use '${flag}' to show)\n`));
    }
    return this.#leaf(place, ` ${magenta("omitted")} (use '${flag}' to show)`, {});
  }

  #derivation(slot: Slot, place: Place): Json {
    const value = this.#run.evaluator.force(slot);
    const name = this.#text(value, "name");
    const meta = value instanceof Attrs ? value.get("meta") : undefined;
    const description = meta === undefined ? "" : this.#text(this.#run.evaluator.force(meta), "description");
    const [kind = ""] = place.path;
    const what = /^(packages|legacyPackages|formatter|defaultPackage)$/.test(kind)
      ? "package"
      : kind.startsWith("devShell")
        ? "development environment"
        : "derivation";
    const tail = description === "" ? "" : ` - '${description}'`;
    return this.#leaf(place, `: ${what} '${name}'${tail}`, { description, name, type: "derivation" });
  }

  #app(slot: Slot, place: Place): Json {
    const value = this.#run.evaluator.force(slot);
    const meta = value instanceof Attrs ? value.get("meta") : undefined;
    const description = meta === undefined ? "" : this.#text(this.#run.evaluator.force(meta), "description");
    const json: Json = description === "" ? { type: "app" } : { description, type: "app" };
    return this.#leaf(place, `: app: ${bold(description === "" ? "no description" : description)}`, json);
  }

  #template(slot: Slot, place: Place): Json {
    const description = this.#text(this.#run.evaluator.force(slot), "description");
    return this.#leaf(place, `: template: ${bold(description)}`, { description, type: "template" });
  }

  #legacy(slot: Slot, place: Place): Json {
    if (!this.#run.flags.has("--legacy")) return this.#omitted(place, "--legacy");
    return this.#folder(slot, place);
  }

  #text(value: Value, name: string): string {
    const slot = value instanceof Attrs ? value.get(name) : undefined;
    if (slot === undefined) return "";
    const inner = this.#run.evaluator.force(slot);
    return isString(inner)
      ? textOf(inner)
      : textOf(this.#run.evaluator.run(() => coerceToString(inner, { context: "" })));
  }

  #isDerivation(value: Value): boolean {
    return value instanceof Attrs && this.#run.evaluator.run(() => isDerivationForced(value));
  }
}
