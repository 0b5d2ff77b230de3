/**
 * Unit files as text and as sections. Only what comparing two of them needs: keys keep their values in order, an empty value
 * clears what came before it (as systemd reads them), comments and continuation lines are understood.
 */

export type UnitSections = ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;

/** Reads one file and its drop-ins, in this order; later keys add to earlier ones. Lines that are no assignment are skipped. */
export function parseUnitFile(...texts: readonly string[]): UnitSections {
  const sections = new Map<string, Map<string, string[]>>();
  for (const text of texts) {
    let section: Map<string, string[]> | undefined;
    for (const line of logicalLines(text)) {
      const heading = /^\[(.+)\]$/.exec(line);
      if (heading !== null) {
        const name = heading[1] ?? "";
        section = sections.get(name) ?? new Map<string, string[]>();
        sections.set(name, section);
        continue;
      }
      const equals = line.indexOf("=");
      if (section !== undefined && equals > 0) {
        addValue(section, line.slice(0, equals).trim(), line.slice(equals + 1).trim());
      }
    }
  }
  return sections;
}

function addValue(section: Map<string, string[]>, key: string, value: string): void {
  if (value === "") section.set(key, []);
  else section.set(key, [...(section.get(key) ?? []), value]);
}

/** Lines without comments, with those that end in a backslash joined to the next. */
function logicalLines(text: string): string[] {
  const lines: string[] = [];
  let open = "";
  for (const raw of text.split("\n")) {
    const line = raw.trim();
    if (line.startsWith("#") || line.startsWith(";")) continue;
    if (line.endsWith("\\")) {
      open += `${line.slice(0, -1).trimEnd()} `;
      continue;
    }
    if (open + line !== "") lines.push(open + line);
    open = "";
  }
  if (open !== "") lines.push(open.trimEnd());
  return lines;
}

/** The last value of a key, or undefined. */
export function unitValue(sections: UnitSections, section: string, key: string): string | undefined {
  return sections.get(section)?.get(key)?.at(-1);
}

/** A Boolean key as systemd reads it. */
export function unitFlag(sections: UnitSections, section: string, key: string, otherwise: boolean): boolean {
  const value = unitValue(sections, section, key)?.toLowerCase();
  if (value === undefined) return otherwise;
  return ["1", "yes", "true", "on", "y", "t"].includes(value);
}

/** All words of a key that lists units. */
export function unitWords(sections: UnitSections, section: string, key: string): string[] {
  return (sections.get(section)?.get(key) ?? []).flatMap((value) => value.split(/\s+/)).filter((word) => word !== "");
}
