/** `nix registry …`: the registries of flakes listed, asked, and the user's own changed. */
import { fetchRef } from "../builtins/flake-file.ts";
import { sameInput } from "../builtins/flake-lock.ts";
import { type InputAttr, type InputAttrs, isLocked, parseFlakeRef, printFlakeRef } from "../builtins/flake-ref.ts";
import {
  type Registry,
  type RegistryEntry,
  flakeRegistries,
  printRegistry,
  readRegistry,
  resolveIndirect,
  userRegistryPath,
} from "../builtins/flake-registry.ts";
import { NixError } from "../eval/error.ts";
import { computed } from "./flakes.ts";
import type { LanguageProgram, LanguageRun } from "./language.ts";
import { usage } from "./language-options.ts";

const REGISTRY_FLAGS = { "--registry": 1 } as const;

const program = (
  words: string,
  [least, most]: readonly [number, number],
  flags: LanguageProgram["flags"]["flags"],
  body: (run: LanguageRun) => void,
): LanguageProgram => ({
  words,
  flags: { flags, most },
  run(run) {
    if (run.flags.args.length < least) throw usage("more arguments are required");
    body(run);
    return 0;
  },
});

export const NIX_REGISTRY: readonly LanguageProgram[] = [
  program("nix registry list", [0, 0], {}, (run) => {
    for (const { kind, entries } of flakeRegistries(contextOf(run))) {
      for (const { from, to } of entries) {
        run.world.print(`${kind.padEnd(6)} ${printFlakeRef(from)} ${printFlakeRef(to)}\n`);
      }
    }
  }),
  program("nix registry add", [2, 2], REGISTRY_FLAGS, (run) => {
    const [from, to] = run.flags.args.map((text) => parseFlakeRef(text));
    change(run, (entries) => [...without(entries, from!), { from: from!, to: to!, exact: false }]);
  }),
  program("nix registry remove", [1, 1], REGISTRY_FLAGS, (run) => {
    const from = parseFlakeRef(run.flags.args[0]!);
    change(run, (entries) => without(entries, from));
  }),
  program("nix registry pin", [1, 2], REGISTRY_FLAGS, (run) => {
    const { evaluator, flags, session, world } = run;
    const from = parseFlakeRef(flags.args[0]!);
    const wanted = parseFlakeRef(flags.args.at(-1)!);
    const { locked } = session.remember("pinned", () =>
      evaluator.run((context) => computed(() => fetchRef(wanted, "all", context))),
    );
    const to = new Map<string, InputAttr>(locked);
    to.delete("narHash");
    if (!isLocked(to)) world.error(`warning: flake '${printFlakeRef(to)}' is not locked\n`);
    change(run, (entries) => [...without(entries, from), { from, to, exact: false, isFinal: true }]);
  }),
  program("nix registry resolve", [1, Infinity], {}, (run) => {
    for (const text of run.flags.args) {
      run.world.print(`${printFlakeRef(resolveIndirect(parseFlakeRef(text), "all", contextOf(run)))}\n`);
    }
  }),
];

const contextOf = ({ flags, world }: LanguageRun) => ({ io: world.io, settings: flags.settings });

const without = (entries: readonly RegistryEntry[], from: InputAttrs): RegistryEntry[] =>
  entries.filter((entry) => !sameInput(entry.from, from));

/** Writes the registry that `--registry` names, or the user's. */
function change(run: LanguageRun, edit: (entries: readonly RegistryEntry[]) => RegistryEntry[]): void {
  const { flags, world } = run;
  const given = flags.value("--registry");
  const path = given === undefined ? userRegistryPath(world) : given.startsWith("/") ? given : `${world.cwd}/${given}`;
  if (world.writeFile === undefined) throw new NixError("io", "files cannot be written here");
  const registry: Registry = readRegistry("user", path, world);
  world.writeFile(path, printRegistry({ ...registry, entries: edit(registry.entries) }));
}
