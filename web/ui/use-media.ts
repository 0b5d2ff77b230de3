/** Whether the window is too narrow for two halves side by side; the same width as in app.css. */
import { useSyncExternalStore } from "react";

const query = "(max-width: 900px)";

function subscribe(changed: () => void): () => void {
  const media = matchMedia(query);
  media.addEventListener("change", changed);
  return () => media.removeEventListener("change", changed);
}

export const useNarrow = (): boolean => useSyncExternalStore(subscribe, () => matchMedia(query).matches);
