/** Copies text and says so on the thing that was pressed. */
export async function copyText(text: string, from: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    return false;
  }
  from.dataset["copied"] = "";
  setTimeout(() => delete from.dataset["copied"], 1200);
  return true;
}
