/** A store path as a person reads it: the name; the whole path as a tip; a press copies it or opens it. */
import { pathParts } from "#web/state/format.ts";
import { copyText } from "./clipboard.ts";
import "./store-name.css";

export interface StoreNameProps {
  path: string;
  /** Show the first characters of the hash too: where two paths share a name, or where the hash is the point. */
  hash?: boolean;
  /** What a press does; by default it copies the path. */
  open?: ((path: string) => void) | undefined;
}

export function StoreName({ path, hash = false, open }: StoreNameProps) {
  const { hash: digits, name } = pathParts(path);
  return (
    <button
      type="button"
      className="store-name"
      data-tip={path}
      data-tip-code=""
      aria-label={`${name}: ${open ? "open" : "copy the path"}`}
      onClick={(event) => {
        event.stopPropagation();
        if (open) open(path);
        else void copyText(path, event.currentTarget);
      }}
    >
      {hash && digits && <span className="store-hash">{digits.slice(0, 7)}</span>}
      <span className="truncate">{name}</span>
    </button>
  );
}
