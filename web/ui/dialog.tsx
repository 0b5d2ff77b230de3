/** A modal dialog on the browser's own <dialog>: focus stays inside, Escape and a click beside it close it. */
import { useEffect, useRef, type ReactNode } from "react";
import { IconButton } from "./button.tsx";
import "./dialog.css";

export interface DialogProps {
  title: string;
  close(): void;
  children: ReactNode;
  width?: number;
}

export function Dialog({ title, close, children, width = 560 }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      className="dialog"
      style={{ width }}
      aria-label={title}
      onCancel={close}
      onPointerDown={(event) => {
        if (event.target === dialog.current) close();
      }}
    >
      <div className="dialog-body">
        <header className="dialog-head">
          <h2>{title}</h2>
          <IconButton label="Close" icon="cross" size="small" onClick={close} />
        </header>
        {children}
      </div>
    </dialog>
  );
}
