/** The lines that were typed into the repl, kept from visit to visit; the newest last. Where nothing can be kept it lasts as long as the page. */
const KEY = "terrarium-repl-history";
const KEPT = 500;

let lines: string[] | undefined;

export function replHistory(): readonly string[] {
  return (lines ??= stored());
}

/** Adds a line, unless it is the last one again. */
export function remember(line: string): void {
  if (line.trim() === "" || replHistory().at(-1) === line) return;
  lines = [...replHistory(), line].slice(-KEPT);
  try {
    localStorage.setItem(KEY, JSON.stringify(lines));
  } catch {
    // The browser keeps nothing for this page.
  }
}

function stored(): string[] {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(found) ? found.filter((line) => typeof line === "string") : [];
  } catch {
    return [];
  }
}
