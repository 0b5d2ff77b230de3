/** How components reach the page's state and what they may ask for: one React context, given once by main.tsx. */
import { createContext, useContext } from "react";
import { useStore } from "zustand/react";
import { useShallow } from "zustand/react/shallow";
import type { Actions, Language, PageStore, State } from "./model.ts";
import { uiActions, type UiActions } from "./ui.ts";

export interface Page {
  store: PageStore;
  actions: Actions;
  language: Language;
  ui: UiActions;
}

export const PageContext = createContext<Page | null>(null);

export function makePage(store: PageStore, actions: Actions, language: Language): Page {
  return { store, actions, language, ui: uiActions(store) };
}

export function usePage(): Page {
  const page = useContext(PageContext);
  if (!page) throw new Error("no PageContext above");
  return page;
}

export const useActions = (): Actions => usePage().actions;
export const useUi = (): UiActions => usePage().ui;

/** A part of the state. The selector must give the same object while nothing changed: no fresh arrays or objects. */
export function useAppState<T>(select: (state: State) => T): T {
  return useStore(usePage().store, select);
}

/** Something worked out from the state, as a flat object: the same one while none of its fields changed. */
export function useDerived<T extends object>(select: (state: State) => T): T {
  return useStore(usePage().store, useShallow(select));
}
