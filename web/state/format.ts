/** Numbers, store paths and times as a person reads them. Pure text functions. */

const units = ["B", "kB", "MB", "GB", "TB"];

/** `40 kB`, `1.6 MB`: decimal units, two digits at most. A true minus sign for shrinking. */
export function formatBytes(bytes: number): string {
  const sign = bytes < 0 ? "−" : "";
  let value = Math.abs(bytes);
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 9.95 ? 0 : 1;
  return `${sign}${value.toFixed(digits).replace(/\.0$/, "")} ${units[unit]}`;
}

/** `+40 kB`, `−2 MB`, `±0`. */
export function formatDelta(bytes: number): string {
  if (bytes === 0) return "±0";
  return bytes > 0 ? `+${formatBytes(bytes)}` : formatBytes(bytes);
}

export function formatMs(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 9950 ? 1 : 0)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}

/** `1 thing`, `3 things`. */
export const plural = (count: number, noun: string, many = `${noun}s`): string =>
  `${count} ${count === 1 ? noun : many}`;

export interface PathParts {
  hash: string;
  name: string;
}

/** The two parts of a store path; for anything else the hash is empty and the name is the whole text. */
export function pathParts(path: string): PathParts {
  const match = /^(?:\/nix\/store\/)?([0-9a-z]{32})-(.+)$/.exec(path);
  return match ? { hash: match[1] ?? "", name: match[2] ?? "" } : { hash: "", name: path };
}

export const pathName = (path: string): string => pathParts(path).name;

/** The first characters of the hash: enough to see that two are the same. */
export const shortHash = (path: string): string => pathParts(path).hash.slice(0, 7);

/** `today 14:05`, `yesterday 09:30`, `3 Nov 2026`. Both times in milliseconds (`now`: this moment); in the visitor's time zone. */
export function formatDate(date: number, now = Date.now()): string {
  const then = new Date(date);
  const clock = then.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  const days = dayNumber(new Date(now)) - dayNumber(then);
  if (days === 0) return `today ${clock}`;
  if (days === 1) return `yesterday ${clock}`;
  return then.toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" });
}

const dayNumber = (date: Date): number => Math.floor((date.getTime() - date.getTimezoneOffset() * 60_000) / 86_400_000);
