/** What this page takes of the browser's space, and what would give the most of it back. */
import { useEffect } from "react";
import { useAppState, usePage } from "#web/state/context.ts";
import { formatBytes, plural } from "#web/state/format.ts";
import type { TransferActions } from "#web/state/session/transferring.ts";
import { Button, IconButton } from "#web/ui/button.tsx";
import { useTransferState } from "../sources/use-transfer.ts";

interface Taker {
  id: string;
  name: string;
  what: string;
  bytes: number;
  /** Null for what is in use. */
  free: (() => void) | null;
  command?: string;
}

/** Share of the quota from which on it is said that space is short. */
const SHORT = 0.8;

export function Space({ transfer }: { transfer: TransferActions }) {
  const { actions } = usePage();
  const store = useAppState((state) => state.store);
  useEffect(() => void actions.refreshStore(), [actions]);
  const takers = useTakers(transfer);
  const { usage, quota } = store;
  const first = takers.find(({ free }) => free !== null);
  const short = usage !== null && quota !== null && usage > quota * SHORT;
  return (
    <section className="panel-section" aria-label="Space in this browser">
      <h3>
        Space in this browser{" "}
        <span className="numeric">
          {usage !== null && formatBytes(usage)}
          {quota !== null && ` of ${formatBytes(quota)}`}
        </span>
      </h3>
      {usage !== null && quota !== null && (
        <meter className={`space-meter ${short ? "space-short" : ""}`} min={0} max={quota} value={usage}>
          {formatBytes(usage)}
        </meter>
      )}
      {store.persisted === false && (
        <div className="exit">
          <p className="panel-note">The browser may delete all of it when the disk runs full.</p>
          <Button size="small" onClick={() => void actions.askPersistence()}>
            Ask to keep it
          </Button>
        </div>
      )}
      {short && first !== undefined && (
        <p className="transfer-report transfer-bad">
          Space is short. Deleting {first.name} gives {formatBytes(first.bytes)} back.
        </p>
      )}
      <ul className="panel-list">
        {takers.map(({ id, name, what, bytes, free, command }) => (
          <li key={id}>
            <span className="truncate">{name}</span>
            <span className="muted">{what}</span>
            <span className="grow" />
            <span className="muted numeric">{formatBytes(bytes)}</span>
            {free !== null && (
              <IconButton size="small" icon="trash" label={`Delete ${name}`} command={command} onClick={free} />
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** The largest first. */
function useTakers(transfer: TransferActions): Taker[] {
  const { actions } = usePage();
  const workspaces = useAppState((state) => state.workspaces);
  const open = useAppState((state) => state.workspace.id);
  const pins = useAppState((state) => state.workspace.sources);
  const dead = useAppState((state) => state.store.deadBytes);
  const sizes = useTransferState((state) => state.sizes) ?? [];
  const sources = useTransferState((state) => state.sources) ?? [];
  const caches = useTransferState((state) => state.caches) ?? [];
  const ofWorkspaces = workspaces.flatMap(({ id, title, kind }): Taker[] => {
    const size = sizes.find(({ workspace }) => workspace === id);
    if (size === undefined) return [];
    const remove = () => void actions.deleteWorkspace(id).then(() => transfer.measure());
    const what = `${id === open ? "open, " : kind === "copy" ? "copy of a link, " : ""}${plural(size.paths, "path")}`;
    return [{ id, name: title, what, bytes: size.bytes, free: id === open ? null : remove }];
  });
  const ofSources = sources.map(({ narHash, title, bytes }): Taker => {
    const used = pins?.some((pin) => pin.narHash === narHash) ?? false;
    const what = used ? "package set, in use" : "package set";
    return { id: narHash, name: title, what, bytes, free: used ? null : () => void transfer.deleteSource(narHash) };
  });
  const ofCaches = caches.map(({ id, title, bytes }): Taker => {
    return { id, name: title, what: "binary cache", bytes, free: () => void transfer.removeCache(id) };
  });
  const garbage: Taker = {
    id: "garbage",
    name: "What nothing refers to",
    what: "",
    bytes: dead,
    free: () => void actions.gc().then(() => transfer.measure()),
    command: "nix-collect-garbage",
  };
  return [...ofWorkspaces, ...ofSources, ...ofCaches, ...(dead > 0 ? [garbage] : [])].toSorted(
    (a, b) => b.bytes - a.bytes,
  );
}
