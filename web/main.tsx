/** The page's start: the store, the session over the workers, and React. The file is painted before any worker answers. */
import { createRoot } from "react-dom/client";
import { App } from "./app/app.tsx";
import { Boundary } from "./app/boundary.tsx";
import { keepOffline } from "./app/offline.ts";
import { makePage, PageContext } from "./state/context.ts";
import { createPageStore } from "./state/model.ts";
import { startSession } from "./state/session.ts";
import { applySettings, loadSettings } from "./state/ui.ts";
import "./ui/theme.css";

const store = createPageStore();
const settings = loadSettings();
applySettings(settings);
store.setState((state) => ({ ui: { ...state.ui, settings } }));

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");
const { actions, language } = startSession(store);
// For the browser's console and the benchmarks: what every panel shows, and what every button does.
Object.assign(globalThis, { terrarium: { ...store, actions } });
createRoot(root).render(
  <Boundary what="The page">
    <PageContext value={makePage(store, actions, language)}>
      <App />
    </PageContext>
  </Boundary>,
);

if (import.meta.env.PROD) keepOffline(store);
