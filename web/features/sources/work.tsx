/** How a piece of taking in or taking home goes, and how it ended; and the place that files are dropped on. */
import { useState, type DragEvent, type ReactNode } from "react";
import type { TransferActions } from "#web/state/session/transferring.ts";
import type { TransferKind } from "#web/state/transfer.ts";
import { Button } from "#web/ui/button.tsx";
import { Progress } from "#web/ui/parts.tsx";
import { useTransferState } from "./use-transfer.ts";

export function Work({ kind, transfer }: { kind: TransferKind; transfer: TransferActions }) {
  const work = useTransferState((state) => state.work);
  const report = useTransferState((state) => state.report);
  if (work?.kind === kind)
    return (
      <div className="transfer-work">
        <span className="muted">{work.text}</span>
        <Progress fraction={work.fraction} label={work.text} />
        <Button size="small" look="quiet" onClick={transfer.cancel}>
          Cancel
        </Button>
      </div>
    );
  if (report?.kind !== kind) return null;
  return (
    <output className={`transfer-report ${report.tone === "bad" ? "transfer-bad" : "transfer-good"}`}>
      {report.text}
    </output>
  );
}

interface DropPlaceProps {
  label: string;
  /** What files it takes, as `accept` says it. */
  accept?: string;
  take(files: File[]): void;
  children?: ReactNode;
}

/** Takes files that are dropped on it, or chosen after a press. */
export function DropPlace({ label, accept, take, children }: DropPlaceProps) {
  const [over, setOver] = useState(false);
  const busy = useTransferState((state) => state.work !== null);
  const onDrop = (event: DragEvent): void => {
    event.preventDefault();
    event.stopPropagation();
    setOver(false);
    const files = [...event.dataTransfer.files];
    if (files.length > 0 && !busy) take(files);
  };
  return (
    <div
      className={`drop-place ${over ? "drop-over" : ""}`}
      onDragOver={(event) => {
        event.preventDefault();
        event.stopPropagation();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={onDrop}
    >
      <label className={`button button-plain button-small ${busy ? "drop-busy" : ""}`}>
        <input
          type="file"
          className="visually-hidden"
          accept={accept}
          disabled={busy}
          onChange={(event) => {
            const files = [...(event.target.files ?? [])];
            event.target.value = "";
            if (files.length > 0) take(files);
          }}
        />
        <span className="button-text">{label}</span>
      </label>
      {children}
    </div>
  );
}

/** Takes all files of a folder; where the browser cannot choose folders it takes nothing. */
export function FolderChoice({ label, take }: { label: string; take(files: File[]): void }) {
  const busy = useTransferState((state) => state.work !== null);
  return (
    <label className={`button button-plain button-small ${busy ? "drop-busy" : ""}`}>
      <input
        type="file"
        className="visually-hidden"
        disabled={busy}
        {...{ webkitdirectory: "" }}
        onChange={(event) => {
          const files = [...(event.target.files ?? [])];
          event.target.value = "";
          if (files.length > 0) take(files);
        }}
      />
      <span className="button-text">{label}</span>
    </label>
  );
}
