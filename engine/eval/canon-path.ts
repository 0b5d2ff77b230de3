/** Paths as text: their one canonical form. */

/** An absolute path without `.`, `..`, doubled or trailing slashes. */
export function canonPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === "..") parts.pop();
    else parts.push(part);
  }
  return `/${parts.join("/")}`;
}
