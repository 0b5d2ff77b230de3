/** Lets a panel put its own tools into the dock's head. */
import { createContext, useContext, type ReactNode, type ReactPortal } from "react";
import { createPortal } from "react-dom";

/** The place in the dock's head, once it is there. */
export const DockToolsPlace = createContext<HTMLElement | null>(null);

export function DockTools({ children }: { children: ReactNode }): ReactPortal | null {
  const place = useContext(DockToolsPlace);
  return place && createPortal(children, place);
}
