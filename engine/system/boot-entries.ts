/**
 * The boot menu: one line a generation, newest first, and below it the variants (specialisations) it brings.
 *
 * On a real NixOS the boot loader's files are written by `nixos-rebuild boot` and `switch`; here the menu is derived from the
 * profile each time it is shown, so it never lags behind.
 */
import type { StorePath } from "#engine/store/format/store-path.ts";
import type { BootEntry } from "./types.ts";

export interface MenuGeneration {
  readonly number: number;
  readonly topLevel: StorePath;
  readonly label: string;
  /** Seconds since the epoch. */
  readonly date: number;
  readonly specialisations: ReadonlyMap<string, StorePath>;
}

/** `current` is the generation the profile points at: the entry that starts when nobody chooses. */
export function bootEntries(generations: readonly MenuGeneration[], current: number): BootEntry[] {
  const newestFirst = [...generations].sort((left, right) => right.number - left.number);
  return newestFirst.flatMap((generation) => {
    const { number, topLevel } = generation;
    const title = `NixOS - Configuration ${number} (${isoDay(generation.date)} - ${generation.label})`;
    const plain = { title, generation: number, specialisation: null, topLevel, isDefault: number === current };
    const variants = [...generation.specialisations].map(([name, path]) => ({
      title: `NixOS - (${name} - Configuration ${number}, ${isoDay(generation.date)})`,
      generation: number,
      specialisation: name,
      topLevel: path,
      isDefault: false,
    }));
    return [plain, ...variants];
  });
}

function isoDay(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 10);
}
