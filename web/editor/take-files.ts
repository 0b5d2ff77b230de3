/** Files of the visitor's disk taken into the workspace. */
import type { Actions, WorkFile } from "#web/state/model.ts";

/** Larger ones are hardly configuration. */
const mostBytes = 1_000_000;

/** Text files only: what is not UTF-8, or too large, is left out. */
export async function takeFiles(files: File[], actions: Actions): Promise<void> {
  const read = await Promise.all(files.map(readText));
  const texts = read.filter((file) => file !== null);
  if (texts.length > 0) await actions.importFiles(texts);
}

async function readText(file: File): Promise<WorkFile | null> {
  if (file.size > mostBytes) return null;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer());
    return { path: file.webkitRelativePath || file.name, text };
  } catch {
    return null;
  }
}

export function chooseFiles(take: (files: File[]) => void): void {
  const field = document.createElement("input");
  field.type = "file";
  field.multiple = true;
  field.addEventListener("change", () => take([...(field.files ?? [])]), { once: true });
  field.click();
}
