/** Package sets: the embedded one, those the workspace uses, and others that this browser keeps. */
import { useState } from "react";
import type { SourcePin, SourceRecord } from "#workers/api.ts";
import { useAppState } from "#web/state/context.ts";
import { formatBytes, plural } from "#web/state/format.ts";
import type { TransferActions } from "#web/state/session/transferring.ts";
import { Button, IconButton } from "#web/ui/button.tsx";
import { Icon } from "#web/ui/icon.tsx";
import { useTransferState } from "./use-transfer.ts";
import { DropPlace, Work } from "./work.tsx";

const NONE: readonly SourcePin[] = [];
const ARCHIVES = ".tar,.gz,.tgz,.xz,.txz,.zst,.bz2,.zip";

export function PackageSets({ transfer }: { transfer: TransferActions }) {
  const pins = useAppState((state) => state.workspace.sources ?? NONE);
  const records = useTransferState((state) => state.sources);
  const embedded = !pins.some(({ nixpkgs }) => nixpkgs);
  const others = records?.filter((record) => !pins.some(({ narHash }) => narHash === record.narHash)) ?? [];
  return (
    <section className="panel-section" aria-label="Package sets">
      <h3>Package sets</h3>
      <ul className="sources-list">
        <li className="source">
          <span className="source-head">
            <code>{"<nixos>"}</code>
            {embedded && <span className="mark mark-current">{"<nixpkgs>"}</span>}
            <span className="muted">Terrarium's own, always here</span>
          </span>
        </li>
        {pins.map((pin) => (
          <Pin
            key={pin.name}
            pin={pin}
            record={records?.find(({ narHash }) => narHash === pin.narHash)}
            known={records !== null}
            transfer={transfer}
          />
        ))}
      </ul>
      <Work kind="source" transfer={transfer} />
      <AddSource transfer={transfer} />
      {others.length > 0 && <Others records={others} transfer={transfer} />}
    </section>
  );
}

interface PinProps {
  pin: SourcePin;
  record: SourceRecord | undefined;
  /** Whether it is known what the browser has. */
  known: boolean;
  transfer: TransferActions;
}

function Pin({ pin, record, known, transfer }: PinProps) {
  const [typed, setTyped] = useState<string | null>(null);
  const rename = (): void => {
    if (typed !== null && typed !== pin.name) transfer.changePin(pin, { name: typed });
    setTyped(null);
  };
  return (
    <li className={`source ${known && record === undefined ? "source-missing" : ""}`}>
      <span className="source-head">
        <span className="source-name">
          {"<"}
          <input
            className="field"
            aria-label="Name of the package set"
            size={Math.max(4, (typed ?? pin.name).length)}
            value={typed ?? pin.name}
            spellCheck={false}
            onChange={(event) => setTyped(event.target.value)}
            onBlur={rename}
            onKeyDown={(event) => {
              if (event.key === "Enter") event.currentTarget.blur();
              if (event.key === "Escape") setTyped(null);
            }}
          />
          {">"}
        </span>
        {record !== undefined && (
          <span className="muted numeric">
            {plural(record.files, "file")}, {formatBytes(record.bytes)}
          </span>
        )}
        <span className="grow" />
        <label className="source-nixpkgs">
          <input
            type="checkbox"
            checked={pin.nixpkgs}
            onChange={(event) => transfer.changePin(pin, { nixpkgs: event.target.checked })}
          />
          as <code>{"<nixpkgs>"}</code>
        </label>
        <IconButton
          size="small"
          icon="cross"
          label={`Stop using ${pin.name}`}
          onClick={() => transfer.removePin(pin)}
        />
      </span>
      <code
        className="source-hash"
        data-tip="The hash of the whole set: a link carries it, and nothing else is accepted"
      >
        {pin.narHash}
      </code>
      {known && record === undefined && <Missing pin={pin} transfer={transfer} />}
    </li>
  );
}

/** A set that the workspace names and this browser does not have. */
function Missing({ pin, transfer }: { pin: SourcePin; transfer: TransferActions }) {
  const busy = useTransferState((state) => state.work !== null);
  const { url } = pin;
  return (
    <div className="source-get">
      <Icon name="warning" size={15} />
      <span>Not in this browser yet.</span>
      {url !== null && (
        <Button
          size="small"
          look="primary"
          icon="download"
          disabled={busy}
          command={`nix-prefetch-url --unpack ${url}`}
          onClick={() => void transfer.addAddress(url, pin)}
        >
          Download from {hostOf(url)}
        </Button>
      )}
      <DropPlace label="Choose its archive" accept={ARCHIVES} take={([file]) => void transfer.addFile(file, pin)} />
    </div>
  );
}

function AddSource({ transfer }: { transfer: TransferActions }) {
  const [address, setAddress] = useState("");
  const busy = useTransferState((state) => state.work !== null);
  return (
    <div className="source-add">
      <DropPlace label="Choose an archive" accept={ARCHIVES} take={([file]) => void transfer.addFile(file)}>
        <span className="muted">or drop it here: .tar.gz, .tar.xz, .tar.zst, .zip</span>
      </DropPlace>
      <form
        className="row"
        onSubmit={(event) => {
          event.preventDefault();
          if (address.trim() !== "") void transfer.addAddress(address).then(() => setAddress(""));
        }}
      >
        <input
          className="field grow"
          aria-label="Address of a package set"
          placeholder="github:owner/repository/revision, or https://…"
          value={address}
          spellCheck={false}
          onChange={(event) => setAddress(event.target.value)}
        />
        <Button
          type="submit"
          size="small"
          icon="download"
          disabled={busy || address.trim() === ""}
          {...(/^https?:/.test(address) ? { command: `nix-prefetch-url --unpack ${address.trim()}` } : {})}
        >
          Download
        </Button>
      </form>
    </div>
  );
}

function Others({ records, transfer }: { records: SourceRecord[]; transfer: TransferActions }) {
  return (
    <>
      <h4>Also in this browser</h4>
      <ul className="panel-list">
        {records.map((record) => (
          <li key={record.narHash}>
            <span className="truncate" title={record.narHash}>
              {record.title}
            </span>
            <span className="muted numeric">{formatBytes(record.bytes)}</span>
            <span className="grow" />
            <Button size="small" onClick={() => transfer.use(record)}>
              Use
            </Button>
            <IconButton
              size="small"
              icon="trash"
              label={`Delete ${record.title}`}
              onClick={() => void transfer.deleteSource(record.narHash)}
            />
          </li>
        ))}
      </ul>
    </>
  );
}

const hostOf = (url: string): string => URL.parse(url)?.host ?? url;
