/** A button that opens a list of choices in the top layer. Arrow keys move, Enter chooses, Escape closes, focus returns. */
import { useId, useRef, type KeyboardEvent, type ReactNode } from "react";
import { Button, type ButtonProps } from "./button.tsx";
import { Icon, type IconName } from "./icon.tsx";
import "./menu.css";
import { placeBeside } from "./place.ts";

export interface MenuItem {
  id: string;
  label: ReactNode;
  /** The command it runs, or a short remark. */
  caption?: string;
  icon?: IconName;
  disabled?: boolean;
  danger?: boolean;
  checked?: boolean;
  run(): void;
}

export interface MenuProps extends ButtonProps {
  label: string;
  /** Items and, between groups, headings. */
  items: (MenuItem | { heading: string })[];
  align?: "start" | "end";
}

export function Menu({ label, items, align = "start", children, ...button }: MenuProps) {
  const id = useId();
  const trigger = useRef<HTMLButtonElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const close = (): void => {
    list.current?.hidePopover();
    trigger.current?.focus();
  };
  return (
    <>
      <Button
        {...button}
        ref={trigger}
        popoverTarget={id}
        aria-haspopup="menu"
        aria-label={children === undefined || typeof children !== "string" ? label : undefined}
        tip={button.tip ?? (children === undefined ? label : undefined)}
      >
        {children}
      </Button>
      <div
        id={id}
        ref={list}
        popover="auto"
        role="menu"
        tabIndex={-1}
        aria-label={label}
        className="menu"
        onKeyDown={(event) => moveFocus(event, list.current)}
        onBeforeToggle={(event) => {
          if (event.newState === "open" && trigger.current) placeBeside(event.currentTarget, trigger.current, align);
        }}
        onToggle={(event) => {
          if (event.newState === "open") menuItems(event.currentTarget)[0]?.focus();
        }}
      >
        {items.map((item) =>
          "heading" in item ? (
            <div key={item.heading} role="presentation" className="menu-heading">
              {item.heading}
            </div>
          ) : (
            <MenuRow key={item.id} item={item} close={close} />
          ),
        )}
      </div>
    </>
  );
}

function MenuRow({ item, close }: { item: MenuItem; close: () => void }) {
  return (
    <button
      type="button"
      role={item.checked === undefined ? "menuitem" : "menuitemradio"}
      aria-checked={item.checked}
      tabIndex={-1}
      disabled={item.disabled}
      className={`menu-item ${item.danger ? "menu-danger" : ""}`}
      onClick={() => {
        close();
        item.run();
      }}
    >
      {(item.icon ?? item.checked !== undefined) && (
        <span className="menu-icon">
          {item.icon ? <Icon name={item.icon} size={16} /> : item.checked && <Icon name="check" size={16} />}
        </span>
      )}
      <span className="menu-label">{item.label}</span>
      {item.caption && <span className="menu-caption">{item.caption}</span>}
    </button>
  );
}

const menuItems = (list: HTMLElement): HTMLButtonElement[] => [
  ...list.querySelectorAll<HTMLButtonElement>(".menu-item:not(:disabled)"),
];

const steps: Record<string, (at: number, count: number) => number> = {
  ArrowDown: (at, count) => (at + 1) % count,
  ArrowUp: (at, count) => (at - 1 + count) % count,
  Home: () => 0,
  End: (_, count) => count - 1,
};

function moveFocus(event: KeyboardEvent, list: HTMLElement | null): void {
  const step = steps[event.key];
  if (!list || !step) return;
  event.preventDefault();
  const items = menuItems(list);
  const at = items.findIndex((item) => item === document.activeElement);
  items[step(at, items.length)]?.focus();
}
