/** Finding a command by what was typed, and writing its keys. */

export interface Findable {
  title: string;
  line?: string;
}

/** Commands whose title or line holds every typed word; those that begin with it first. */
export function findCommands<T extends Findable>(list: T[], typed: string): T[] {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  const text = (command: T): string => `${command.title} ${command.line ?? ""}`.toLowerCase();
  const found = list.filter((command) => words.every((word) => text(command).includes(word)));
  const first = words[0] ?? "";
  return found.toSorted((a, b) => Number(text(b).startsWith(first)) - Number(text(a).startsWith(first)));
}

/** `Control+K` on a Mac is written, and is, ⌘K. */
export function keysText(keys: string, mac: boolean): string {
  const names: Record<string, string> = mac
    ? { Control: "⌘", Alt: "⌥", Shift: "⇧", Enter: "↩" }
    : { Control: "Ctrl", Enter: "↵" };
  const parts = keys.split("+").map((part) => names[part] ?? part);
  return parts.join(mac ? "" : "+");
}
