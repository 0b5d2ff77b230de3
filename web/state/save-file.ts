/** Gives the browser a file to save on the visitor's computer. */
export function saveFile(contents: Blob, name: string): void {
  const url = URL.createObjectURL(contents);
  const link = Object.assign(document.createElement("a"), { href: url, download: name });
  link.click();
  // The browser reads it after the press; a minute is long enough for the largest archive to begin.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
