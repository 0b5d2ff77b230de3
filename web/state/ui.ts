/** The page's own slice of the state: which panel is open, what is selected, settings. Kept in localStorage where it should outlive a reload. */
import { initialSettings, type FileRange, type PageStore, type Settings, type UiState } from "./model.ts";

const settingsKey = "terrarium-settings";

export interface UiActions {
  openPanel(id: string): void;
  togglePanel(id: string): void;
  closePanel(): void;
  showHalf(half: UiState["half"]): void;
  openFile(path: string): void;
  reveal(at: FileRange): void;
  setPalette(open: boolean): void;
  setDialog(dialog: UiState["dialog"]): void;
  /** Opens a panel on a store path or derivation. */
  inspect(panel: string, path: string): void;
  setPlug(before: string | null): void;
  change(settings: Partial<Settings>): void;
}

/** Made once a page. A plug that was pulled is no longer planted. */
export function uiActions(store: PageStore): UiActions {
  const set = (part: Partial<UiState>): void => store.setState((state) => ({ ui: { ...state.ui, ...part } }));
  store.subscribe((state, before) => {
    const pulled = state.machine.phase === "cut" && before.machine.phase !== "cut";
    if (pulled && state.ui.plugBefore !== null) set({ plugBefore: null });
  });
  return {
    openPanel: (panel) => set({ panel }),
    togglePanel: (panel) => set({ panel: store.getState().ui.panel === panel ? null : panel }),
    closePanel: () => set({ panel: null }),
    showHalf: (half) => set({ half }),
    openFile: (activeFile) => set({ activeFile, half: "file", ...uncovered() }),
    reveal: (reveal) => set({ reveal, activeFile: reveal.path, half: "file", ...uncovered() }),
    setPalette: (palette) => set({ palette }),
    setDialog: (dialog) => set({ dialog }),
    inspect: (panel, focusPath) => set({ panel, focusPath }),
    setPlug: (plugBefore) => set({ plugBefore }),
    change: (settings) => {
      const changed = { ...store.getState().ui.settings, ...settings };
      set({ settings: changed });
      applySettings(changed);
      keep(changed);
    },
  };
}

/** On narrow screens an open panel covers the file. */
const uncovered = (): Partial<UiState> =>
  globalThis.matchMedia?.("(max-width: 900px)").matches ? { panel: null } : {};

/** The settings kept from earlier visits; anything missing or of the wrong kind takes its first value. */
export function parseSettings(text: string | null): Settings {
  let kept: unknown = null;
  try {
    kept = JSON.parse(text ?? "null");
  } catch {
    return initialSettings;
  }
  if (typeof kept !== "object" || kept === null) return initialSettings;
  const known = Object.entries(initialSettings).map(([key, first]) => {
    const value: unknown = Reflect.get(kept, key);
    return [key, typeof value === typeof first ? value : first];
  });
  const settings = Object.fromEntries(known) as Settings;
  const allowed =
    ["system", "light", "dark"].includes(settings.theme) && ["system", "reduced"].includes(settings.motion);
  const drivers = ["v86", "webcontainer"].includes(settings.driver);
  return allowed && drivers ? settings : initialSettings;
}

/** Storage may be forbidden (private windows, sandboxed frames): then settings last as long as the page. */
export function loadSettings(): Settings {
  try {
    return parseSettings(localStorage.getItem(settingsKey));
  } catch {
    return initialSettings;
  }
}

function keep(settings: Settings): void {
  try {
    localStorage.setItem(settingsKey, JSON.stringify(settings));
  } catch {
    // Forbidden or full: the choice still holds for this page.
  }
}

export function applySettings(settings: Settings): void {
  const { dataset, style } = document.documentElement;
  if (settings.theme === "system") delete dataset["theme"];
  else dataset["theme"] = settings.theme;
  if (settings.motion === "system") delete dataset["motion"];
  else dataset["motion"] = settings.motion;
  style.setProperty("--code-size", `${settings.fontSize}px`);
}
