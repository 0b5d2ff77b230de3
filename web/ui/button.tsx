/** Buttons. `command` is what the press does on a NixOS command line: shown as a tip, so that the visitor learns it by the way. */
import type { ButtonHTMLAttributes, ReactNode, Ref } from "react";
import "./button.css";
import { Icon, type IconName } from "./icon.tsx";

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: "primary" | "plain" | "quiet" | "danger" | "warn";
  size?: "small" | "normal" | "large";
  icon?: IconName;
  command?: string | undefined;
  tip?: string | undefined;
  children?: ReactNode;
  ref?: Ref<HTMLButtonElement>;
}

export function Button({
  look = "plain",
  size = "normal",
  icon,
  command,
  tip,
  children,
  className,
  ...rest
}: ButtonProps) {
  const hint = command ?? tip;
  return (
    <button
      type="button"
      {...rest}
      className={`button button-${look} button-${size} ${children === undefined ? "button-bare" : ""} ${className ?? ""}`}
      data-tip={hint}
      data-tip-code={command === undefined ? undefined : ""}
    >
      {icon && <Icon name={icon} size={size === "small" ? 15 : 17} />}
      {children !== undefined && <span className="button-text">{children}</span>}
    </button>
  );
}

/** A button that is only an icon: `label` is its name and its tip. */
export function IconButton({ label, icon, ...rest }: ButtonProps & { label: string; icon: IconName }) {
  return <Button look="quiet" tip={label} {...rest} icon={icon} aria-label={label} />;
}
