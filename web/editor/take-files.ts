/** Files of the visitor's disk: texts are taken into the workspace, archives to the panel that opens them. */
import type { Page } from "#web/state/context.ts";
import type { WorkFile } from "#web/state/model.ts";

/** Larger ones are hardly configuration. */
const mostBytes = 1_000_000;

const ARCHIVE = /\.(?:tar|tar\.\w+|t[gx]z|zip)$/;
const WHOLE_WORKSPACE = /\.terrarium[^/]*\.tar\.gz$/;

/** Of what is no archive only text is taken: what is not UTF-8, or too large, is left out. */
export async function takeFiles(files: File[], { actions, ui }: Pick<Page, "actions" | "ui">): Promise<void> {
  const archive = files.find(({ name }) => ARCHIVE.test(name));
  if (archive !== undefined) {
    const whole = WHOLE_WORKSPACE.test(archive.name);
    ui.openPanel(whole ? "take-home" : "sources");
    const transfer = await actions.transferring();
    return whole ? transfer?.openArchive(archive) : transfer?.addFile(archive);
  }
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
